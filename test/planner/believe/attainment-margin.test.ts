import { describe, expect, test } from 'vitest';
import { type MarginHistory, marginNow, noiseMargin, type SeenService } from '../../../src/planner/believe/attainment-margin.ts';

const shares = [0.95, 0.98, 0.99, 0.995];
const steady: SeenService = {
  ...{ at: 0, rate: 10, windowSeconds: 120, spread: 1, backlog: 0, work: 2, foreseen: 2, startupSeconds: 100 },
};
/** So many ticks of ten seconds. @param seen what differs at a tick */
const played = (ticks: number, seen: (tick: number) => Partial<SeenService>, attainment = 0.99) => {
  let history: MarginHistory | undefined;
  let headroom = 0;
  for (let tick = 0; tick < ticks; tick += 1)
    ({ headroom, history } = marginNow(history, { ...steady, at: 10 * tick, ...seen(tick) }, attainment));
  return { headroom, history: history! };
};

describe('what noise asks for', () => {
  test('is a quantile: at 0.98 nine times in ten two counts of 1,200 requests differ by no more', () => {
    // 1.2816 standard deviations of a ratio of two counts.
    expect(noiseMargin(steady, 0.98)).toBeCloseTo(1.2816 * Math.sqrt(2 / 1200), 4);
  });

  test('grows with the share that is asked for', () => {
    const margins = shares.map((share) => noiseMargin(steady, share));
    expect(margins).toEqual(margins.toSorted((a, b) => a - b));
    expect(new Set(margins).size).toBe(4);
    expect(noiseMargin(steady, 0.5)).toBeCloseTo(0, 3);
  });

  test('grows with fewer requests and with sizes that vary', () => {
    expect(noiseMargin({ ...steady, rate: 2.5 }, 0.99)).toBeCloseTo(2 * noiseMargin(steady, 0.99), 9);
    expect(noiseMargin({ ...steady, spread: 4 }, 0.99)).toBeCloseTo(2 * noiseMargin(steady, 0.99), 9);
    expect(marginNow(undefined, { ...steady, rate: 0 }, 0.99).headroom).toBe(0.25);
  });
});

describe('the correction', () => {
  const slowly = (tick: number) => ({ backlog: 5 * tick });

  test('takes the margin away while nothing is missed, sooner the less is asked for, and never below the profiles', () => {
    const hour = (attainment: number) => played(360, () => ({}), attainment).history.correction;
    // One request in a thousand may be missed, for an hour but for the first saying: a margin of 0.01 less.
    expect(hour(0.999)).toBeCloseTo(-0.01 * (350 / 360), 3);
    expect(hour(0.995)).toBeGreaterThan(hour(0.99));
    expect(played(3600, () => ({})).headroom).toBeCloseTo(0, 9);
  });

  test('adds to it while more is missed than may be, up to a quarter', () => {
    // Five of a hundred requests join those that wait.
    const { headroom, history } = played(90, slowly);
    expect(history.correction).toBeCloseTo((10 * 0.04 * (80 * 10)) / 3600, 2);
    expect(headroom).toBeCloseTo(noiseMargin({ ...steady, backlog: 5 * 89 }, 0.99) + history.correction, 9);
    expect(played(3600, slowly).headroom).toBe(0.25);
  });

  test('does not count what is missed while demand is above all that a margin could be, or before anything was foreseen', () => {
    const grown = (tick: number) => ({ ...slowly(tick), foreseen: 2, work: 2.6 });
    expect(played(90, grown).history.correction).toBe(0);
    expect(played(10, slowly).history.correction).toBe(0);
  });

  test('does not count what waits on as missed again', () => {
    expect(played(90, () => ({ backlog: 100 })).history.correction).toBeLessThan(0);
  });

  test('moves once for a time, and for a late tick no more than for a minute', () => {
    const { history } = played(30, () => ({}));
    expect(marginNow(history, { ...steady, at: history.at }, 0.99).history).toBe(history);
    const late = marginNow(history, { ...steady, at: history.at + 5000, backlog: 0 }, 0.99).history;
    expect(late.correction - history.correction).toBeCloseTo((-10 * 0.01 * 60) / 3600, 9);
  });
});
