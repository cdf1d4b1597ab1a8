/**
 * The clients that people have, against `gpumix gateway` before two engines that have every call; writes docs/gateway-clients.md.
 *
 *   npm run hack -- hack/gateway/clients/clients.ts
 *
 * The clients of OpenAI and Anthropic for Node and Python are installed into ~/.cache/gpumix/clients, from npm and PyPI.
 */
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { exchangeRaw, scriptedPod, startTestGateway } from '../../../test/helpers/gateway.ts';
import { answerAsEngine } from './engine.ts';

const cache = join(homedir(), '.cache/gpumix/clients');
const run = promisify(execFile);

/** Whoever makes calls: how to list them, and how to make one. */
interface Caller {
  readonly name: string;
  readonly calls: readonly string[];
  readonly make: (call: string, url: string) => Promise<string>;
}

const program = async (name: string, command: string, ...before: readonly string[]): Promise<Caller> => {
  const call = async (...args: readonly string[]): Promise<string> => {
    const { stdout } = await run(command, [...before, ...args], { cwd: cache, timeout: 60_000 });
    return stdout.trim();
  };
  return { name, calls: JSON.parse(await call('--list')) as string[], make: call };
};

const nodeClients = async (): Promise<Caller> => {
  const there = join(cache, 'node_modules/@anthropic-ai/sdk/package.json');
  if (!existsSync(there))
    execFileSync('npm', ['install', '--no-audit', '--no-fund', '--prefix', cache, 'openai', '@anthropic-ai/sdk']);
  const version = (name: string): string =>
    JSON.parse(readFileSync(join(cache, 'node_modules', name, 'package.json'), 'utf8')).version;
  const name = `npm openai ${version('openai')}, @anthropic-ai/sdk ${version('@anthropic-ai/sdk')}`;
  return await program(name, process.execPath, join(import.meta.dirname, 'node-calls.mjs'));
};

const pythonClients = async (): Promise<Caller> => {
  const python = join(cache, 'python/bin/python');
  if (!existsSync(python)) {
    execFileSync('python3', ['-m', 'venv', join(cache, 'python')]);
    execFileSync(python, ['-m', 'pip', 'install', '--quiet', 'openai', 'anthropic']);
  }
  const versions = execFileSync(python, ['-c', 'import openai, anthropic; print(openai.__version__, anthropic.__version__)'], {
    encoding: 'utf8',
  });
  const [openai, anthropic] = versions.trim().split(' ');
  return await program(`PyPI openai ${openai}, anthropic ${anthropic}`, python, join(import.meta.dirname, 'python_calls.py'));
};

/** What has no client of its own. */
const plainHttp = (): Caller => {
  const body = '{"model":"m","prompt":"hello"}';
  const head = `Host: g\r\nContent-Length: ${body.length}\r\n`;
  const post = async (url: string, path: string, more: object): Promise<string> =>
    `${(await fetch(url + path, { method: 'POST', body: JSON.stringify({ model: 'm', ...more }) })).status}`;
  const calls: Readonly<Record<string, (url: string) => Promise<string>>> = {
    'HTTP/1.0': async (url) => (await exchangeRaw(url, `POST /v1/completions HTTP/1.0\r\n${head}\r\n${body}`)).slice(9, 12),
    'Expect: 100-continue': async (url) =>
      (await exchangeRaw(url, `POST /v1/completions HTTP/1.1\r\n${head}Expect: 100-continue\r\n\r\n${body}`))
        .replaceAll(/HTTP\/1.1 (\d+)[\s\S]*?(?=HTTP\/1|$)/g, '$1 ')
        .trim(),
    'POST /v1/rerank': (url) => post(url, '/v1/rerank', { query: 'a', documents: ['b'] }),
    'POST /v1/score': (url) => post(url, '/v1/score', { text_1: 'a', text_2: ['b'] }),
    'POST /tokenize': (url) => post(url, '/tokenize', { prompt: 'hello' }),
    'GET /health': async (url) => `${(await fetch(`${url}/health`)).status}`,
    'OPTIONS /v1/chat/completions': async (url) => `${(await fetch(`${url}/v1/chat/completions`, { method: 'OPTIONS' })).status}`,
    'gzip body': async (url) =>
      `${(await fetch(`${url}/v1/completions`, { method: 'POST', headers: { 'content-encoding': 'gzip' }, body })).status}`,
  };
  return { name: 'plain HTTP', calls: Object.keys(calls), make: (call, url) => calls[call]!(url) };
};

const plan = (): Parameters<typeof startTestGateway>[1] => ({
  version: 1,
  model: 'm',
  created: 0,
  expires: Number.MAX_SAFE_INTEGER,
  classes: [{ fromTokens: 0, toTokens: null, shares: { 'ns/a': 1 } }],
  ready: { 'ns/a': 1, 'ns/b': 1 },
  planned: { 'ns/a': 1, 'ns/b': 1 },
});

const main = async (): Promise<void> => {
  const [a, b] = [await scriptedPod(answerAsEngine), await scriptedPod(answerAsEngine)];
  const gateway = await startTestGateway({}, plan());
  gateway.set({ 'ns/a': [a], 'ns/b': [b] });
  /** Requests by how their pod was chosen. */
  const routed = async (): Promise<ReadonlyMap<string, number>> => {
    const counts = new Map<string, number>();
    for (const [, why, count] of (await gateway.metrics.registry.metrics()).matchAll(
      /requests_total\{.*chosen_by="([^"]+)".*\} (\d+)/g,
    ))
      counts.set(why!, (counts.get(why!) ?? 0) + Number(count));
    return counts;
  };
  const rows: string[][] = [];
  for (const caller of [await nodeClients(), await pythonClients(), plainHttp()])
    for (const call of caller.calls) {
      const before = await routed();
      const answer = await caller
        .make(call, gateway.url)
        .catch((error: Error) => `FAILED: ${error.message.split('\n').slice(0, 6).join(' ')}`);
      if (answer.startsWith('FAILED')) process.exitCode = 1;
      const { meta_total_reqs: arrivals = 0, ...fields } = gateway.fields();
      const sizes = Object.entries(fields).flatMap(([name, count]) => (name.startsWith('meta_') ? [] : [`${count} x ${name}`]));
      const by = [...(await routed())].flatMap(([why, count]) =>
        count > (before.get(why) ?? 0) ? [`${count - (before.get(why) ?? 0)} by ${why}`] : [],
      );
      rows.push([
        caller.name,
        call,
        answer,
        `${arrivals}${sizes.length === 0 ? '' : `: ${sizes.join(', ')}`}`,
        by.join(', ') || 'no pod',
      ]);
    }
  await Promise.all([a.close(), b.close(), gateway.close()]);
  mkdirSync(join(import.meta.dirname, '../../../docs'), { recursive: true });
  writeFileSync(join(import.meta.dirname, '../../../docs/gateway-clients.md'), page(rows));
  console.log(`${rows.length} calls, ${rows.filter(([, , answer]) => answer!.startsWith('FAILED')).length} failed`);
};

const page = (rows: readonly (readonly string[])[]): string =>
  [
    '# Clients of the gateway',
    '',
    'Written by `npm run hack -- hack/gateway/clients/clients.ts`: each call against `gpumix gateway` before two engines that answer `hello`, of 100',
    'tokens in and 7 out. Streams that a client did not ask for counts show none (`null`). Sizes are buckets as in records; a request of',
    'unknown size is in none and goes where there is least to do (`no plan`).',
    '',
    '| client | call | client sees | arrivals and sizes in the record | routed |',
    '|---|---|---|---|---|',
    ...rows.map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`),
    '',
  ].join('\n');

await main();
