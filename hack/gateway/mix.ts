import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { planOf } from '../../src/planner/plan.ts';
import { servedByProfile } from '../../src/profiles/served.ts';
import { profileSet } from '../../src/simulation/profile-sets.ts';
import specialists from '../../src/simulation/sets/specialists.json' with { type: 'json' };
import { withinSlo } from '../../src/simulation/slo.ts';
import { bucketIndex, tokensOf } from '../../src/workload/bucket-index.ts';
import { parseTrace, type TraceRequest } from '../../src/workload/gateway-records.ts';
import { startAdapterCluster } from './adapter-cluster.ts';
import { engineFleet } from './engine-fleet.ts';
import { type Played, percentile, playTrace } from './load.ts';
import { startGateway, startRedisServer, temporaryFolder } from './processes.ts';

/**
 * What routing by the plan is worth: Azure's conversation trace at its real token sizes, against engines over HTTP.
 *
 *   gateway       control plane, HPAs, Redis, `gpumix serve`, `gpumix gateway`: the fleet and its routing are theirs
 *   round robin   the fleet that they had for most of the time, every pod in turn
 *   round robin, its own fleet   the cheapest fleet for a router that knows nothing
 *
 *   node hack/gateway/mix.ts [--speed 2] [--warm-up 120] [--seconds 290]
 */
const { values } = parseArgs({
  options: {
    speed: { type: 'string', default: '2' },
    'warm-up': { type: 'string', default: '120' },
    seconds: { type: 'string', default: '290' },
  },
});
const [speed, warmUp, seconds] = [values.speed, values['warm-up'], values.seconds].map(Number) as [
  number,
  number,
  number,
];
const [model, namespace] = ['llama-8b', 'serving'];
const set = profileSet('specialists');
const variants = set.variants.map(({ key, gpu, price }) => ({ name: key.split('/')[1]!, gpu, price }));
const keyOf = (name: string): string => `${namespace}/${name}`;
const gpus = Object.fromEntries(variants.map(({ name, gpu }) => [keyOf(name), gpu]));
const prices = Object.fromEntries(variants.map(({ name, price }) => [keyOf(name), price]));
const costOf = (counts: Readonly<Record<string, number>>): number =>
  Object.entries(counts).reduce((sum, [key, count]) => sum + count * (prices[key] ?? 0), 0);

const file = join(import.meta.dirname, '../../src/cli/demo/azure-conversation-10min.csv');
const trace = parseTrace(readFileSync(file, 'utf8'), file)
  .map((request): TraceRequest => ({ ...request, time: request.time / speed }))
  .filter(({ time }) => time < seconds);
/** Words of one token each, of the engine's tokenizer; the beginning is one more. */
const prompt = (tokens: number): string => 'day '.repeat(Math.max(0, tokens - 1));

const row = (name: string, played: readonly Played[], cost: number, fleet: string): string => {
  const measured = played.filter(({ arrivedAt }) => arrivedAt >= warmUp);
  const within = measured.filter((one) => one.ok && withinSlo(set.slo, one)).length;
  const first = measured.map(({ firstTokenAt, arrivedAt }) => firstTokenAt - arrivedAt);
  const each = measured.map((one) => (one.doneAt - one.firstTokenAt) / Math.max(1, one.outputTokens - 1));
  return `| ${[
    name,
    fleet,
    cost.toFixed(2),
    `${((100 * within) / measured.length).toFixed(1)} %`,
    `${percentile(first, 0.5).toFixed(2)} / ${percentile(first, 0.99).toFixed(2)}`,
    `${(1000 * percentile(each, 0.5)).toFixed(0)} / ${(1000 * percentile(each, 0.99)).toFixed(0)}`,
    measured.filter(({ ok }) => !ok).length,
  ].join(' | ')} |`;
};
const shown = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([key, count]) => `${count} ${gpus[key]}`)
    .join(' + ');
const rows = [
  '| router | fleet, most of the time | $/h | within SLO | TTFT p50 / p99 (s) | TPOT p50 / p99 (ms) | failed |',
  '|---|---|---|---|---|---|---|',
];

