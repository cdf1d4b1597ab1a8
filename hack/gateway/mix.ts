import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Routing } from '../../src/domain.ts';
import { profileDocument } from '../../src/profiles/profile.ts';
import { engineSpeed, slowed } from '../../src/simulation/engine-speeds.ts';
import { measuredProfile, usualMeasurement } from '../../src/simulation/measure.ts';
import { withinSlo } from '../../src/simulation/slo.ts';
import { parseTrace, type TraceRequest } from '../../src/workload/gateway-records.ts';
import { startAdapterCluster } from './adapter-cluster.ts';
import { type EngineFleet, engineFleet } from './engine-fleet.ts';
import { type Played, percentile, playTrace } from './load.ts';
import { startEngine, startGateway, startRedisServer, startReplay, temporaryFolder } from './processes.ts';

/**
 * What routing by the plan is worth: Azure's conversation trace at its real token sizes, against engines over HTTP. Two GPU
 * types of which the cheap one serves short prompts within the SLO and long ones not: the engine model of an L40S and an H100
 * with a model three times as heavy as Llama 3.1 8B, and prices made up, so that the best answer is a mix by construction.
 *
 *   gateway, by the plan          control plane, HPAs, Redis, `gpumix serve`, `gpumix gateway`: fleet and routing are theirs
 *   round robin, same money       the same pods at the same times, each in turn
 *   round robin, its own fleet    as the first, but `gpumix serve --routing none`: the cheapest fleet for round robin
 *
 *   node hack/gateway/mix.ts [--speed 2] [--warm-up 120] [--seconds 330] [--only-own-fleet]
 */
const { values } = parseArgs({
  options: {
    speed: { type: 'string', default: '2' },
    'warm-up': { type: 'string', default: '120' },
    seconds: { type: 'string', default: '330' },
    'only-own-fleet': { type: 'boolean', default: false },
  },
});
const [speed, warmUp, seconds] = [values.speed, values['warm-up'], values.seconds].map(Number) as [
  number,
  number,
  number,
];
const [model, namespace] = ['heavy', 'serving'];
const slo = { percentile: 99, ttft: 2, tpot: 0.2 };
const slower = 3;
const variants = [
  { name: 'l40s', gpu: 'L40S', price: 0.5 },
  { name: 'h100', gpu: 'H100', price: 4 },
];
const keyOf = (name: string): string => `${namespace}/${name}`;
const gpus = Object.fromEntries(variants.map(({ name, gpu }) => [keyOf(name), gpu]));
const prices = Object.fromEntries(variants.map(({ name, price }) => [keyOf(name), price]));

type Counts = Readonly<Record<string, number>>;
/** Ready replicas from a time on (s since the start). */
interface Seen {
  readonly at: number;
  readonly counts: Counts;
}

const file = join(import.meta.dirname, '../simulate/traces/AzureLLMInferenceTrace_conv.csv');
const trace = parseTrace(readFileSync(file, 'utf8'), file)
  .map((request): TraceRequest => ({ ...request, time: request.time / speed }))
  .filter(({ time }) => time < seconds);
/** Words of one token each, of the engine's tokenizer; the beginning is one more. */
const prompt = (tokens: number): string => 'day '.repeat(Math.max(0, tokens - 1));
const tell = (what: string): void => void process.stderr.write(`${new Date().toISOString()} ${what}\n`);

/** Measured on the engine model, as a benchmark would. */
const writeProfiles = (): string => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, model));
  const grid = { inputTokens: [64, 256, 512, 1024, 2048, 4096, 8192], outputTokens: [16, 64, 256, 1024] };
  for (const { gpu, price } of variants) {
    const measured = measuredProfile(
      slowed(engineSpeed(gpu), slower),
      grid,
      { gpu, cost: price },
      { ...usualMeasurement, slo },
    );
    writeFileSync(join(folder, model, `${gpu}.json`), JSON.stringify({ ...profileDocument(measured), gpuType: gpu }));
  }
  return folder;
};

const startFleet = (): EngineFleet =>
  engineFleet(model, gpus, (gpu) => startEngine('--gpu', gpu, '--faster', String(1 / slower), '--model', model));

