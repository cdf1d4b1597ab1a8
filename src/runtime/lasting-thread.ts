import { Worker } from 'node:worker_threads';

export interface LastingThreadParts {
  /** The file that the thread runs, and what it is given. */
  readonly file: URL;
  readonly workerData: unknown;
  /** Called with each new thread, before it has said anything. */
  onStart(worker: Worker): void;
  /** Why it has ended, and after how many seconds there is another. */
  onEnd(problem: string, pauseSeconds: number): void;
}

export interface LastingThread {
  /** Ends it for good. */
  stop(): Promise<void>;
}

/** First and longest pause before a new thread (s); one that has lived for longer than that is no part of a row of failures. */
const [firstPause, longestPause] = [1, 30];
/** A thread that says nothing for so many seconds is stuck: one that works, or waits, says something every second. */
const longestSilence = 60;

/** A thread that is started again when it dies, or is stuck; the process lives on. */
export const lastingThread = ({ file, workerData, onStart, onEnd }: LastingThreadParts): LastingThread => {
  let worker: Worker;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  const begin = (pause: number): void => {
    const began = performance.now();
    let problem: string | null = null;
    const one = new Worker(file, { workerData });
    worker = one;
    const silence = silenceOf(one, () => {
      problem = `it has said nothing for ${longestSilence} s`;
      void one.terminate();
    });
    one.on('error', (error) => {
      problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
    });
    one.once('exit', (code) => {
      clearInterval(silence);
      if (stopped) return;
      const next = performance.now() - began > longestPause * 1000 ? firstPause : pause;
      onEnd(problem ?? `it has ended with code ${code}`, next);
      timer = setTimeout(() => begin(Math.min(2 * next, longestPause)), next * 1000);
    });
    onStart(one);
  };
  begin(firstPause);
  return {
    stop: async () => {
      stopped = true;
      clearTimeout(timer);
      await worker.terminate();
    },
  };
};

/** Counts beats of our own, so that a process that stood still does not take its thread for stuck. */
const silenceOf = (worker: Worker, onStuck: () => void): NodeJS.Timeout => {
  let beats = 0;
  worker.on('message', () => {
    beats = 0;
  });
  return setInterval(() => {
    beats += 1;
    if (beats === longestSilence) onStuck();
  }, 1000).unref();
};
