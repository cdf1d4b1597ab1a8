import { describe, expect, test } from 'vitest';
import type { WakingHistory } from '../../../src/planner/believe/waking-ahead.ts';
import { type WakingSources, wokenDemand } from '../../../src/planner/believe/woken-demand.ts';
import { candidate } from '../../helpers/beliefs.ts';

const day = 86_400;
const due = 20_000 * day;
const shape = [
  { inputTokens: 1024, outputTokens: 64, share: 0.75 },
  { inputTokens: 64, outputTokens: 64, share: 0.25 },
];
/** 4 req/s came at the same time on two days. */
const habit: WakingHistory = {
  ...{ idleFrom: due - 7200, idleAt: due, began: null, shape },
  habits: [{ days: [-2, -1].map((ago) => ({ at: due + ago * day, rate: 4 })), next: due }],
};
const settings = {
  windowSeconds: 120,
  shapeWindowSeconds: 240,
  headroom: 0.5,
  attainment: null,
  startupSeconds: 100,
  backlogSeconds: 120,
};
const woken = (more: Partial<WakingSources> = {}, given: Partial<typeof settings> = {}, now = due) =>
  wokenDemand(
    {
      ...{ aliases: ['m'], arrivalShare: 1, strains: new Map(), candidates: [candidate('a')], wakings: new Map([['m', habit]]) },
      ...more,
    },
    now,
    { ...settings, ...given },
  );

describe('what an idle model is woken for', () => {
  test('is the rate of those days, of the sizes that came last, with headroom', () => {
    expect(woken()).toEqual({
      demand: [
        { inputTokens: 1024, outputTokens: 64, arrivalRate: 4.5 },
        { inputTokens: 64, outputTokens: 64, arrivalRate: 1.5 },
      ],
      forecast: { method: 'time of day', rate: 4 },
      headroom: 0.5,
      noise: 0.25,
      reason: 'woken ahead: traffic came at this time on 2 of 2 days',
    });
  });

  test('has the headroom that the attainment asks for where that is more', () => {
    const asked = woken({}, { headroom: 0, attainment: 0.99 } as object)!;
    // 480 requests in two minutes, and the 95th percentile of the ratio of two such numbers.
    expect(asked.headroom).toBeCloseTo(1.645 * Math.sqrt(2 / 480), 2);
    expect(asked.noise).toBe(asked.headroom);
  });

  test('is asked for a startup and a minute before, and not earlier', () => {
    expect(woken({}, {}, due - 160)).not.toBeNull();
    expect(woken({}, {}, due - 161)).toBeNull();
  });

  test('is its own share, more where its engines are slow, and the sum of its names', () => {
    const total = (more: Partial<WakingSources>) => woken(more)!.demand.reduce((sum, { arrivalRate }) => sum + arrivalRate, 0);
    const strain = { factor: 1.5, steadySince: 0, steadyFactor: 1, rate: 4, requestWork: 1, ready: 1, at: 0 };
    expect(total({ arrivalShare: 0.5 })).toBeCloseTo(3, 9);
    expect(total({ strains: new Map([['m', strain]]) })).toBeCloseTo(9, 9);
    expect(total({ aliases: ['m', 'n', 'o'], wakings: new Map([...'mn'].map((name) => [name, habit])) })).toBeCloseTo(12, 9);
  });

  test('is nothing where no size was ever known, or nothing is expected', () => {
    expect(woken({ wakings: new Map([['m', { ...habit, shape: null }]]) })).toBeNull();
    expect(woken({ wakings: new Map() })).toBeNull();
  });
});
