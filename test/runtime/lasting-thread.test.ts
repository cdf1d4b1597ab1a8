import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Worker } from 'node:worker_threads';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { type LastingThread, lastingThread } from '../../src/runtime/lasting-thread.ts';

const folder = mkdtempSync(join(tmpdir(), 'gpumix-thread-'));
let thread: LastingThread | undefined;
afterEach(async () => {
  vi.useRealTimers();
  await thread?.stop();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Threads that run `code`; what they end by, and each of them as it starts. */
const start = (code: string) => {
  const file = join(folder, 'thread.mjs');
  writeFileSync(file, `import { parentPort, workerData } from 'node:worker_threads';\n${code}`);
  const ends: [problem: string, pauseSeconds: number][] = [];
  const workers: Worker[] = [];
  const messages: unknown[] = [];
  thread = lastingThread({
    file: pathToFileURL(file),
    workerData: 'given',
    onStart: (worker) => {
      workers.push(worker);
      worker.on('message', (message) => messages.push(message));
    },
    onEnd: (problem, pauseSeconds) => void ends.push([problem.split('\n')[0]!, pauseSeconds]),
  });
  return { ends, workers, messages };
};

/** Waits in turns of the event loop: the timers are not those of the clock. */
const until = async (happened: () => boolean): Promise<void> => {
  while (!happened()) await new Promise((done) => setImmediate(done));
};

test('a thread that dies is started again, each time after a longer pause, and is given the same', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const { ends, workers, messages } = start(
    'parentPort.postMessage(workerData); setTimeout(() => { throw new Error("broken"); }, 1);',
  );
  for (const [index, pause] of [1, 2, 4, 8, 16, 30, 30].entries()) {
    await until(() => ends.length === index + 1);
    expect(ends[index]).toEqual(['Error: broken', pause]);
    vi.advanceTimersByTime(1000 * pause - 1);
    expect(workers).toHaveLength(index + 1);
    vi.advanceTimersByTime(1);
    expect(workers).toHaveLength(index + 2);
  }
  expect(new Set(messages)).toEqual(new Set(['given']));
});

test('one that ends by itself is started again too; one that is stopped is not', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const { ends, workers } = start('parentPort.once("message", (code) => process.exit(code));');
  workers[0]!.postMessage(3);
  await until(() => ends.length === 1);
  expect(ends).toEqual([['it has ended with code 3', 1]]);
  await thread!.stop();
  vi.advanceTimersByTime(60_000);
  expect(workers).toHaveLength(1);
});

test('one that says nothing for a minute is stuck: it is ended, and there is another', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
  const { ends, workers, messages } = start('parentPort.once("message", () => { for (;;); });\nparentPort.postMessage("here");');
  await until(() => messages.length === 1);
  workers[0]!.postMessage('hang');
  vi.advanceTimersByTime(59_000);
  expect(ends).toEqual([]);
  vi.advanceTimersByTime(1000);
  await until(() => ends.length === 1);
  expect(ends).toEqual([['it has said nothing for 60 s', 1]]);
});
