import { describe, expect, test } from 'vitest';
import { type Replay, replayRecording } from '../helpers/recorded-gateway.ts';

/** Planned over sent at each tick of a span after the first request (s), both over the same window of two minutes. */
const ratios = ({ ticks, sent, firstAt }: Replay, from: number, to: number): readonly number[] =>
  ticks
    .filter(({ now }) => now >= firstAt + from && now <= firstAt + to)
    .map(({ now, planned }) => (planned ?? 0) / sent(Math.max(firstAt, now - 122), now - 2));

const asked = [
  ['with engines asked', true],
  ['without', false],
] as const;

describe.each(['v0.6.0', 'v0.7.0'])('AIBrix %s, which counts one arrival in a hundred', (release) => {
  test.each(asked)('a steady rate is planned for within 5 %%, %s', async (_name, engines) => {
    const replay = await replayRecording(`${release}-steady`, { engines });
    const steady = ratios(replay, 105, 125);
    expect(steady.length).toBeGreaterThan(1);
    for (const ratio of steady) expect(Math.abs(ratio - 1)).toBeLessThan(0.05);
  });

  test('the fault is named, with what was counted', async () => {
    const { ticks } = await replayRecording(`${release}-steady`);
    expect(ticks.flatMap(({ problems }) => problems)).toContainEqual(
      expect.stringMatching(/^model chat: its gateway does not count most arrivals/),
    );
    const { kind, counted, ended } = ticks.at(-1)!.report.recordDefect!;
    expect([kind, ended > 1200, counted < 0.2 * ended]).toEqual(['arrivals', true, true]);
  });

  test.each(asked)(
    'after the traffic the model is idle, 240 s after its last record, and stays so, %s',
    async (_name, engines) => {
      const { ticks } = await replayRecording(`${release}-steady`, { engines, after: 900 });
      const idleAt = ticks.findIndex(({ report }) => report.state === 'idle');
      const lastRecord = ticks[idleAt]!.report.recordDefect!.lastAt;
      expect(ticks[idleAt]!.now - lastRecord).toBeCloseTo(242.2, 0);
      expect(new Set(ticks.slice(idleAt).map(({ report }) => report.state))).toEqual(new Set(['idle']));
    },
  );
});

test.each(asked)(
  'AIBrix v0.7.0 on a ramp to ten times the rate: no later than a request’s duration, never under half, %s',
  async (_name, engines) => {
    const { ticks, sent, firstAt } = await replayRecording('v0.7.0-ramp', { engines });
    const ramp = ticks.filter(({ now }) => now > firstAt + 60 && now < firstAt + 165);
    expect(ramp.length).toBeGreaterThan(9);
    for (const { now, planned } of ramp) {
      // The mean over the last half minute: what a rate can follow at all. The longest requests take 12 s.
      expect(planned).toBeGreaterThan(0.5 * sent(now - 32, now - 2));
      expect(planned).toBeGreaterThan(0.9 * sent(now - 32 - 12, now - 2 - 12) - 0.5);
    }
  },
);

test('with neither engines nor the gateway’s pods to be seen, the last plan stands', async () => {
  const { ticks } = await replayRecording('v0.7.0-steady', { engines: false, gatewayPods: false, after: 900 });
  expect(ticks.map(({ report }) => report.state)).not.toContain('idle');
});

describe('three replicas of AIBrix’s gateway, of whose records one in three is left', () => {
  test('what the engines count is planned for, within 5 %', async () => {
    const replay = await replayRecording('v0.7.0-three-gateways');
    const steady = ratios(replay, 100, 125);
    for (const ratio of steady) expect(Math.abs(ratio - 1)).toBeLessThan(0.05);
    expect(replay.ticks.at(-1)!.report.recordDefect?.kind).toBe('overwritten');
  });

  test('where engines are not asked, it is said that demand may be three times what is seen', async () => {
    const { ticks } = await replayRecording('v0.7.0-three-gateways', { engines: false });
    expect(ticks.at(-1)!.problems).toContainEqual(expect.stringMatching(/demand may be 3 times what is seen/));
  });
});

test('our own gateway is taken at its word', async () => {
  const replay = await replayRecording('gpumix-steady');
  expect(replay.ticks.every(({ report }) => report.recordDefect === null)).toBe(true);
  for (const ratio of ratios(replay, 120, 130)) expect(Math.abs(ratio - 1)).toBeLessThan(0.05);
});
