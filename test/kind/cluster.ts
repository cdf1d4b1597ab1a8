import { execFile, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { clusterName } from '../../hack/kind/environment.ts';

const root = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'gpumix-kind-'));
/** Our own kubeconfig: whoever runs the tests keeps his. */
const kubeconfig = join(folder, 'kubeconfig');
const environment = { ...process.env, KUBECONFIG: kubeconfig };

export const kubectl = async (args: readonly string[], input?: object): Promise<string> => {
  const running = promisify(execFile)('kubectl', [...args], { env: environment, maxBuffer: 64 << 20 });
  // Who ends before he has read all says why by his status.
  running.child.stdin?.on('error', () => {}).end(input === undefined ? '' : JSON.stringify(input));
  return (await running).stdout;
};
export const field = (path: string, ...args: readonly string[]): Promise<string> =>
  kubectl(['get', ...args, '-o', `jsonpath=${path}`]);

/** Runs a block of the README as a reader would paste it. */
export const shell = (block: string): Promise<string> =>
  new Promise((done, failed) => {
    const child = spawn('bash', ['-euc', block], { cwd: root, env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        output += chunk;
      });
    child.once('close', (status) =>
      status === 0 ? done(output) : failed(new Error(`${block}\nended with ${status}:\n${output.slice(-4000)}`)),
    );
  });

/** Runs a command in the cluster's one node, as root. */
export const inNode = (...command: readonly string[]): string =>
  execFileSync('docker', ['exec', `${clusterName}-control-plane`, ...command], { encoding: 'utf8' });

/** The sh blocks of a section of the README, in order. */
export const readmeBlocks = (heading: string): readonly string[] => {
  const text = readFileSync(join(root, 'README.md'), 'utf8');
  const [, section = ''] = text.split(`\n## ${heading}\n`);
  const end = section.indexOf('\n## ');
  return [...section.slice(0, end).matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = '']) => block);
};

/** Polls until `look` answers what is expected; says what it saw last when it does not. */
export const eventually = async <Value>(
  what: string,
  look: () => Promise<Value>,
  holds: (value: Value) => boolean,
  seconds: number,
): Promise<Value> => {
  let last: unknown;
  for (const deadline = Date.now() + seconds * 1000; ; await sleep(500)) {
    try {
      const value = await look();
      if (holds(value)) return value;
      last = value;
    } catch (error) {
      last = (error as Error).message;
    }
    if (Date.now() > deadline) throw new Error(`${what}: not within ${seconds} s, last ${JSON.stringify(last)}`);
  }
};

/** Answers that were no 200, and when (ms since the first read). */
export interface Reads {
  readonly count: number;
  readonly failures: readonly { readonly at: number; readonly what: string }[];
}

/** Reads a path through kube-apiserver, so many times a second, until `work` is done. */
export const readingMeanwhile = async (path: string, perSecond: number, work: () => Promise<unknown>): Promise<Reads> => {
  const config = parse(readFileSync(kubeconfig, 'utf8'));
  const bytes = (base64: string) => Buffer.from(base64, 'base64');
  const { server, 'certificate-authority-data': ca } = config.clusters[0].cluster;
  const { 'client-certificate-data': cert, 'client-key-data': key } = config.users[0].user;
  const agent = new Agent({ keepAlive: true, maxSockets: 16, ca: bytes(ca), cert: bytes(cert), key: bytes(key) });
  const failures: { at: number; what: string }[] = [];
  const read = (at: number): Promise<void> =>
    new Promise((done) => {
      const fail = (what: string) => {
        failures.push({ at, what });
        done();
      };
      const sent = request(server + path, { agent, timeout: 10_000 }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk) => chunks.push(chunk)).on('error', (error) => fail(error.message));
        response.on('end', () =>
          response.statusCode === 200 ? done() : fail(`${response.statusCode} ${Buffer.concat(chunks)}`),
        );
      });
      sent.on('timeout', () => sent.destroy(new Error('no answer within 10 s')));
      sent.on('error', (error) => fail(error.message)).end();
    });
  const started = Date.now();
  const pending: Promise<void>[] = [];
  const timer = setInterval(() => pending.push(read(Date.now() - started)), 1000 / perSecond);
  try {
    await work();
    await sleep(3000);
  } finally {
    clearInterval(timer);
    await Promise.all(pending);
    agent.destroy();
  }
  return { count: pending.length, failures };
};

/** Logs, events and descriptions, for whoever has to find out why; returns the folder. */
export const keepArtefacts = async (): Promise<string> => {
  const artefacts = join(folder, 'artefacts');
  mkdirSync(artefacts, { recursive: true });
  const asked: Record<string, readonly string[]> = {
    'objects.txt': ['get', 'all,lease,hpa', '-A', '-o', 'wide'],
    'events.txt': ['get', 'events', '-A', '--sort-by=.lastTimestamp'],
    'describe.txt': ['describe', 'pods,deployments,hpa', '-n', 'serving'],
    'describe-gpumix.txt': ['describe', 'pods', '-n', 'gpumix-system'],
    'gpumix.log': ['logs', '-n', 'gpumix-system', '-l', 'app.kubernetes.io/name=gpumix', '--prefix', '--tail=-1'],
    'gpumix-before.log': ['logs', '-n', 'gpumix-system', '-l', 'app.kubernetes.io/name=gpumix', '--prefix', '--previous'],
    'apiservices.txt': ['get', 'apiservices', '-o', 'yaml'],
  };
  for (const [file, args] of Object.entries(asked)) {
    const text = await kubectl(args).catch((error: Error) => error.message);
    writeFileSync(join(artefacts, file), text);
  }
  return artefacts;
};
