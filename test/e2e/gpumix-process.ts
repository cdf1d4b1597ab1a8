import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Plan } from '../../src/vocabulary/planning-documents.ts';

const root = join(import.meta.dirname, '../..');

/** Builds dist/ if it is older than its sources; the processes run what users run. */
export const build = (): void =>
  void execFileSync(process.execPath, [join(root, 'hack/build.ts'), '--if-stale'], { stdio: 'inherit' });

export interface Running {
  readonly process: ChildProcess;
  readonly output: () => string;
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
  /** Asks it to end, as the kubelet does, and waits until it has. */
  terminate(): Promise<void>;
}

export const dist = join(root, 'dist');

const started: { readonly command: string; readonly output: () => string }[] = [];

/** What the processes of this test file said last: a test that fails shows it, as what it waited for says little. */
export const lastWords = (): string =>
  started.map(({ command, output }) => `gpumix ${command} said last:\n${output().slice(-lastCharacters)}`).join('\n');
const lastCharacters = 6000;

/**
 * Starts `gpumix ARGUMENTS` from the bundle, as the Dockerfile does.
 * @param command what takes the arguments, in place of Node with the bundle in dist/
 */
export const gpumix = (
  args: readonly string[],
  command: readonly string[] = [process.execPath, '--max-semi-space-size=2', join(dist, 'gpumix.js')],
  options: Pick<SpawnOptions, 'cwd' | 'uid' | 'gid'> = {},
): Running => {
  const [program = '', ...before] = command;
  const child = spawn(program, [...before, ...args], {
    ...options,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], MALLOC_ARENA_MAX: '1' },
  });
  const ended = new Promise<void>((done) => child.once('exit', () => done()));
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      output += chunk;
    });
  // A replay prints all that it writes.
  if (args[0] !== 'replay') started.push({ command: args[0] ?? '', output: () => output });
  return {
    process: child,
    output: () => output,
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
    terminate: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
};

/** The flags of `serve` on this host: whom to ask, where to listen, whose certificate to make. */
export const serveFlags = (kubeconfig: string, redisUrl: string, port: number): readonly string[] => [
  `--kubeconfig=${kubeconfig}`,
  `--redis-url=${redisUrl}`,
  '--bind-address=127.0.0.1',
  `--secure-port=${port}`,
  '--service-namespace=gpumix-system',
];

/** `gpumix plan --snapshot FILE --json` of a saved snapshot. */
export const planAgain = (snapshot: string): Plan => {
  const text = execFileSync(process.execPath, [join(root, 'dist/gpumix.js'), 'plan', '--snapshot', snapshot, '--json'], {
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });
  return JSON.parse(text) as Plan;
};

/** The plans that `serve --snapshots` saved, oldest first. */
export const savedPlans = (folder: string): readonly { readonly at: number; readonly plan: Plan; readonly snapshot: string }[] =>
  readdirSync(folder)
    .filter((name) => /^[^.].*\.snapshot\.json$/.test(name))
    .sort()
    .map((name) => {
      const time = name.replace('.snapshot.json', '').replace(/T(\d\d)-(\d\d)-/, 'T$1:$2:');
      return {
        at: Date.parse(time) / 1000,
        plan: JSON.parse(readFileSync(join(folder, name.replace('.snapshot.', '.plan.')), 'utf8')) as Plan,
        snapshot: join(folder, name),
      };
    });

/** A kubeconfig that carries a ServiceAccount's token in place of the administrator's certificate, and needs no other file. */
export const kubeconfigWithToken = (administrator: string, token: string, file: string): void => {
  const document = parse(readFileSync(administrator, 'utf8'));
  for (const { cluster } of document.clusters) {
    const authority = cluster['certificate-authority'];
    if (authority === undefined) continue;
    cluster['certificate-authority-data'] = readFileSync(authority, 'base64');
    delete cluster['certificate-authority'];
  }
  document.users = document.users.map(({ name }: { name: string }) => ({ name, user: { token } }));
  writeFileSync(file, JSON.stringify(document));
};

/** A trace of `rate` requests per second of one size for `seconds`, evenly spaced. */
export const steadyTrace = (file: string, rate: number, seconds: number): string => {
  const rows = Array.from({ length: Math.floor(rate * seconds) }, (_, index) => {
    const time = new Date(Date.UTC(2026, 0, 1) + (index / rate) * 1000).toISOString().replace('T', ' ').replace('Z', '');
    return `${time},1024,128`;
  });
  writeFileSync(file, ['TIMESTAMP,ContextTokens,GeneratedTokens', ...rows, ''].join('\n'));
  return file;
};
