import { expect, test } from 'vitest';
import { caughtUp, forecast, historyWith, type RateHistory } from '../../../src/planner/believe/forecast.ts';

const horizon = 600;
/** Rates seen every 10 s from `from` to `to`. */
const seen = (rate: (at: number) => number, from: number, to: number, history?: RateHistory): RateHistory => {
  let known = history;
  for (let at = from; at <= to; at += 10) known = historyWith(known, at, rate(at), horizon);
  return known!;
};
/** Deterministic noise in [-1, 1]. */
const noise = (at: number): number => 2 * ((Math.sin(at * 12.9898) * 43758.5453) % 1);

test('nothing is believed before it was judged', () => {
  expect(forecast(undefined, 5, horizon)).toEqual({ method: 'as now', rate: 5 });
  const ramp = seen((at) => at / 100, 0, 700);
  expect(forecast(ramp, 7, horizon)).toEqual({ method: 'as now', rate: 7 });
});

test('a ramp is followed ahead', () => {
  const ramp = seen((at) => 2 + at / 200, 0, 3600);
  const { method, rate } = forecast(ramp, 20, horizon);
  expect(method).toBe('trend');
  expect(rate).toBeGreaterThan(22.5);
  expect(rate).toBeLessThan(23.5);
});

test('steady noisy traffic stays as now', () => {
  const steady = seen((at) => 10 + 2 * noise(at), 0, 4 * 3600);
  expect(forecast(steady, 10, horizon)).toEqual({ method: 'as now', rate: 10 });
});

test('a fall is not anticipated', () => {
  const falling = seen((at) => 100 - at / 100, 0, 7200);
  expect(forecast(falling, 28, horizon).rate).toBe(28);
});

test('a step at the same time of each day is seen coming on the third day', () => {
  const day = 86_400;
  const rate = (at: number) => (at % day >= day / 2 && at % day < day / 2 + 7200 ? 30 : 15) + noise(at) / 10;
  const days = seen(rate, 0, 2 * day + day / 2 - 300);
  const { method, rate: ahead } = forecast(days, 15, horizon);
  expect(method).toBe('season');
  expect(ahead).toBeGreaterThan(27);
  expect(ahead).toBeLessThan(33);
});

test('what is late is brought up by its growth, never lowered, and not beyond a limit', () => {
  expect(caughtUp(20, 0.1, 7)).toBeCloseTo(20.7, 12);
  expect([caughtUp(20, -0.1, 7), caughtUp(20, 0.1, 0), caughtUp(1, 10, 60)]).toEqual([20, 20, 3]);
});

test('growth has its limit, and the same moment twice changes nothing', () => {
  const explosive = seen((at) => 1.01 ** (at / 10), 0, 5000);
  expect(forecast(explosive, 10, horizon).rate).toBeLessThanOrEqual(30);
  expect(historyWith(explosive, 5000, 1e9, horizon)).toBe(explosive);
  expect(historyWith(explosive, 4000, 1e9, horizon)).toBe(explosive);
});
