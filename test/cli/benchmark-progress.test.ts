import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { benchmarkProgress } from '../../src/cli/benchmark-progress.ts';

const size = { inputTokens: 64, outputTokens: 4 };
const watched = (errorColumns?: number) => {
  const said: string[] = [];
  const io = {
    stdout: () => {},
    stderr: (text: string) => void said.push(text),
    ...(errorColumns === undefined ? {} : { errorColumns }),
  };
  return { said, progress: benchmarkProgress(io, { sizes: 2, seconds: 600, rateLimit: 64 }, () => Date.now()) };
};

beforeEach(() => void vi.useFakeTimers({ now: 0 }));
afterEach(() => void vi.useRealTimers());

test('between two rates a terminal sees what is measured, and what is left shrinks; a pipe sees neither', () => {
  const [{ said, progress }, piped] = [watched(80), watched()];
  for (const one of [progress, piped.progress]) one.tell({ kind: 'begins', size, rate: 8 });
  vi.advanceTimersByTime(2500);
  expect(said).toEqual([]);
  vi.advanceTimersByTime(9500);
  expect(said.at(-1)).toBe('\r\u001b[K64 in, 4 out at 8 req/s, 12 s; 0 of 2 sizes, at most 10 min left');
  for (const one of [progress, piped.progress])
    one.tell({ kind: 'size', size, served: 8, refused: null, done: 1, of: 2, secondsLeft: 80 });
  expect(said.slice(-2)).toEqual(['\r\u001b[K', 'gpumix benchmark: 64 in, 4 out: 8 req/s; 1 of 2 sizes, about 80 s left\n']);
  vi.advanceTimersByTime(30_000);
  expect(said.at(-1)).toBe('\r\u001b[Kthe next size, 30 s; 1 of 2 sizes, about 50 s left');
  progress.end();
  const told = said.length;
  vi.advanceTimersByTime(5000);
  expect([said.length, said.at(-1)]).toEqual([told, '\r\u001b[K']);
  expect(piped.said).toEqual(['gpumix benchmark: 64 in, 4 out: 8 req/s; 1 of 2 sizes, about 80 s left\n']);
  piped.progress.end();
});
