import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Slo } from '../../src/profiles/profile-document.ts';
import { withinSlo } from '../../src/simulation/slo.ts';
import type { RouterKnowledge } from '../../src/vocabulary/planning-documents.ts';
import type { TraceRequest } from '../../src/workload/gateway-records.ts';
import { benchProgress } from '../bench/bench-progress.ts';
import { startAdapterCluster, type VariantInCluster } from './adapter-cluster.ts';
import { type Engine, type EngineFleet, engineFleet } from './engine-fleet.ts';
import { type Played, percentile, playTrace } from './load.ts';
import { plannedFleet } from './planned-fleet.ts';
import { startGateway, startRedisServer, startReplay, temporaryFolder } from './processes.ts';

export interface Comparison {
  readonly model: string;
  readonly slo: Slo;
  readonly variants: readonly VariantInCluster[];
  /** A folder of profiles, as `gpumix serve` reads it. */
  readonly profiles: string;
  readonly trace: readonly TraceRequest[];
  /** Of the trace; what arrives in the warm-up is not counted (s). */
  readonly seconds: number;
  readonly warmUp: number;
  /** A text of so many tokens. */
  prompt(tokens: number): string;
  startEngine(gpu: string): Promise<Engine>;
  /** Of `gpumix serve`, beside the usual ones. */
  flags?(routing: RouterKnowledge): readonly string[];
}

type Counts = Readonly<Record<string, number>>;
/** Ready replicas from a time on (s since the start). */
interface Seen {
  readonly at: number;
  readonly counts: Counts;
}

const namespace = 'serving';
const tell = (what: string): void => void process.stderr.write(`${new Date().toISOString()} ${what}\n`);

/**
 * What routing by the plan is worth, on a real control plane with its HPAs, Redis, `gpumix serve` and `gpumix gateway`; engines
 * on loopback stand for the pods. Prints a table:
 *
 *   gateway, by the plan          fleet and routing are gpumix's
 *   round robin, same money       the same pods at the same times, each in turn
 *   round robin, its own fleet    as the first, but `gpumix serve --routing none`: the cheapest fleet for round robin
 */
export const compareRouters = async (comparison: Comparison, onlyOwnFleet = false): Promise<void> => {
  const { seconds, warmUp, slo, trace } = comparison;
  const rows: string[] = [];
  const progress = benchProgress('routers');
  const runs = onlyOwnFleet ? 1 : 3;
  let began = performance.now();
  const telling = setInterval(
    () => progress.tell((rows.length + Math.min(1, (performance.now() - began) / 1000 / seconds)) / runs),
    500,
  );
  const add = (name: string, played: readonly Played[], seen: readonly Seen[]): void => {
    rows.push(row(comparison, name, played, seen));
    progress.end();
    tell(rows.at(-1)!);
    began = performance.now();
  };
  if (!onlyOwnFleet) {
    const byPlan = await planned(comparison, 'input', throughGateway);
    add('gateway, by the plan', byPlan.played, byPlan.seen);
    add('round robin, same money', await again(comparison, byPlan.seen), byPlan.seen);
  }
  const own = await planned(comparison, 'none', counted);
  add('round robin, its own fleet', own.played, own.seen);
  clearInterval(telling);
  console.log(
    `${trace.length} requests in ${seconds} s, the first ${warmUp} s not counted; SLO: TTFT ${slo.ttft} s, TPOT ${slo.tpot} s, ${slo.percentile} %`,
  );
  console.log('| router | fleet at the end | $/h | within SLO | TTFT p50 / p99 (s) | TPOT p50 / p99 (ms) | failed |');
  console.log('|---|---|---|---|---|---|---|');
  console.log(rows.join('\n'));
};

const keyOf = ({ name }: VariantInCluster): string => `${namespace}/${name}`;

const startFleet = ({ model, variants, startEngine }: Comparison): EngineFleet =>
  engineFleet(model, Object.fromEntries(variants.map((one) => [keyOf(one), one.gpu])), startEngine);

/**
 * Plays the trace before the fleet that the HPAs make of the targets of `gpumix serve`, from what is planned for all of it
 * on.
 */
