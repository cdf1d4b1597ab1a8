import { describe, expect, test } from 'vitest';
import { type Replay, replayRecording } from '../helpers/recorded-gateway.ts';

/** Planned over sent at each tick of a span after the first request (s), both over the same window of two minutes. */
const ratios = ({ ticks, sent, firstAt }: Replay, from: number, to: number): readonly number[] =>
  ticks
    .filter(({ now }) => now >= firstAt + from && now <= firstAt + to)
    .map(({ now, planned }) => (planned ?? 0) / sent(Math.max(firstAt, now - 122), now - 2));

describe.each([
  ['with engines asked', true],
  ['without', false],
])('AIBrix v0.7.0, which counts one arrival in a hundred, %s', (_name, engines) => {
  test('a steady rate is planned for within 5 %', async () => {
    const replay = await replayRecording('v0.7.0-steady', { engines });
    const steady = ratios(replay, 105, 125);
    expect(steady.length).toBeGreaterThan(0);
    for (const ratio of steady) expect(Math.abs(ratio - 1)).toBeLessThan(0.05);
  });

  test('the fault is named', async () => {
    const { ticks } = await replayRecording('v0.7.0-steady', { engines });
    expect(ticks.flatMap(({ problems }) => problems)).toContainEqual(
      expect.stringMatching(/^model chat: its gateway does not count most arrivals/),
    );
    expect(ticks.at(-1)?.report.recordDefect).toMatchObject({ arrivalsMissing: true, counted: 58, ended: 1281 });
  });

  test('after the traffic the model is idle, 240 s after its last record, and stays so', async () => {
    const { ticks } = await replayRecording('v0.7.0-steady', { engines, after: 900 });
    const idleAt = ticks.findIndex(({ report }) => report.state === 'idle');
    const lastRecord = ticks[idleAt]!.report.recordDefect!.lastAt;
    expect(ticks[idleAt]!.now - lastRecord).toBeCloseTo(242.2, 0);
    expect(new Set(ticks.slice(idleAt).map(({ report }) => report.state))).toEqual(new Set(['idle']));
  });
});

test('with neither engines nor the gateway’s pods to be seen, the last plan stands', async () => {
  const { ticks } = await replayRecording('v0.7.0-steady', { engines: false, gatewayPods: false, after: 900 });
  expect(ticks.map(({ report }) => report.state)).not.toContain('idle');
});
