/**
 * What the order of service is worth after too much: two real engines, llama.cpp's server on the CPU with one model, behind
 * `gpumix gateway`. What they carry is measured. Then requests come by chance: a part of that, twice as many as they carry
 * for 30 seconds, and a part again. First come, first served (`--serve-late 1`) and the default order take turns.
 *
 *   node hack/gateway/overload.ts --server .../llama-server --model one.gguf [--rounds 3]
 *
 * Four minutes a round, on two cores with nothing beside. Flags or GPUMIX_LLAMA_SERVER and GPUMIX_LLAMA_MODELS (the first one).
 * Exit 3 where something is missing.
 */
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { seeded } from '../../src/vocabulary/random.ts';
import { startLlama } from '../engine/llama-server.ts';
import { promptsFor } from '../engine/prompts.ts';
import { freePorts } from '../free-ports.ts';
import { type Played, percentile, playTrace } from './load.ts';
import { endpointsFile, startGateway, startRedisServer, writePlan } from './processes.ts';

const { values } = parseArgs({
  options: {
    server: { type: 'string', default: process.env['GPUMIX_LLAMA_SERVER'] ?? '' },
    model: { type: 'string', default: process.env['GPUMIX_LLAMA_MODELS']?.split(',')[0] ?? '' },
    rounds: { type: 'string', default: '3' },
  },
});
const missing = [values.server, values.model].find((path) => !existsSync(path));
if (missing !== undefined) {
  console.log(`real engines: not run: ${missing || 'set GPUMIX_LLAMA_SERVER and GPUMIX_LLAMA_MODELS'}`);
  process.exit(3);
}

const model = 'm';
const deployment = 'serving/m';
const size = { inputTokens: 128, outputTokens: 16 };
/** Seconds, and requests over what the engines carry. */
const phases = [
  { seconds: 15, part: 0.6 },
  { seconds: 30, part: 2 },
  { seconds: 75, part: 0.6 },
];
/** Requests that each engine has in flight at most, and a limit on TTFT that a request meets easily where nothing waits. */
const [concurrency, unloadedTimes] = [4, 8];

const redis = await startRedisServer();
const engines = await Promise.all((await freePorts(2)).map((port) => startLlama(values.server, values.model, port)));
const prompt = await promptsFor(engines[0]!.url, model);
const endpoints = endpointsFile({ [model]: { [deployment]: engines.map(({ url }) => url) } });

const play = async (serveLate: number, trace: readonly { readonly time: number }[]): Promise<readonly Played[]> => {
  const gateway = await startGateway(redis.url, endpoints, `--serve-late=${serveLate}`, '--overflow=1', '--finish-seconds=5');
  const sized = trace.map(({ time }) => ({ time, ...size }));
  const played = await playTrace(sized, () => [gateway.url], model, prompt);
  await gateway.stop();
  return played;
};
const waits = (played: readonly Played[]): readonly number[] =>
  played.map(({ ok, firstTokenAt, arrivedAt }) => (ok ? firstTokenAt - arrivedAt : Number.POSITIVE_INFINITY));
const planFor = (ttftSeconds: number): Promise<void> =>
  writePlan(
    redis.url,
    model,
    [{ fromTokens: 0, toTokens: null, shares: { [deployment]: 1 } }],
    { [deployment]: concurrency },
    { ttftSeconds },
  );

await planFor(60);
/** One after the other, and then more at once than are in flight: seconds to the first token, and requests/s. */
const alone = percentile(
  waits(
    await play(
      1,
      Array.from({ length: 20 }, (_, index) => ({ time: index })),
    ),
  ),
  0.5,
);
const many = await play(
  1,
  Array.from({ length: 200 }, () => ({ time: 0 })),
);
const carried = many.length / Math.max(...many.map(({ doneAt }) => doneAt));
const ttft = Math.max(0.5, unloadedTimes * alone);
await planFor(ttft);

/** Arrivals by chance. */
const arrivals = (seed: number): readonly { readonly time: number }[] => {
  const random = seeded(seed);
  const times: { time: number }[] = [];
  let from = 0;
  for (const { seconds, part } of phases) {
    for (let at = from; ; ) {
      at -= Math.log(1 - random()) / (part * carried);
      if (at >= from + seconds) break;
      times.push({ time: at });
    }
    from += seconds;
  }
  return times;
};

const shown = (name: string, seen: readonly number[]): string =>
  `| ${[
    name,
    `${((100 * seen.filter((wait) => wait <= ttft).length) / seen.length).toFixed(1)} %`,
    ...[0.5, 0.99, 1].map((share) => percentile(seen, share).toFixed(2)),
    seen.filter((wait) => wait === Number.POSITIVE_INFINITY).length,
  ].join(' | ')} |`;

const orders = { 'first come, first served': 1, 'who can still be in time first': 0.1 };
console.log(
  `two engines carry ${carried.toFixed(1)} req/s of ${size.inputTokens} + ${size.outputTokens} tokens; alone ${alone.toFixed(2)} s to the first token; the limit is ${ttft.toFixed(2)} s`,
);
console.log('| order | within TTFT | p50 (s) | p99 (s) | longest (s) | failed |\n|---|---|---|---|---|---|');
const all = new Map<string, number[]>(Object.keys(orders).map((name) => [name, []]));
for (let round = 0; round < Number(values.rounds); round += 1)
  for (const [name, serveLate] of Object.entries(orders)) {
    const seen = waits(await play(serveLate, arrivals(round + 1)));
    all.get(name)!.push(...seen);
    console.log(shown(`${name}, round ${round + 1}`, seen));
  }
for (const [name, seen] of all) console.log(shown(`${name}, all`, seen));
for (const engine of engines) await engine.stop();
await redis.stop();
process.exit();
