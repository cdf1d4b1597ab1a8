import { describe, expect, test } from 'vitest';
import { type Strain, type StrainEvidence, strainNow } from '../../../src/planner/believe/strain-from-backlog.ts';
import { record } from '../../helpers/records.ts';

/** Records of 10 req/s up to `until`, with so many requests in flight. */
const inFlight = (until: number, counts: readonly number[]) =>
  counts.map((count, index) => record(until - 10 * (counts.length - 1 - index), 100, { meta_pending_reqs: count }));
/** Records of 10 req/s up to `until`, what is in flight growing by so many in each interval. */
const growing = (until: number, growth: number) =>
  Array.from({ length: 12 }, (_, index) => record(until - 110 + 10 * index, 100, { meta_pending_reqs: 200 + growth * index }));
const strained = (now: number, growth: number, more: Partial<StrainEvidence> = {}): StrainEvidence => ({
  now,
  intervals: growing(now, growth),
  rate: 10,
  requestWork: 0.4,
  spread: 1.5,
  headroom: 0.1,
  backlog: growth > 0 ? 50 : 0,
  ready: 4,
  someStarting: false,
  ...more,
});
const steady: Strain = { factor: 1, steadySince: 0, steadyFactor: 1, rate: 10, requestWork: 0.4, ready: 4, at: 990 };

describe('engines are taken for slower than their profiles', () => {
  test('by what they serve while more and more stays in flight', () => {
    // 10 arrive, 2 stay: 8 are served by what was planned for 10.5; and a tenth more.
    expect(strainNow(steady, strained(1000, 20)).factor).toBeCloseTo((1.1 * 10.5) / 8, 6);
  });

  test('once: the lesson goes on while its replicas start, and does not add up', () => {
    const first = strainNow(steady, strained(1000, 20));
    const second = strainNow(first, strained(1010, 20, { someStarting: true }));
    expect(second.factor).toBeCloseTo(first.factor, 3);
  });

  test.each<[string, Partial<StrainEvidence>]>([
    ['nothing waits beyond the normal', { backlog: 0 }],
    ['the rate has risen', { rate: 12 }],
    ['requests have become longer', { requestWork: 0.43 }],
    ['replicas have just got Ready or gone', { ready: 5 }],
    ['what is in flight falls', { intervals: growing(1000, -10) }],
    // Two of 30,000 tokens came at once, and have not ended; seen at 8 req/s, one in a hundred of them that long.
    ['two long prompts hold up all others', { intervals: inFlight(1000, [12, 7, 5, 2, 4, 9, 61]) }],
    ['sizes are so various that as much comes by chance', { spread: 20 }],
  ])('not where %s', (_name, more) => {
    expect(strainNow(steady, strained(1000, 20, more)).factor).toBe(1);
  });

  test('not while replicas start that were asked for before', () => {
    const first = strainNow({ ...steady, steadySince: 960 }, strained(1000, 20, { someStarting: true }));
    expect([first.factor, first.steadySince]).toEqual([1, 1000]);
    expect(strainNow(first, strained(1010, 20)).factor).toBe(1);
  });

  test('half of it is forgotten in six hours, and it is never more than 2', () => {
    const learned = { ...steady, factor: 1.4 };
    expect(strainNow(learned, strained(990 + 6 * 3600, 0)).factor).toBeCloseTo(1.2, 9);
    expect(strainNow({ ...steady, steadyFactor: 1.9 }, strained(1000, 40)).factor).toBe(2);
  });
});
