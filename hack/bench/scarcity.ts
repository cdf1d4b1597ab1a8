import { tickWork } from '../../src/planner/plan/work-limit.ts';
import type { Fleet } from '../../src/solver/fleet.ts';
import type { Program } from '../../src/solver/program.ts';
import { defaultOptions, type Outcome, solve } from '../../src/solver/solve.ts';
import { lineTolerance } from '../../src/solver/tolerances.ts';
import { byHighs, overload } from '../../test/solver/highs.ts';
import { benchProgress } from './bench-progress.ts';
import { type PlantedShape, plantedFleet } from './planted-fleets.ts';
import { publish } from './publish.ts';
import { costOf, quantile, significant } from './timing.ts';

interface Family extends PlantedShape {
  readonly fleets: number;
}

const sizes = [
  { models: 6, types: 4, classes: 20, fleets: 72 },
  { models: 12, types: 4, classes: 30, fleets: 50 },
  { models: 20, types: 6, classes: 30, fleets: 30 },
  { models: 50, types: 8, classes: 40, fleets: 14 },
] as const;
const families: readonly Family[] = [
  ...sizes,
  ...sizes.map((size) => ({ ...size, fleets: Math.ceil(size.fleets / 2), priorities: true })),
  ...sizes.map((size) => ({ ...size, fleets: Math.ceil(size.fleets / 2), quota: true })),
  ...sizes.map((size) => ({ ...size, fleets: Math.ceil(size.fleets / 4), budget: true })),
  ...[4, 6, 8, 12].flatMap((types) => [
    { models: 1, types, classes: 40, within: 0.01, fleets: 20 },
    { models: 6, types, classes: 20, within: 0.03, fleets: 12 },
  ]),
];
const cuts = [1, 0.9, 0.7, 0.4];
const grown = [1.05, 1.2];

interface Measured {
  readonly outcome: Outcome;
  readonly gap: number;
  readonly servedGap: number;
  readonly seconds: number;
}

/**
 * Fleets whose stock is known to be just enough, and the same fleets with less of it and with more; each within the work that
 * `serve` gives a plan.
 * @returns 1 where a fleet that could be served is not, or is not any more with more stock
 */
export const scarcity = async (argv: readonly string[]): Promise<number> => {
  const lines = [...head];
  const enough: Measured[] = [];
  const short: Measured[] = [];
  const progress = benchProgress('scarcity');
  const shares = [...cuts, ...grown];
  for (const [index, family] of families.entries()) {
    const fleets = Array.from({ length: argv.includes('--quick') ? Math.ceil(family.fleets / 10) : family.fleets }, (_, i) =>
      plantedFleet(100_000 * (index + 1) + i, family),
    );
    for (const [turn, share] of shares.entries()) {
      const measured = fleets.map(({ fleet }, at) => {
        progress.tell((index + (turn + at / fleets.length) / shares.length) / families.length);
        return measure(scaled(fleet, share));
      });
      (share >= 1 ? enough : short).push(...measured);
      lines.push(line(family, share, measured));
      progress.print(lines.at(-1)!);
    }
  }
  lines.push('', summary(enough, short));
  progress.print(lines.at(-1)!);
  const peers = argv.includes('--quick') ? 2 : 20;
  lines.push('', besideHighs(peers));
  progress.print(lines.at(-1)!);
  if (!argv.includes('--quick')) publish('scarcity', lines.join('\n'));
  return enough.some(({ outcome }) => outcome.status === 'infeasible') ? 1 : 0;
};

const summary = (enough: readonly Measured[], short: readonly Measured[]): string => {
  const full = enough.filter(({ outcome }) => outcome.status !== 'infeasible');
  const close = short.filter(({ servedGap }) => servedGap <= 0.005);
  const seconds = [...enough, ...short].map((one) => one.seconds);
  return [
    `Of ${enough.length} fleets with enough stock ${full.length} are served in full; the gap is`,
    `${significant(
      100 *
        quantile(
          full.map(({ gap }) => gap),
          0.99,
        ),
    )} % at the 99th percentile and`,
    `${significant(100 * Math.max(...full.map(({ gap }) => gap)))} % at the most. Of ${short.length} with less stock`,
    `${close.length} are proven to serve within 0.5 % of the most that can be served; of the others the plan says how much more might be.`,
    `CPU seconds: ${significant(quantile(seconds, 0.99))} at the 99th percentile, ${significant(Math.max(...seconds))} at the most.`,
  ].join(' ');
};

