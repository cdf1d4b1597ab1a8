import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { builtBinaries, startControlPlane } from './control-plane.ts';

const usage = `A real Kubernetes control plane for tests, on loopback, without containers.
  node hack/cluster/cluster.ts up            start one in the background, print its KUBECONFIG
  node hack/cluster/cluster.ts down          stop it
  node hack/cluster/cluster.ts run -- CMD    start one, run CMD with its KUBECONFIG, stop it, end with CMD's status`;

/** Who keeps the control plane that `up` started, and where it is. */
interface Keeper {
  readonly pid: number;
  readonly kubeconfig: string;
}
const cache = process.env['GPUMIX_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'gpumix');
const stateFile = join(cache, 'cluster.json');
const logFile = join(cache, 'cluster.log');

const keeper = (): Keeper | undefined => {
  if (!existsSync(stateFile)) return undefined;
  const found = JSON.parse(readFileSync(stateFile, 'utf8')) as Keeper;
  return alive(found.pid) ? found : undefined;
};
const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('cluster.ts'); // not another process with its number
  } catch {
    return false;
  }
};
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const stopSignal = () =>
  new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
  });

const up = async (): Promise<number> => {
  let found = keeper();
  if (found === undefined) {
    await builtBinaries(); // here, where its progress can be seen
    mkdirSync(dirname(stateFile), { recursive: true });
    rmSync(stateFile, { force: true });
    const log = openSync(logFile, 'w');
    const child = spawn(process.execPath, [import.meta.filename, 'keep'], {
      detached: true,
      stdio: ['ignore', log, log],
    });
    let ended = false;
    child.once('exit', () => {
      ended = true;
    });
    while (found === undefined && !ended) {
      await pause(100);
      found = keeper();
    }
    child.unref();
  }
  if (found === undefined) throw new Error(`the control plane did not start:\n${readFileSync(logFile, 'utf8')}`);
  console.error(`control plane is up (stop it with: node hack/cluster/cluster.ts down)`);
  console.log(`export KUBECONFIG=${found.kubeconfig}`);
  return 0;
};

/** What `up` leaves running: holds the control plane until it is told to stop. */
const keep = async (): Promise<number> => {
  const stopped = stopSignal();
  const controlPlane = await startControlPlane();
  writeFileSync(`${stateFile}.partial`, JSON.stringify({ pid: process.pid, kubeconfig: controlPlane.kubeconfig }));
  renameSync(`${stateFile}.partial`, stateFile);
  await stopped;
  rmSync(stateFile, { force: true });
  await controlPlane.stop();
  return 0;
};

const down = async (): Promise<number> => {
  const found = keeper();
  if (found === undefined) {
    console.error('no control plane is up');
    return 0;
  }
  process.kill(found.pid, 'SIGTERM');
  while (alive(found.pid)) await pause(100);
  console.error('control plane is down');
  return 0;
};

const run = async (command: readonly string[]): Promise<number> => {
  const [program, ...args] = command;
  if (program === undefined) throw new Error(`run needs a command\n${usage}`);
  const stopped = stopSignal().then(() => 130);
  const controlPlane = await startControlPlane();
  try {
    const child = spawn(program, args, {
      stdio: 'inherit',
      env: { ...process.env, KUBECONFIG: controlPlane.kubeconfig },
    });
    const ended = new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => resolve(code ?? 1));
    });
    const status = await Promise.race([ended, stopped]);
    child.kill('SIGTERM');
    return status;
  } finally {
    await controlPlane.stop();
  }
};

const [command, separator, ...rest] = process.argv.slice(2);
const jobs: Record<string, () => Promise<number>> = { up, down, keep, run: () => run(separator === '--' ? rest : []) };
const job = jobs[command ?? ''];
if (job === undefined) {
  console.error(usage);
  process.exitCode = 2;
} else {
  process.exitCode = await job().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  });
}
