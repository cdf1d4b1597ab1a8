import { expect, test } from 'vitest';
import { boundsOfAutoscaler, boundsOfPodAutoscaler, boundsOfScaledObject } from '../../src/cluster/bounds.ts';
import { paceOfBehavior } from '../../src/cluster/pace.ts';

const autoscaler = (spec: object) => ({
  metadata: { name: 'a', namespace: 'ns' },
  spec: { scaleTargetRef: { kind: 'Deployment', name: 'd' }, ...spec },
});

test.each([
  { name: 'defaults', behavior: undefined, up: [0.1, 0], down: [0.1, 300] },
  {
    name: 'as the samples have it',
    behavior: {
      scaleUp: { tolerance: '0', policies: [{ periodSeconds: 15 }] },
      scaleDown: { tolerance: '0', stabilizationWindowSeconds: 0 },
    },
    up: [0, 15],
    down: [0, 0],
  },
  {
    name: 'slow and coarse',
    behavior: {
      scaleUp: { tolerance: '50m', stabilizationWindowSeconds: 60 },
      scaleDown: { tolerance: 0.25, policies: [{ periodSeconds: 60 }, { periodSeconds: 600 }] },
    },
    up: [0.05, 60],
    down: [0.25, 900],
  },
])("an HPA's pace: $name", ({ behavior, up, down }) => {
  const pace = paceOfBehavior(behavior);
  expect([pace.up.tolerance, pace.up.waitSeconds]).toEqual(up);
  expect([pace.down.tolerance, pace.down.waitSeconds]).toEqual(down);
});

test('each kind says its bounds and its pace', () => {
  expect(boundsOfAutoscaler(autoscaler({ maxReplicas: 9 }))).toMatchObject({
    ...{ deployment: 'ns/d', minReplicas: 1, maxReplicas: 9 },
    pace: { down: { tolerance: 0.1, waitSeconds: 300 } },
  });
  expect(boundsOfPodAutoscaler(autoscaler({ minReplicas: 0, maxReplicas: 9 }))).toMatchObject({
    ...{ minReplicas: 0, maxReplicas: 9 },
    pace: { up: { tolerance: 0, waitSeconds: 0 }, down: { waitSeconds: 1800 } },
  });
  const behavior = { scaleDown: { stabilizationWindowSeconds: 0 } };
  const scaled = autoscaler({ cooldownPeriod: 60, advanced: { horizontalPodAutoscalerConfig: { behavior } } });
  expect(boundsOfScaledObject(scaled)).toMatchObject({
    ...{ minReplicas: 0, maxReplicas: 100 },
    pace: { down: { waitSeconds: 60 } },
  });
});
