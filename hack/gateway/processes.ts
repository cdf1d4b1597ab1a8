import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Redis } from 'ioredis';
import { freePorts } from '../free-ports.ts';

/** Processes that benches and end-to-end tests put around a gateway. Each is stopped by `stop`. */
export interface Started {
  readonly pid: number;
  readonly url: string;
  readonly stop: () => Promise<void>;
  /** Ends it at once, as a crash would. */
  readonly kill: () => Promise<void>;
  /** What it has said lately. */
  readonly said: () => string;
}

const root = join(import.meta.dirname, '../..');

const folders: string[] = [];
/** Gone when the process ends. */
export const temporaryFolder = (): string => {
  if (folders.length === 0)
    process.once('exit', () => {
      for (const folder of folders) rmSync(folder, { recursive: true, force: true });
    });
  const folder = mkdtempSync(join(tmpdir(), 'gpumix-gateway-'));
  folders.push(folder);
  return folder;
};

/** The bundle that users run. */
export const gpumixBundle = (): string => {
  execFileSync(process.execPath, [join(root, 'hack/build.ts'), '--if-stale'], { stdio: 'ignore' });
  return join(root, 'dist/gpumix.js');
};

/** All that is started ends with this process, also where it is told to stop. */
const running = new Set<ChildProcess>();
export const endWithUs = (child: ChildProcess): void => {
  if (running.size === 0) {
    process.once('exit', () => {
      for (const one of running) one.kill('SIGKILL');
    });
    // A program that has its own way to end says so by a listener.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      if (process.listenerCount(signal) === 0) process.once(signal, () => process.exit(1));
  }
  running.add(child);
};

const endings = (child: ChildProcess, ended: Promise<void>): Pick<Started, 'stop' | 'kill'> => {
  endWithUs(child);
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal);
    await ended;
  };
  return { stop: () => end('SIGTERM'), kill: () => end('SIGKILL') };
};

/** A process that is up once `ready` holds of what it has printed. */
const start = async (
  command: readonly string[],
  ready: (line: string) => string | null,
  stream: 'stdout' | 'stderr' = 'stdout',
): Promise<Started> => {
  const [program = '', ...args] = command;
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, MALLOC_ARENA_MAX: '1' },
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  let said = '';
  for (const one of [child.stdout, child.stderr]) one.on('data', (piece) => (said = (said + String(piece)).slice(-20_000)));
  const url = await new Promise<string>((resolve, reject) => {
    createInterface(child[stream]).on('line', (line) => {
      const found = ready(line);
      if (found !== null) resolve(found);
    });
    child.once('exit', () => reject(new Error(`${command.join(' ')} ended: ${said}`)));
    child.once('error', reject);
  });
  return {
    pid: child.pid ?? 0,
    url,
    ...endings(child, ended),
    said: () => said,
  };
};

/** The engine model over HTTP, in a process of its own. */
export const startEngine = (...flags: readonly string[]): Promise<Started> =>
  start([process.execPath, join(root, 'hack/engine/serve.ts'), '--port', '0', ...flags], (line) =>
    line.includes('http://') ? `http://${line.split('http://')[1]!.replace(/\/v1$/, '')}` : null,
  );

/** A pod that answers at once with so many tokens, so many milliseconds apart. */
export const startInstantEngine = (tokens: number, milliseconds: number): Promise<Started> =>
  start([process.execPath, join(import.meta.dirname, 'instant-engine.ts'), String(tokens), String(milliseconds)], (line) => line);

export const startGateway = async (redisUrl: string, endpoints: string, ...flags: readonly string[]) => {
  const [port, adminPort] = (await freePorts(2)) as [number, number];
  const started = await start(
    [
      process.execPath,
      gpumixBundle(),
      'gateway',
      ...['--redis-url', redisUrl, '--endpoints', endpoints, '--bind-address', '127.0.0.1'],
      ...['--port', String(port), '--admin-port', String(adminPort), '--drain-seconds', '0', ...flags],
    ],
    (line) => (line.includes('"msg":"serving"') ? (JSON.parse(line) as { url: string }).url : null),
    'stderr',
  );
  return { ...started, admin: `http://127.0.0.1:${adminPort}` };
};