/** Plays the trace before the fleet that the HPAs make of the targets of `gpumix serve`. */
const planned = async (
  routing: Routing,
  play: (redisUrl: string, engines: EngineFleet) => Promise<readonly Played[]>,
): Promise<{ readonly played: readonly Played[]; readonly seen: readonly Seen[] }> => {
  const redis = await startRedisServer();
  const engines = startFleet();
  const flags = [`--routing=${routing}`, '--startup-seconds=10'];
  const cluster = await startAdapterCluster(model, namespace, variants, redis.url, writeProfiles(), ...flags);
  const seen: Seen[] = [];
  const start = performance.now();
  const unfollow = cluster.follow(async (counts) => {
    await engines.resize(counts);
    if (JSON.stringify(counts) === JSON.stringify(seen.at(-1)?.counts)) return;
    seen.push({ at: (performance.now() - start) / 1000, counts });
    tell(shown(counts));
  });
  while (engines.origins().length === 0) await sleep(100);
  const played = await play(redis.url, engines);
  await unfollow();
  for (const one of [cluster, engines, redis]) await one.stop();
  return { played, seen };
};

const roundRobin = (engines: EngineFleet): Promise<readonly Played[]> =>
  playTrace(trace, engines.origins, model, prompt);

const throughGateway = async (redisUrl: string, engines: EngineFleet): Promise<readonly Played[]> => {
  const gateway = await startGateway(redisUrl, engines.file, '--finish-seconds', '5');
  const played = await playTrace(trace, () => [gateway.url], model, prompt);
  await gateway.stop();
  return played;
};

/** Nobody counts what goes round robin: the same trace is counted beside it. */
const counted = async (redisUrl: string, engines: EngineFleet): Promise<readonly Played[]> => {
  const replay = startReplay(redisUrl, model, file, '--speed', String(speed), '--seconds-per-token', '0.05');
  const played = await roundRobin(engines);
  await replay.stop();
  return played;
};

/** The same replicas at the same times. */
const again = async (seen: readonly Seen[]): Promise<readonly Played[]> => {
  const engines = startFleet();
  await engines.resize(seen[0]!.counts);
  const start = performance.now();
  const following = (async () => {
    for (const { at, counts } of seen) {
      await sleep(Math.max(0, 1000 * at - (performance.now() - start)));
      await engines.resize(counts);
    }
  })();
  const played = await roundRobin(engines);
  await following;
  await engines.stop();
  return played;
};

/** Money per hour on the average of what is measured. */
const costOf = (seen: readonly Seen[]): number => {
  const spans = seen.map(({ at, counts }, index) => {
    const [from, to] = [Math.max(warmUp, at), Math.min(seconds, seen[index + 1]?.at ?? seconds)];
    const each = Object.entries(counts).reduce((sum, [key, count]) => sum + count * (prices[key] ?? 0), 0);
    return Math.max(0, to - from) * each;
  });
  return spans.reduce((sum, span) => sum + span, 0) / (seconds - warmUp);
};

const shown = (counts: Counts): string =>
  Object.entries(counts)
    .map(([key, count]) => `${count} ${gpus[key]}`)
    .join(' + ');
const atTheEnd = (seen: readonly Seen[]): string => shown(seen.findLast(({ at }) => at < seconds)!.counts);

const row = (name: string, played: readonly Played[], seen: readonly Seen[]): string => {
  const measured = played.filter(({ arrivedAt }) => arrivedAt >= warmUp);
  const within = measured.filter((one) => one.ok && withinSlo(slo, one)).length;
  const first = measured.map(({ firstTokenAt, arrivedAt }) => firstTokenAt - arrivedAt);
  const each = measured.map((one) => (one.doneAt - one.firstTokenAt) / Math.max(1, one.outputTokens - 1));
  return `| ${[
    name,
    atTheEnd(seen),
    costOf(seen).toFixed(2),
    `${((100 * within) / measured.length).toFixed(1)} %`,
    `${percentile(first, 0.5).toFixed(2)} / ${percentile(first, 0.99).toFixed(2)}`,
    `${(1000 * percentile(each, 0.5)).toFixed(0)} / ${(1000 * percentile(each, 0.99)).toFixed(0)}`,
    measured.filter(({ ok }) => !ok).length,
  ].join(' | ')} |`;
};

const rows: string[] = [];
if (!values['only-own-fleet']) {
  const byPlan = await planned('input', throughGateway);
  rows.push(row('gateway, by the plan', byPlan.played, byPlan.seen));
  tell(rows.join('\n'));
  rows.push(row('round robin, same money', await again(byPlan.seen), byPlan.seen));
  tell(rows.join('\n'));
}
const own = await planned('none', counted);
rows.push(row('round robin, its own fleet', own.played, own.seen));
console.log(
  `${trace.length} requests in ${seconds} s (Azure conversation at ${speed} x), the first ${warmUp} s not counted; SLO: TTFT ${slo.ttft} s, TPOT ${slo.tpot} s`,
);
console.log('| router | fleet at the end | $/h | within SLO | TTFT p50 / p99 (s) | TPOT p50 / p99 (ms) | failed |');
console.log('|---|---|---|---|---|---|---|');
console.log(rows.join('\n'));
process.exit();
