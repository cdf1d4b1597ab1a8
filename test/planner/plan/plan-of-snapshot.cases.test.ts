import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { planOf } from '../../../src/planner/plan/plan-of-snapshot.ts';
import { snapshotOf } from '../../../src/planner/plan/snapshot-document.ts';
import { wrongWith } from '../../solver/check-plan.ts';

interface Step {
  readonly snapshot: unknown;
  readonly expected: {
    readonly status: string;
    readonly cost?: number;
    readonly replicas?: Record<string, number>;
    readonly beyondSlo?: readonly unknown[];
    readonly unserved?: readonly { arrivalRate: number; reason: string }[];
    readonly notRouted?: { inputTokens: number; outputTokens: number; variant: string };
  };
}

const folder = join(import.meta.dirname, '../../cases/solver');
const cases = readdirSync(folder).map((file) => ({
  name: file.replace('.json', '').replaceAll('-', ' '),
  ...(JSON.parse(readFileSync(join(folder, file), 'utf8')) as { source: string; story: string; steps: Step[] }),
}));

test('there are cases', () => {
  expect(cases.length).toBeGreaterThanOrEqual(14);
});

test.each(cases)('$name ($source)', ({ steps }) => {
  expect(steps.length).toBeGreaterThan(0);
  for (const { snapshot: document, expected } of steps) {
    const snapshot = snapshotOf(document);
    const plan = planOf(snapshot);
    expect(plan.status).toBe(expected.status);
    expect(wrongWith(snapshot, plan)).toEqual([]);
    if (expected.cost !== undefined) expect(plan.cost).toBeCloseTo(expected.cost, 9);
    if (expected.replicas !== undefined)
      expect(Object.assign({}, ...plan.models.map(({ replicas }) => replicas))).toEqual(expected.replicas);
    if (expected.beyondSlo !== undefined) expect(plan.models.flatMap(({ beyondSlo }) => beyondSlo)).toEqual(expected.beyondSlo);
    const unserved = plan.models.flatMap((model) => model.unserved);
    expect(unserved.map(({ reason }) => reason)).toEqual((expected.unserved ?? []).map(({ reason }) => reason));
    for (const [i, { arrivalRate }] of (expected.unserved ?? []).entries())
      expect(unserved[i]!.arrivalRate).toBeCloseTo(arrivalRate, 6);
    const { notRouted } = expected;
    if (notRouted !== undefined) {
      const rows = plan.models[0]!.routing.filter(
        ({ inputTokens, outputTokens }) => inputTokens === notRouted.inputTokens && outputTokens === notRouted.outputTokens,
      );
      expect(rows).toHaveLength(1);
      expect(Object.keys(rows[0]!.shares)).not.toContain(notRouted.variant);
    }
  }
});
