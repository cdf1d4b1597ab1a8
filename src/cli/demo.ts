import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { startOpenServer } from '../api/start.ts';
import type { ModelDeployment } from '../cluster/variant.ts';
import { historySeconds, readConfig } from '../config/serve-config.ts';
import { priceTable } from '../planner/believe/candidates.ts';
import { standInCluster } from '../planner/cluster-stand-in.ts';
import { planOf } from '../planner/plan/plan-of-snapshot.ts';
import { type Board, createBoard } from '../planner/publish/board.ts';
import type { TickOutcome } from '../planner/publish/tick-outcome.ts';
import { createTicker } from '../planner/tick.ts';
import { profileSources } from '../profiles/sources.ts';
import { createLogger } from '../runtime/logger.ts';
import { demoTrace, shippedProfiles } from '../runtime/shipped-files.ts';
import { version } from '../runtime/version.ts';
import { type Model, type Plan, type Snapshot, totalRate } from '../vocabulary/planning-documents.ts';
import { gatewayCounter, parseTrace } from '../workload/gateway-records.ts';
import { recordKey } from '../workload/histogram.ts';
import { memoryStore } from '../workload/memory-store.ts';
import { workloadReader } from '../workload/reader.ts';
import { heartbeatsKey, type Store } from '../workload/store.ts';
import { type Command, numberOption, portOption, readOptions, valueOption, wholeOption } from './command.ts';
import { columns } from './table.ts';
import { wrapped } from './wrap.ts';

const options: Command['options'] = {
  ticks: valueOption('N', 'end after so many ticks; without it the demo goes on until it is stopped'),
  json: { type: 'boolean', help: 'print one JSON document {"ticks": [plan, ...]} and nothing else' },
  speed: valueOption('X', 'play the trace X times as fast: X times the rate', '8'),
  port: valueOption('PORT', 'loopback port of the metrics API; 0 = any free one', '0'),
};

const model = 'llama-3.1-8b';
const namespace = 'serving';
const gpus = ['L4', 'L40S', 'A100-80', 'H100'];
const interval = 10;
/** Time passes this much faster than on the wall. */
const haste = 5;
/** How much of the trace has been played before the demo starts (s). */
const history = 120;

/** What the demo prints of each tick. */
interface Tick {
  readonly plan: Plan;
  readonly snapshot: Snapshot;
  readonly ageSeconds: number;
  readonly bestSingle: { readonly gpu: string; readonly cost: number } | null;
}

export const demoCommand: Command = {
  options,
  examples: ['gpumix demo --ticks 3'],
  run: async (argv, io) => {
    const given = readOptions(options, argv);
    const ticks = given['ticks'] === undefined ? Number.POSITIVE_INFINITY : wholeOption('ticks', given['ticks'], 1);
    const speed = numberOption('speed', given['speed'], 0.1);
    const port = portOption('port', given['port']);
    const json = given['json'] === true;
    const world = embeddedWorld(speed);
    const server = await startOpenServer({
      board: world.board,
      version,
      log: createLogger('error'),
      host: '127.0.0.1',
      port,
      readyChecks: [],
    });
    const ask = `curl -s '${server.url}/apis/custom.metrics.k8s.io/v1beta2/namespaces/${namespace}/deployments.apps/*/gpumix_target_replicas'`;
    if (!json) io.stdout(`${wrapped(introduction(speed), io.columns)}ask: ${ask}\n`);
    const plans: Plan[] = [];
    for (let tick = 1; tick <= ticks; tick += 1) {
      if (tick > 1) await sleep((interval / haste) * 1000);
      await world.advance();
      const now = world.lastTick();
      if (now === null)
        io.stderr(
          `gpumix demo: no plan yet: ${world.board
            .models()
            .map(({ reason }) => reason)
            .join('; ')}\n`,
        );
      else plans.push(now.plan);
      if (now !== null && !json) io.stdout(tickTable(now, world.board));
    }
    if (json) io.stdout(`${JSON.stringify({ ticks: plans })}\n`);
    else io.stdout(`\nask while it runs: ${ask}\n`);
    await server.drain(0);
    return 0;
  },
};

/** A store in memory that a replayed trace is written to, four Deployments that do what their target says, and the real rest. */
const embeddedWorld = (speed: number) => {
  const began = Date.now() / 1000;
  const start = Math.floor(began / interval) * interval - history;
  let virtual = start + history;
  const clock = () => virtual + 2;
  const store = memoryStore(clock);
  const trace = parseTrace(readFileSync(demoTrace, 'utf8'), 'built-in trace');
  const gateway = playedTrace(trace, speed, store, start);
  const deployments = new Map(gpus.map((gpu) => [`${namespace}/${nameOf(gpu)}`, deploymentOf(gpu)]));
  const board = createBoard(deployments, new Map(), 300, clock);
  const config = readConfig(['--routing', 'size'], {});
  const reader = workloadReader(store, { ...config, historySeconds: historySeconds(config), instance: 'demo' });
  const profiles = profileSources(null, shippedProfiles);
  let last: Tick | null = null;
  const loop = createTicker({
    cluster: standInCluster(deployments, new Map()),
    readWorkload: (names) => reader.read(names),
    readProfiles: (wanted, now) => profiles(wanted, now),
    makePlan: (snapshot) => planOf(snapshot, () => performance.now()),
    board,
    // Each plan is shown as it is, and followed at once.
    settings: {
      ...config,
      holdDownSeconds: 0,
      switchSavings: 0,
      growAtOnce: 1e9,
      prices: priceTable({}),
      keepSnapshot: true,
    },
    clock,
    onTick: (decided) => {
      last = tickOf(decided, clock());
      follow(deployments, board);
    },
  });
  return {
    board,
    lastTick: (): Tick | null => last,
    advance: async () => {
      virtual += interval;
      await gateway(virtual);
      await loop.tick();
    },
  };
};

