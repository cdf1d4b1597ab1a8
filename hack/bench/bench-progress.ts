import { type Progress, progressOn } from '../../src/cli/progress.ts';

/** How far a bench is, and where its results go. */
export interface BenchProgress {
  /** @param share of the whole that is done, 0 to 1 */
  tell(share: number): void;
  /** A line of the result on stdout; what is told of the progress makes way. */
  print(line: string): void;
  end(): void;
}

/** Progress of a bench on stderr, where that is a terminal; elsewhere none. @param what the bench is called */
export const benchProgress = (what: string, progress: Progress = onTerminal()): BenchProgress => ({
  tell: (share) => progress.tell(what, share),
  print: (line) => {
    progress.end();
    process.stdout.write(`${line}\n`);
  },
  end: progress.end,
});

const onTerminal = (): Progress =>
  progressOn({
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
    ...(process.stderr.isTTY ? { errorColumns: process.stderr.columns } : {}),
  });
