import { describe, expect, test } from 'vitest';
import { paceOfBehavior, paceOfPodAutoscaler } from '../../src/cluster/pace.ts';

describe('the pace of an HPA', () => {
  test('without a behaviour, or with an empty one, is the default of its controller: it scales down after five minutes', () => {
    const byDefault = { up: { tolerance: 0.1, waitSeconds: 0 }, down: { tolerance: 0.1, waitSeconds: 300 } };
    for (const behavior of [undefined, {}, { scaleUp: {}, scaleDown: { policies: [] } }])
      expect(paceOfBehavior(behavior)).toEqual(byDefault);
  });

  test('has two directions, each by its own rules', () => {
    expect(paceOfBehavior({ scaleUp: { tolerance: 0.3, stabilizationWindowSeconds: 7 } })).toEqual({
      up: { tolerance: 0.3, waitSeconds: 7 },
      down: { tolerance: 0.1, waitSeconds: 300 },
    });
    expect(paceOfBehavior({ scaleDown: { tolerance: 0.3, stabilizationWindowSeconds: 7 } })).toEqual({
      up: { tolerance: 0.1, waitSeconds: 0 },
      down: { tolerance: 0.3, waitSeconds: 7 },
    });
  });

  test('waits for its window, and after it for the longest period of its policies', () => {
    const policies = [{ periodSeconds: 15 }, { periodSeconds: 90 }, {}];
    expect(paceOfBehavior({ scaleUp: { policies }, scaleDown: { policies } })).toMatchObject({
      up: { waitSeconds: 90 },
      down: { waitSeconds: 390 },
    });
    expect(paceOfBehavior({ scaleDown: { policies, stabilizationWindowSeconds: 0 } }).down.waitSeconds).toBe(90);
  });

  test.each<[string | number, number]>([
    [0, 0],
    ['0', 0],
    ['0.05', 0.05],
    ['.5', 0.5],
    ['5e-2', 0.05],
    ['5E-2', 0.05],
    ['50m', 0.05],
    ['1500m', 1.5],
    ['500u', 0.0005],
    ['1.2.3', 0.1],
    ['.', 0.1],
    ['5M', 0.1],
    [0.25, 0.25],
    [1, 1],
    ['', 0.1],
    ['-1', 0.1],
    ['10%', 0.1],
    ['m', 0.1],
    ['ten', 0.1],
  ])('tolerates by "%s" a change of %d', (tolerance, expected) => {
    const { up, down } = paceOfBehavior({ scaleUp: { tolerance }, scaleDown: { tolerance } });
    expect([up.tolerance, down.tolerance]).toEqual([expected, expected]);
  });
});

test('a PodAutoscaler takes every change, up at once and down within half an hour', () => {
  expect(paceOfPodAutoscaler).toEqual({ up: { tolerance: 0, waitSeconds: 0 }, down: { tolerance: 0, waitSeconds: 1800 } });
});
