import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { everySecond } from '../../src/runtime/every-second.ts';

afterEach(() => vi.useRealTimers());

test('fault: a clock that steps back an hour, or ahead, stops no beat', async () => {
  let beats = 0;
  const stop = everySecond(() => {
    beats += 1;
  });
  await vi.waitFor(() => expect(beats).toBeGreaterThan(0), 5000);
  for (const step of [-3_600_000, 3_600_000]) {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + step });
    const clock = setInterval(() => vi.setSystemTime(Date.now() + 100), 100);
    const before = beats;
    await vi.waitFor(() => expect(beats).toBeGreaterThan(before + 2), { timeout: 12_000, interval: 100 });
    clearInterval(clock);
    vi.useRealTimers();
  }
  stop();
  const ended = beats;
  await sleep(1500);
  expect(beats).toBe(ended);
});
