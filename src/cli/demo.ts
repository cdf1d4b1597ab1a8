import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { startOpenServer } from '../api/start.ts';
import { planOf } from '../planner/plan/plan-of-snapshot.ts';
import type { TickOutcome } from '../planner/report/tick-outcome.ts';
import { createLogger } from '../runtime/logger.ts';
import { demoTrace } from '../runtime/shipped-files.ts';
import { version } from '../runtime/version.ts';
import { snapshotFor } from '../simulation/capacity.ts';
import { mixtures } from '../simulation/mixtures.ts';
import { type ProfileSet, profileSet } from '../simulation/profile-sets.ts';
import { dayCycle, poisson, superposed, type Traffic, traced } from '../simulation/traffic.ts';
import { GpumixError } from '../vocabulary/errors.ts';
import { type Plan, totalRate } from '../vocabulary/planning-documents.ts';
import { parseTrace } from '../workload/gateway-records.ts';
import { memoryStore } from '../workload/memory-store.ts';
import { type Command, type CommandStreams, choiceOption, portOption, readOptions, valueOption, wholeOption } from './command.ts';
import { type DemoFleet, demoFleet, demoGateway, demoInterval, demoModel, demoNamespace, demoStartup } from './demo-world.ts';
import { wrapped } from './wrap.ts';

/** Time passes this much faster than on the wall. */
const haste = 5;
/** How much traffic there has been before the demo starts (s). */
const history = 300;
/** How often the way to ask and the head of the table are said again (ticks). */
const page = 15;

const wave = { least: 16, most: 24, seconds: 1200 };
const copies = 6;
const traceSeconds = 600;

/** Traffic by name: what is said of it, and its requests. */
export const traffics: Readonly<Record<string, { readonly text: string; readonly make: () => Traffic }>> = {
  wave: {
    text: `made up, ${wave.least} to ${wave.most} requests per second in a wave of ${wave.seconds / 60} minutes, of four sizes`,
    make: () => poisson(dayCycle(wave.least, wave.most, wave.seconds), mixtures['mixed']!, wave.seconds, 1),
  },
  azure: {
    text: `${copies} copies of ten minutes of Azure's conversation trace, ${traceSeconds / copies} s apart`,
    make: () =>
      traced(
        superposed(parseTrace(readFileSync(demoTrace, 'utf8'), 'built-in trace'), copies, traceSeconds / copies, traceSeconds),
        traceSeconds,
      ),
  },
};

const options: Command['options'] = {
  ticks: valueOption('N', 'end after N ticks; without it the demo runs until you press Ctrl-C'),
  json: { type: 'boolean', help: 'print one JSON document {"ticks": [plan, ...]} and nothing else' },
  traffic: choiceOption(Object.keys(traffics), 'KIND', 'wave (made up) or azure (a public trace)', 'wave'),
  port: valueOption('PORT', 'loopback port of the metrics API; 0 = any free port', '0'),
};

export const demoCommand: Command = {
  options,
  examples: ['gpumix demo --ticks 3'],
  run: async (argv, io) => {
    const flags = readOptions(options, argv);
    const ticks = flags['ticks'] === undefined ? Number.POSITIVE_INFINITY : wholeOption('ticks', flags['ticks'], 1);
    const traffic = traffics[String(flags['traffic'])];
    if (traffic === undefined) throw new GpumixError('BAD_USAGE', `--traffic is "${flags['traffic']}", neither wave nor azure`);
    const port = portOption('port', flags['port']);
    const json = flags['json'] === true;
    const world = embeddedWorld(traffic.make());
    const log = createLogger('error');
    const server = await startOpenServer({ board: world.mix.board, version, log, host: '127.0.0.1', port, readyChecks: [] });
    const ask = `curl -s '${server.url}/apis/custom.metrics.k8s.io/v1beta2/namespaces/${demoNamespace}/deployments.apps/*/gpumix_target_replicas'`;
    const say = (text: string): void => {
      if (!json) io.stdout(text);
    };
    say(wrapped(introduction(traffic.text), io.columns ?? 80));
    const plans: Plan[] = [];
    const interrupt = interrupted();
    for (let tick = 1; tick <= ticks && !interrupt.signal.aborted; tick += 1) {
      if (tick > 1 && !(await passed(interrupt.signal))) break;
      const decided = await world.advance();
      if (decided?.plan) plans.push(decided.plan);
      else sayNoPlan(io, world.mix);
      if (tick % page === 1) say(`\nWhile it runs, ask for the targets:\n${ask}\n\n${rows(world, null)[0]}\n`);
      if (decided?.plan) say(`${rows(world, decided)[1]}\n${spentText(world.spent())}\n`);
    }
    interrupt.dispose();
    if (json) io.stdout(`${JSON.stringify({ ticks: plans })}\n`);
    else io.stdout(closing(world, plans.length));
    await server.drain(0);
    return 0;
  },
};

const sayNoPlan = (io: CommandStreams, { board }: DemoFleet): void => {
  const reasons = board.models().map(({ reason }) => reason);
  io.stderr(`gpumix demo: no plan yet: ${reasons.join('; ')}\n`);
};

/** Ctrl-C ends the demo after its tick. */
const interrupted = () => {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  process.once('SIGINT', abort);
  return { signal: controller.signal, dispose: () => void process.off('SIGINT', abort) };
};

/** Until the next tick. @returns whether it has come */
const passed = (signal: AbortSignal): Promise<boolean> =>
  sleep((demoInterval / haste) * 1000, true, { signal }).catch(() => false);

/** What three ways of serving the same traffic have cost so far. */
interface Spent {
  readonly mix: number;
  readonly single: { readonly gpu: string; readonly cost: number };
  readonly fixed: number;
}