const scaled = (fleet: Fleet, share: number): Fleet => ({ ...fleet, stock: fleet.stock.map((gpus) => Math.floor(gpus * share)) });

const measure = (fleet: Fleet): Measured => {
  const before = process.cpuUsage();
  const outcome = solve(fleet, { ...defaultOptions, workLimit: tickWork });
  const { user, system } = process.cpuUsage(before);
  const cost = costOf(fleet, outcome);
  const all = fleet.models.reduce((sum, { rates }) => sum + rates.reduce((part, rate) => part + rate, 0), 0);
  return {
    outcome,
    seconds: (user + system) / 1e6,
    gap: outcome.bound === null || cost === 0 ? 0 : Math.max(0, (cost - outcome.bound) / cost),
    servedGap: (outcome.servable ?? 0) / all,
  };
};

/** HiGHS for a minute on fleets whose stock is just enough; what it says is held against the loads. */
const besideHighs = (count: number): string => {
  const rows = Array.from({ length: count }, (_, i) => {
    const { fleet } = plantedFleet(9_000_000 + i, sizes[0]);
    const ours = measure(fleet);
    const programs = fleet.models.map(programOf);
    const gpus = fleet.models[0]!.variants.map((variant) => variant.gpus);
    const started = performance.now();
    const peer = byHighs({ programs, stock: fleet.stock, gpus }, 60);
    const seconds = (performance.now() - started) / 1000;
    if (peer === 'stopped' || peer === null) return { seconds, ours, over: null, stopped: peer === 'stopped' };
    const sound = programs.every((program, m) => overload(program, peer.replicas[m]!, peer.shares[m]!) <= 2 * lineTolerance);
    return { seconds, ours, over: sound ? costOf(fleet, ours.outcome) / peer.cost - 1 : null, stopped: false };
  });
  const compared = rows.flatMap(({ over }) => over ?? []);
  const ratio = quantile(
    rows.map(({ seconds, ours }) => seconds / ours.seconds),
    0.5,
  );
  return [
    `HiGHS on ${count} of 6 x 4 x 20 with stock that is just enough: ${rows.filter(({ stopped }) => stopped).length} not within 60 s;`,
    `on the ${compared.length} that it proved, and whose loads its replicas carry, our cost is over its by at most`,
    `${significant(100 * Math.max(0, ...compared))} %; it takes ${significant(ratio)} times as long in the median.`,
  ].join(' ');
};

const programOf = ({ variants, rates, ways }: Fleet['models'][number]): Program => ({
  types: variants.length,
  classes: rates.length,
  loads: ways[0]!.loads,
  prices: Float64Array.from(variants, ({ price }) => price),
  lower: Float64Array.from(variants, ({ lower }) => lower),
  upper: Float64Array.from(variants, ({ upper }) => upper),
});

const head = [
  '| models x types x classes | kind | stock | fleets | served in full | gap p50, p99 | may be served beyond, p50, p99 | CPU s p50, most |',
  '|---|---|---|---|---|---|---|---|',
];

const line = (family: Family, share: number, all: readonly Measured[]): string => {
  const { models, types, classes, within, priorities, quota, budget } = family;
  const kind = [
    within === undefined ? null : `alike within ${100 * within} %`,
    priorities ? 'priorities' : null,
    quota ? 'a quota' : null,
    budget ? 'a budget' : null,
  ].filter((one) => one !== null);
  const full = all.filter(({ outcome }) => outcome.status !== 'infeasible');
  const percents = (values: readonly number[]) =>
    values.length === 0 ? '-' : [0.5, 0.99].map((at) => `${significant(100 * quantile(values, at))} %`).join(', ');
  const short = all.filter(({ outcome }) => outcome.status === 'infeasible').map(({ servedGap }) => servedGap);
  const seconds = all.map((one) => one.seconds);
  return `| ${models} x ${types} x ${classes} | ${kind.join(', ') || '-'} | ${100 * share} % | ${all.length} | ${full.length} | ${percents(full.map(({ gap }) => gap))} | ${percents(short)} | ${significant(quantile(seconds, 0.5))}, ${significant(Math.max(...seconds))} |`;
};