const planned = async (
  comparison: Comparison,
  routing: RouterKnowledge,
  play: (comparison: Comparison, redisUrl: string, engines: EngineFleet) => Promise<readonly Played[]>,
): Promise<{ readonly played: readonly Played[]; readonly seen: readonly Seen[] }> => {
  const { model, profiles, trace, seconds } = comparison;
  const first = plannedFleet(model, comparison.variants, profiles, trace, seconds, routing);
  const variants = comparison.variants.map((one, index) => ({ ...one, replicas: first[index]! }));
  const redis = await startRedisServer();
  const engines = startFleet(comparison);
  const flags = [`--routing=${routing}`, '--startup-seconds=10', ...(comparison.flags?.(routing) ?? [])];
  const cluster = await startAdapterCluster(model, namespace, variants, redis.url, profiles, ...flags);
  const seen: Seen[] = [];
  const start = performance.now();
  const unfollow = cluster.follow(async (counts) => {
    await engines.resize(counts);
    if (JSON.stringify(counts) === JSON.stringify(seen.at(-1)?.counts)) return;
    seen.push({ at: (performance.now() - start) / 1000, counts });
    tell(shown(comparison, counts));
  });
  while (engines.origins().length === 0) await sleep(100);
  const played = await play(comparison, redis.url, engines);
  await unfollow();
  for (const one of [cluster, engines, redis]) await one.stop();
  return { played, seen };
};

const roundRobin = ({ trace, model, prompt }: Comparison, engines: EngineFleet): Promise<readonly Played[]> =>
  playTrace(trace, engines.origins, model, prompt);

const throughGateway = async (
  { trace, model, prompt }: Comparison,
  redisUrl: string,
  engines: EngineFleet,
): Promise<readonly Played[]> => {
  const gateway = await startGateway(redisUrl, engines.file, '--finish-seconds', '5');
  const played = await playTrace(trace, () => [gateway.url], model, prompt);
  await gateway.stop();
  return played;
};

/** Nobody counts what goes round robin: the same trace is counted beside it. */
const counted = async (comparison: Comparison, redisUrl: string, engines: EngineFleet): Promise<readonly Played[]> => {
  const file = join(temporaryFolder(), 'trace.csv');
  const lines = comparison.trace.map(
    ({ time, inputTokens, outputTokens }) => `${new Date(1000 * time).toISOString()},${inputTokens},${outputTokens}`,
  );
  writeFileSync(file, ['time,input,output', ...lines].join('\n'));
  const secondsPerToken = (comparison.slo.tpot ?? 0) / 4;
  const replay = startReplay(redisUrl, comparison.model, file, '--seconds-per-token', String(secondsPerToken));
  const played = await roundRobin(comparison, engines);
  await replay.stop();
  return played;
};

/** The same replicas at the same times. */
const again = async (comparison: Comparison, seen: readonly Seen[]): Promise<readonly Played[]> => {
  const engines = startFleet(comparison);
  await engines.resize(seen[0]!.counts);
  const start = performance.now();
  const following = (async () => {
    for (const { at, counts } of seen) {
      await sleep(Math.max(0, 1000 * at - (performance.now() - start)));
      await engines.resize(counts);
    }
  })();
  const played = await roundRobin(comparison, engines);
  await following;
  await engines.stop();
  return played;
};

/** Money per hour on the average of what is measured. */
const costOf = ({ variants, warmUp, seconds }: Comparison, seen: readonly Seen[]): number => {
  const spans = seen.map(({ at, counts }, index) => {
    const [from, to] = [Math.max(warmUp, at), Math.min(seconds, seen[index + 1]?.at ?? seconds)];
    const each = variants.reduce((sum, one) => sum + (counts[keyOf(one)] ?? 0) * one.price, 0);
    return Math.max(0, to - from) * each;
  });
  return spans.reduce((sum, span) => sum + span, 0) / (seconds - warmUp);
};

const shown = ({ variants }: Comparison, counts: Counts): string =>
  variants.map((one) => `${counts[keyOf(one)] ?? 0} ${one.gpu}`).join(' + ');

const row = (comparison: Comparison, name: string, played: readonly Played[], seen: readonly Seen[]): string => {
  const { slo, warmUp, seconds } = comparison;
  const measured = played.filter(({ arrivedAt }) => arrivedAt >= warmUp);
  const within = measured.filter((one) => one.ok && withinSlo(slo, one)).length;
  const answered = measured.filter(({ ok }) => ok);
  const first = answered.map(({ firstTokenAt, arrivedAt }) => firstTokenAt - arrivedAt);
  const each = answered.map((one) => (one.doneAt - one.firstTokenAt) / Math.max(1, one.outputTokens - 1));
  return `| ${[
    name,
    shown(comparison, seen.findLast(({ at }) => at < seconds)!.counts),
    costOf(comparison, seen).toFixed(2),
    `${((100 * within) / measured.length).toFixed(1)} %`,
    `${percentile(first, 0.5).toFixed(2)} / ${percentile(first, 0.99).toFixed(2)}`,
    `${(1000 * percentile(each, 0.5)).toFixed(0)} / ${(1000 * percentile(each, 0.99)).toFixed(0)}`,
    measured.length - answered.length,
  ].join(' | ')} |`;
};
