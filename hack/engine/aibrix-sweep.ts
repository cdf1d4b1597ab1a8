import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, request as httpRequest, type Server } from 'node:http';
import { basename, delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { parseResults } from '../../src/benchmark/results.ts';
import { startLlama } from './llama-server.ts';

export interface AibrixSweep {
  readonly server: string;
  readonly model: string;
  readonly port: number;
  readonly folder: string;
  /** Flags of the limits. */
  readonly limits: readonly string[];
  say(line: string): void;
}

/** One size of the grid: a sweep takes its time. */
const size = ['--input-start', '64', '--input-limit', '64', '--output-start', '8', '--output-limit', '8'];

/** AIBrix's own sweep of the same server, and the profile that its own tool makes of it. */
export const aibrixSweep = async ({ server, model, port, folder, limits, say }: AibrixSweep): Promise<void> => {
  say("\n## AIBrix's own sweep of the first, one size\n");
  const venv = process.env['GPUMIX_AIBRIX_VENV'] ?? '';
  if (!existsSync(join(venv, 'bin/aibrix_benchmark')))
    return say('not run: set GPUMIX_AIBRIX_VENV to a virtual environment with aibrix[gpu-optimizer] 0.8.0');
  const name = basename(model, '.gguf');
  const running = await startLlama(server, model, port + 1);
  const between = await booleanStreams(port, port + 1);
  const file = join(folder, 'aibrix.jsonl');
  const env = { ...process.env, PATH: `${join(venv, 'bin')}${delimiter}${process.env['PATH']}` };
  const run = async (tool: string, ...args: readonly string[]): Promise<string> =>
    (await promisify(execFile)(join(venv, 'bin', tool), args, { env, maxBuffer: 1e9 })).stdout;
  try {
    const began = performance.now();
    await run('aibrix_benchmark', '-m', name, '-o', file, ...size, '--rate-start', '1', '--rate-limit', '64');
    const minutes = (performance.now() - began) / 60_000;
    const rates = parseResults(readFileSync(file, 'utf8')).length / 5;
    const counted = await promptTokens(running.url, name, 'hi '.repeat(64));
    say(
      `${minutes.toFixed(1)} min, ${rates} rates. Its prompt of "64 tokens" has ${counted} by the server's count, each time the same.\n`,
    );
    const { tputs } = JSON.parse(await run('aibrix_gen_profile', name, '--benchmark', file, ...limits)) as {
      tputs: number[][];
    };
    say(
      `Its throughput within the SLO, 64 in, 8 out: ${tputs[0]![0]!.toFixed(2)} req/s. Its prompts are read once and then in the server's cache.`,
    );
  } finally {
    between.close();
    between.closeAllConnections();
    await running.stop();
  }
};

const promptTokens = async (url: string, model: string, prompt: string): Promise<number> => {
  const answer = await fetch(`${url}/v1/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, prompt, max_tokens: 1 }),
  });
  return ((await answer.json()) as { usage: { prompt_tokens: number } }).usage.prompt_tokens;
};

/**
 * Passes requests on with `stream: 1` made `true`: AIBrix's client sends the number, which llama.cpp's server refuses, and a
 * refusal is asked again without a pause and without an end.
 */
const booleanStreams = async (from: number, to: number): Promise<Server> => {
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const body = Buffer.concat(pieces)
      .toString()
      .replace(/"stream": ?1\b/, '"stream": true');
    const { method, url: path } = request;
    const headers = { 'content-type': 'application/json' };
    const passed = httpRequest({ host: '127.0.0.1', port: to, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    passed.on('error', () => response.destroy());
    passed.end(body);
  });
  await new Promise<void>((listening) => server.listen(from, '127.0.0.1', listening));
  return server;
};