export const startAdapter = (...flags: readonly string[]): Promise<Started> =>
  start(
    [process.execPath, '--max-semi-space-size=2', gpumixBundle(), 'serve', ...flags],
    (line) => (line.includes('"msg":"serving"') ? (JSON.parse(line) as { url: string }).url : null),
    'stderr',
  );

/** Counts a trace in Redis as a gateway would. */
export const startReplay = (redisUrl: string, model: string, trace: string, ...flags: readonly string[]) => {
  const what = ['replay', '--redis-url', redisUrl, '--model', model, '--trace', trace, ...flags];
  const child = spawn(process.execPath, [gpumixBundle(), ...what], { stdio: 'ignore' });
  return endings(child, new Promise<void>((resolve) => child.once('exit', () => resolve())));
};

/** nginx as a plain reverse proxy before these origins; null where it is not installed. */
export const startNginx = async (origins: readonly string[]): Promise<Started | null> => {
  try {
    execFileSync('nginx', ['-v'], { stdio: 'ignore' });
  } catch {
    return null;
  }
  const [port] = (await freePorts(1)) as [number];
  const folder = temporaryFolder();
  const file = join(folder, 'nginx.conf');
  writeFileSync(
    file,
    `daemon off; master_process off; worker_processes 1; pid ${folder}/pid; error_log stderr;
     events { worker_connections 4096; }
     http {
       access_log off; client_max_body_size 16m;
       client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/f;
       uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
       upstream pods { ${origins.map((origin) => `server ${origin.slice(7)};`).join(' ')} keepalive 256; }
       server {
         listen 127.0.0.1:${port};
         location / { proxy_pass http://pods; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; }
       }
     }`,
  );
  const child = spawn('nginx', ['-c', file, '-p', folder], { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const url = `http://127.0.0.1:${port}`;
  for (let attempt = 0; attempt < 100; attempt += 1) {
    try {
      await fetch(`${url}/health`);
      break;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  return {
    pid: child.pid ?? 0,
    url,
    ...endings(child, ended),
    said: () => '',
  };
};

/** A real redis-server (or valkey-server). */
export const startRedisServer = async (): Promise<Started> => {
  const [port] = (await freePorts(1)) as [number];
  const folder = temporaryFolder();
  const program = ['redis-server', 'valkey-server'].find((name) => {
    try {
      execFileSync(name, ['--version'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  });
  if (program === undefined) throw new Error('neither redis-server nor valkey-server is on PATH');
  const url = `redis://127.0.0.1:${port}`;
  return await start([program, '--port', String(port), '--save', '', '--dir', folder, '--bind', '127.0.0.1'], (line) =>
    line.includes('Ready to accept connections') ? url : null,
  );
};

/** A routing plan that is followed for a day. */
export const writePlan = async (
  redisUrl: string,
  model: string,
  classes: readonly { fromTokens: number; toTokens: number | null; shares: Record<string, number> }[],
  concurrency: Readonly<Record<string, number>> = {},
  limits: { readonly ttftSeconds?: number } = {},
): Promise<void> => {
  const client = new Redis(redisUrl);
  const now = Date.now() / 1000;
  const plan = {
    version: 1,
    model,
    created: now,
    expires: now + 86_400,
    classes,
    ready: {},
    planned: {},
    concurrency,
    ...limits,
  };
  await client.set(`gpumix:plan:${model}`, JSON.stringify(plan));
  client.disconnect();
};

export const endpointsFile = (endpoints: object): string => {
  const file = join(temporaryFolder(), 'endpoints.json');
  writeFileSync(file, JSON.stringify(endpoints));
  return file;
};