/** Pods of kwok start at once, and five minutes are to show what takes half an hour. */
const quick = ['--startup-seconds=10', '--hold-down-seconds=30', '--window-seconds=60', '--shape-window-seconds=120'];
const targets = (log: string): string =>
  log
    .split('\n')
    .filter((line) => /"msg":"(target|state|problem)"/.test(line))
    .join('\n');
const tell = (what: string): void => void process.stderr.write(`${new Date().toISOString()} ${what}\n`);

const withGateway = async (): Promise<Readonly<Record<string, number>>> => {
  const redis = await startRedisServer();
  const profiles = temporaryFolder();
  mkdirSync(join(profiles, model));
  for (const profile of specialists.profiles)
    writeFileSync(join(profiles, model, `${profile.gpuType}.json`), JSON.stringify(profile));
  const engines = engineFleet(model, gpus);
  const cluster = await startAdapterCluster(model, namespace, variants, redis.url, profiles, ...quick);
  tell('the cluster is up; the trace through the gateway');
  const gateway = await startGateway(redis.url, engines.file, '--finish-seconds', '5');
  const seen: { readonly at: number; readonly counts: Readonly<Record<string, number>> }[] = [];
  const start = performance.now();
  const unfollow = cluster.follow(async (counts) => {
    await engines.resize(counts);
    seen.push({ at: (performance.now() - start) / 1000, counts });
  });
  const played = await playTrace(trace, () => [gateway.url], model, prompt);
  const measured = seen.filter(({ at }) => at >= warmUp && at < seconds).map(({ counts }) => counts);
  const usual = mostFrequent(measured);
  tell(`played; for most of the time ${shown(usual)}; the adapter's targets:\n${targets(cluster.adapter.said())}`);
  await unfollow();
  const mean = measured.reduce((sum, counts) => sum + costOf(counts), 0) / measured.length;
  rows.push(row('gateway, by the plan', played, mean, shown(usual)));
  for (const one of [gateway, cluster, engines, redis]) await one.stop();
  return usual;
};

const mostFrequent = (all: readonly Readonly<Record<string, number>>[]): Readonly<Record<string, number>> => {
  const alike = Map.groupBy(all, (counts) => JSON.stringify(counts));
  return [...alike.values()].reduce((most, some) => (some.length > most.length ? some : most))[0]!;
};

const roundRobin = async (name: string, counts: Readonly<Record<string, number>>): Promise<void> => {
  const engines = engineFleet(model, gpus);
  await engines.resize(counts);
  tell(`${name}: ${shown(counts)}`);
  const played = await playTrace(trace, engines.origins, model, prompt);
  rows.push(row(name, played, costOf(counts), shown(counts)));
  await engines.stop();
};

/** The cheapest fleet for these requests behind a router that knows nothing of them, with the headroom of serve. */
const fleetWithoutRouting = (): Readonly<Record<string, number>> => {
  const sizes = Map.groupBy(trace, (one) => `${bucketIndex(one.inputTokens)}:${bucketIndex(one.outputTokens)}`);
  const demand = [...sizes].map(([name, all]) => {
    const [input = 0, output = 0] = name.split(':').map(Number);
    return {
      inputTokens: tokensOf(input, 10),
      outputTokens: tokensOf(output, 10),
      arrivalRate: (1.1 * all.length) / seconds,
    };
  });
  const offered = set.variants.map(({ key, gpu, price }) => ({
    ...{ name: keyOf(key.split('/')[1]!), gpu, gpusPerReplica: 1, price },
    ...{ minReplicas: 0, maxReplicas: null, running: null, ready: null },
    ...servedByProfile(set.profiles.get(key)!, demand),
  }));
  const plan = planOf({
    ...{ now: null, stock: {}, budget: null, routing: 'none' },
    models: [{ name: model, priority: 0, demand, variants: offered, previous: null }],
  });
  return plan.models[0]!.replicas;
};

const planned = await withGateway();
await roundRobin('round robin, same fleet', planned);
await roundRobin('round robin, its own fleet', fleetWithoutRouting());
console.log(
  `${trace.length} requests in ${seconds} s (Azure conversation at ${speed} x), the first ${warmUp} s not counted; SLO: TTFT ${set.slo.ttft} s, TPOT ${set.slo.tpot} s`,
);
console.log(rows.join('\n'));
process.exit();