type EmbeddedWorld = ReturnType<typeof embeddedWorld>;

/**
 * One traffic, and several fleets that the same planner plans for: all GPU types, each of them alone, and one that
 * stays as it is.
 */
export const embeddedWorld = (traffic: Traffic) => {
  const { variants, profiles } = servingSet();
  const start = Math.floor(Date.now() / 1000 / demoInterval) * demoInterval - history;
  let virtual = start + history;
  const clock = () => virtual + 2;
  const store = memoryStore(clock);
  const gateway = demoGateway(traffic.requests, traffic.seconds, store, start);
  const mix = demoFleet(store, variants, profiles, clock);
  const singles = variants.map((variant) => ({
    gpu: variant.gpu,
    fleet: demoFleet(store, [variant], profiles, clock),
    cost: 0,
  }));
  const fixedRate = peakCost(traffic, { variants, profiles });
  let [mixCost, fixed] = [0, 0];
  return {
    mix,
    variants,
    time: () => virtual,
    spent: (): Spent => ({ mix: mixCost, fixed, single: singles.reduce((best, one) => (one.cost < best.cost ? one : best)) }),
    advance: async (): Promise<TickOutcome | null> => {
      virtual += demoInterval;
      await gateway(virtual);
      const decided = await mix.tick();
      const hours = demoInterval / 3600;
      mixCost += mix.cost() * hours;
      fixed += fixedRate * hours;
      for (const single of singles) {
        await single.fleet.tick();
        single.cost += single.fleet.cost() * hours;
      }
      return decided;
    },
  };
};

/** The engine model's GPUs, as Deployments of the demo's namespace. */
const servingSet = (): Pick<ProfileSet, 'variants' | 'profiles'> => {
  const { variants, profiles } = profileSet('llama-8b');
  const keyOf = (gpu: string): string => `${demoNamespace}/llama-8b-${gpu.toLowerCase()}`;
  return {
    variants: variants.map((variant) => ({ ...variant, key: keyOf(variant.gpu) })),
    profiles: new Map(variants.map(({ key, gpu }) => [keyOf(gpu), profiles.get(key)!])),
  };
};

/** Money per hour of the cheapest mix for the busiest half minute, headroom included. */
const peakCost = (traffic: Traffic, set: Pick<ProfileSet, 'variants' | 'profiles'>): number => {
  const times = Array.from({ length: Math.floor(traffic.seconds / 30) }, (_, index) => 30 * index);
  const costs = times.map((time) => {
    const demand = traffic.demandAt(time).map((row) => ({ ...row, arrivalRate: 1.1 * row.arrivalRate }));
    return planOf(snapshotFor(demand, { ...set, routerKnowledge: 'input' })).cost;
  });
  return Math.max(...costs);
};

const introduction = (traffic: string): string => {
  const { variants } = servingSet();
  return `gpumix demo: ${demoModel} on ${variants.map(({ gpu }) => gpu).join(', ')}

Traffic: ${traffic}.
Prices per hour: ${variants.map(({ gpu, price }) => `${gpu} $${price}`).join(', ')}. The profiles come from the engine model of gpumix simulate, not from hardware.
Embedded: the store, the Deployments and their autoscaler. Everything else is what gpumix serve runs, with its default settings.
One tick is ${demoInterval} s of traffic and takes ${demoInterval / haste} s here. A replica takes ${demoStartup} s to start.

Each tick prints the requests per second that the plan must carry, the replicas of each GPU type and what they cost, the state of the model, and the gap. In the state fresh the records are current. The gap is how much cheaper a plan could be at most; 0 means that none is cheaper.
Below it stands what was spent so far: by the mix, by the GPU type that is cheapest alone, and by a static fleet for the busiest half minute.
`;
};

/** The head of the table, and the row of a tick. */
const rows = ({ mix, variants, time }: EmbeddedWorld, decided: TickOutcome | null): readonly string[] => {
  const gap = decided?.plan?.gap ?? null;
  /** Head, width, cell. */
  const cells: readonly (readonly [string, number, string])[] = [
    ['TIME', 8, new Date(1000 * time()).toISOString().slice(11, 19)],
    ['REQ/S', 5, totalRate(decided?.snapshot?.models[0]?.demand ?? []).toFixed(1)],
    ...variants.map(({ key, gpu }) => [gpu, gpu.length, String(mix.replicas(key))] as const),
    ['$/H', 6, mix.cost().toFixed(2)],
    ['STATE', 7, mix.board.models()[0]?.state ?? ''],
    ['GAP', 5, gap === null ? '-' : `${(100 * gap).toFixed(1)} %`],
  ];
  return [
    cells.map(([head, width]) => head.padStart(width)).join('  '),
    cells.map(([, width, cell]) => cell.padStart(width)).join('  '),
  ];
};

const money = (cost: number): string => `$${cost.toFixed(3)}`;

const spentText = ({ mix, single, fixed }: Spent): string =>
  `  spent so far: mix ${money(mix)}, best single type (${single.gpu}) ${money(single.cost)}, static ${money(fixed)}`;

const closing = ({ spent }: EmbeddedWorld, ticks: number): string => {
  const { mix, single, fixed } = spent();
  const less = (than: number): string => `${Math.round(100 * (1 - mix / than))} %`;
  const minutes = ((ticks * demoInterval) / 60).toFixed(1);
  return ticks === 0
    ? '\nStopped before the first plan.\n'
    : `\nStopped after ${minutes} minutes of traffic. The mix cost ${money(mix)}: ${less(single.cost)} less\nthan ${single.gpu} alone, and ${less(fixed)} less than a static fleet.\n`;
};
