import { type ChildProcess, spawn } from 'node:child_process';
import { openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A process that runs until it is stopped. */
export interface Daemon {
  readonly name: string;
  /** What it printed. */
  readonly log: string;
  readonly ended: () => boolean;
  /** Ends it and everything it started; resolves when it is gone. */
  readonly stop: () => Promise<void>;
}

/**
 * Waits for the command or for the end of its own standard input, whichever comes first. The starter holds the other
 * end of that pipe, so that the command ends with the starter even if the starter is killed with -9.
 */
const guard =
  'exec 3<&0; "$@" 3<&- </dev/null & command=$!; { cat <&3 >/dev/null; kill -TERM $command; sleep 5; kill -KILL $command; } & wait $command';

/** Starts a command in a process group of its own, its output in `<folder>/<name>.log`. */
export const startDaemon = (folder: string, name: string, command: string, args: readonly string[]): Daemon => {
  const log = join(folder, `${name}.log`);
  const output = openSync(log, 'a');
  const child = spawn('sh', ['-c', guard, 'sh', command, ...args], {
    detached: true,
    stdio: ['pipe', output, output],
    cwd: folder,
  });
  child.stdin?.on('error', () => {}); // the command ended before us: `ended` says so
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const ended = () => child.exitCode !== null || child.signalCode !== null;
  const stop = async () => {
    const patience = setTimeout(() => signalGroup(child, 'SIGKILL'), 10_000);
    signalGroup(child, 'SIGTERM');
    await gone;
    signalGroup(child, 'SIGKILL'); // what is left of the group once its leader is gone
    clearTimeout(patience);
  };
  return { name, log, ended, stop };
};

const signalGroup = (child: ChildProcess, signal: NodeJS.Signals): void => {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // all of the group is gone already
  }
};

/** Asks `question` until it answers true; throws with the daemon's last lines when it died or time is up. */
export const waitUntil = async (what: string, question: () => Promise<boolean>, daemon?: Daemon, seconds = 60): Promise<void> => {
  const deadline = Date.now() + seconds * 1000;
  while (!(await question().catch(() => false))) {
    if (daemon?.ended() || Date.now() > deadline) {
      const tail = daemon === undefined ? '' : `\n${readFileSync(daemon.log, 'utf8').split('\n').slice(-15).join('\n')}`;
      throw new Error(`${what}: ${daemon?.ended() ? `${daemon.name} ended` : `not within ${seconds} s`}${tail}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
};