/** Writes the records of a trace that is played over and over; returns how to write what is due. */
const playedTrace = (trace: ReturnType<typeof parseTrace>, speed: number, store: Store, start: number) => {
  const length = (trace.at(-1)?.time ?? 0) + 1;
  const again = () => gatewayCounter(trace, interval, 0.02, speed);
  let [counter, began, written] = [again(), start, start];
  return async (until: number): Promise<void> => {
    for (; written + interval <= until; written += interval) {
      if (written - began >= length / speed) [counter, began] = [again(), written];
      const record = counter.recordUntil(written + interval - began);
      if (record !== null) await store.write(recordKey(model, written + interval), record, 600);
      await store.writeField(heartbeatsKey('gpumix:'), 'demo', String(written + interval));
    }
  };
};

const nameOf = (gpu: string): string => `${model.replaceAll('.', '-')}-${gpu.toLowerCase()}`;

const deploymentOf = (gpu: string): ModelDeployment => ({
  namespace,
  name: nameOf(gpu),
  uid: gpu,
  labels: { 'model.aibrix.ai/name': model },
  model,
  aliases: [],
  priority: 0,
  idleReplicas: 0,
  replicas: 0,
  gpu,
  gpusPerReplica: 1,
  price: null,
  pin: null,
  paused: false,
  router: null,
  confirmedProfile: null,
  podsRefused: null,
  problem: null,
  note: null,
});

/** Plays the autoscaler: every Deployment gets its target. */
const follow = (deployments: Map<string, ModelDeployment>, board: Board): void => {
  for (const [key, deployment] of deployments) {
    const decision = board.target(deployment.namespace, deployment.name)?.decision;
    if (decision !== undefined && 'replicas' in decision) deployments.set(key, { ...deployment, replicas: decision.replicas });
  }
};

const tickOf = ({ plan, snapshot, models }: TickOutcome, now: number): Tick | null =>
  plan === null || snapshot === null
    ? null
    : { plan, snapshot, ageSeconds: now - (models[0]?.dataAt ?? now), bestSingle: bestSingleType(plan, snapshot) };

/** The cheapest plan that uses one GPU type and serves as much within the SLO. */
const bestSingleType = (plan: Plan, snapshot: Snapshot): Tick['bestSingle'] => {
  const [only] = snapshot.models as [Model];
  const beyond = plan.models[0]?.beyondSlo.length ?? 0;
  const singles = only.variants.flatMap((variant) => {
    const single = planOf({ ...snapshot, models: [{ ...only, variants: [variant] }] });
    const serves = single.status === 'optimal' && (single.models[0]?.beyondSlo.length ?? 0) <= beyond;
    return serves ? [{ gpu: variant.gpu, cost: single.cost }] : [];
  });
  return singles.reduce<Tick['bestSingle']>((best, one) => (best === null || one.cost < best.cost ? one : best), null);
};

const introduction = (speed: number): string => `gpumix demo: ${model} on ${gpus.join(', ')}
Azure's conversation trace, ${speed} times as fast; one tick is ${interval} s of it, played in ${interval / haste} s.
Embedded: the store, the Deployments and their autoscaler. Everything else is what gpumix serve runs.
`;

const tickTable = ({ plan, snapshot, ageSeconds, bestSingle }: Tick, board: Board): string => {
  const [only] = snapshot.models as [Model];
  const rate = totalRate(only.demand);
  const replicas = plan.models[0]?.replicas ?? {};
  const rows = only.variants
    .toSorted((a, b) => a.price - b.price)
    .map(({ name, gpu, price }) => [model, gpu, String(replicas[name] ?? 0), ((replicas[name] ?? 0) * price).toFixed(2)]);
  const gap = plan.gap === null ? '-' : `${(plan.gap * 100).toFixed(2)} %`;
  const state = board.models()[0]?.state ?? '';
  const saving =
    bestSingle === null
      ? 'no single GPU type serves it within the SLO'
      : `best single type: ${bestSingle.gpu} $${bestSingle.cost.toFixed(2)}/h; the mix saves ${((1 - plan.cost / bestSingle.cost) * 100).toFixed(0)} %`;
  return [
    '',
    `${snapshot.now?.slice(11, 19)}  ${rate.toFixed(1)} req/s (headroom included)  ${state}`,
    ...columns([['MODEL', 'GPU', 'REPLICAS', '$/H'], ...rows], 2).map((line) => `  ${line}`),
    `${plan.status} $${plan.cost.toFixed(2)}/h  gap ${gap}  age ${ageSeconds.toFixed(0)} s  solved in ${plan.solve.milliseconds.toFixed(1)} ms`,
    `  ${saving}`,
    '',
  ].join('\n');
};
