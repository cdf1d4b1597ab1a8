import type { Profile } from '../../src/profiles/profile-document.ts';
import { servedByProfile } from '../../src/profiles/served-demand.ts';
import type { SimulatedVariant } from '../../src/simulation/replicas.ts';
import type { Traffic } from '../../src/simulation/traffic.ts';
import type { DemandRow } from '../../src/vocabulary/planning-documents.ts';

export interface ClairvoyantInput {
  readonly traffic: Traffic;
  readonly variants: readonly SimulatedVariant[];
  readonly profiles: ReadonlyMap<string, Profile>;
  /** A replica that is not wanted any more stays this long (s). */
  readonly holdDownSeconds: number;
  readonly stepSeconds: number;
}

/**
 * A lower bound on the cost of any path of replicas that carries the true demand at every step: nobody who knew the future
 * could pay less, with a router that knows all sizes.
 *
 * Dynamic program over all mixes. A mix costs price x time; a replica more also its startup time, as it is paid before it is
 * Ready; a replica less also the hold-down time. A dip that is shorter than both together is then better filled, which is
 * what the two times mean. These costs of change add up over the types, so the best predecessor is found one type at a
 * time, by a pass up and a pass down. No startup is paid before the beginning, no hold-down after the end.
 *
 * Whether a mix n carries demand λ is asked of its dual: for all prices π of a replica's work,
 * Σ_c λ_c min_g π_g / μ_gc <= Σ_g π_g n_g. The prices are those of a grid, so a few mixes that fall short by less than the
 * grid shows are let through: the bound stays a lower one.
 */
export const clairvoyantBound = (input: ClairvoyantInput): number => clairvoyantPath(input).cost;

/** Money of the cheapest path, and its replicas by variant at each step. */
export interface ClairvoyantPath {
  readonly cost: number;
  readonly mixes: readonly (readonly number[])[];
}

export const clairvoyantPath = (input: ClairvoyantInput): ClairvoyantPath => {
  const { traffic, variants, stepSeconds, holdDownSeconds } = input;
  const prices = variants.map(({ price }) => price / 3600);
  const steps = Array.from({ length: Math.ceil(traffic.seconds / stepSeconds) }, (_, index) => index * stepSeconds);
  const directions = directionsOf(variants.length);
  const needs = steps.map((time) => needsOf(traffic.demandAt(time), input, directions));
  const sizes = variants.map((_, g) => 1 + Math.max(...needs.map((need) => alone(need, directions, g))));
  const strides = sizes.map((_, g) => sizes.slice(g + 1).reduce((product, size) => product * size, 1));
  const states = sizes.reduce((product, size) => product * size, 1);
  let value: Float64Array = new Float64Array(states);
  const stages: Stage[] = [];
  for (const [index, time] of steps.entries()) {
    const up = prices.map((price, g) => (index === 0 ? 0 : price * Math.min(time, variants[g]!.startupSeconds)));
    const down = prices.map((price) => (index === 0 ? 0 : price * Math.min(traffic.seconds - time, holdDownSeconds)));
    for (const [g, size] of sizes.entries()) changed(value, size, strides[g]!, up[g]!, down[g]!);
    const length = Math.min(stepSeconds, traffic.seconds - time);
    value = carried(value, sizes, directions, needs[index]!, prices, length);
    // A copy: the changes before the next step are written into the value itself.
    stages.push({ value: value.slice(), up, down });
  }
  return { cost: value[leastOf(value)]!, mixes: tracedBack(stages, sizes) };
};

/** The least cost up to and with one step, by mix, and what a change of one replica before it costs, by type. */
interface Stage {
  readonly value: Float64Array;
  readonly up: readonly number[];
  readonly down: readonly number[];
}

const leastOf = (value: Float64Array): number => value.reduce((best, cost, index) => (cost < value[best]! ? index : best), 0);

/** The mixes that led to the least cost, from the last step to the first. */
const tracedBack = (stages: readonly Stage[], sizes: readonly number[]): readonly (readonly number[])[] => {
  const mixes: (readonly number[])[] = [countsOf(leastOf(stages.at(-1)!.value), sizes)];
  for (let index = stages.length - 1; index > 0; index -= 1) {
    const { up, down } = stages[index]!;
    const after = mixes[0]!;
    const total = stages[index - 1]!.value.map((cost, state) => {
      if (cost === Number.POSITIVE_INFINITY) return cost;
      const before = countsOf(state, sizes);
      return after.reduce(
        (sum, count, g) => sum + up[g]! * Math.max(0, count - before[g]!) + down[g]! * Math.max(0, before[g]! - count),
        cost,
      );
    });
    mixes.unshift(countsOf(leastOf(total), sizes));
  }
  return mixes;
};

/** Prices of a replica's work, one row per direction: ratios to the first type's on a geometric grid. */
const directionsOf = (types: number): readonly (readonly number[])[] => {
  const [most, points] = [30, types > 3 ? 13 : 41];
  const ratios = Array.from({ length: points }, (_, k) => most ** ((2 * k) / (points - 1) - 1));
  let rows: number[][] = [[1]];
  for (let g = 1; g < types; g += 1) rows = rows.flatMap((row) => ratios.map((ratio) => [...row, ratio]));
  return rows;
};

/** What all the demand is worth at each direction's prices. */
const needsOf = (
  demand: readonly DemandRow[],
  { variants, profiles }: ClairvoyantInput,
  directions: readonly (readonly number[])[],
): Float64Array => {
  const served = variants.map(({ key }) => servedByProfile(profiles.get(key)!, demand));
  const rows = demand.map(({ arrivalRate }, row) => {
    // As the planner has it: what nobody serves within the SLO is charged where it is extrapolated.
    const within = served.some(({ throughput }) => throughput[row]! > 0);
    return served.map(({ throughput, throughputBeyondSlo }) => arrivalRate / (within ? throughput : throughputBeyondSlo)[row]!);
  });
  return Float64Array.from(directions, (direction) => {
    let worth = 0;
    for (const loads of rows) {
      let least = Number.POSITIVE_INFINITY;
      for (let g = 0; g < loads.length; g += 1) least = Math.min(least, direction[g]! * loads[g]!);
      if (least < Number.POSITIVE_INFINITY) worth += least;
    }
    return worth;
  });
};

/** Replicas of one type that are never too few. */
const alone = (need: Float64Array, directions: readonly (readonly number[])[], g: number): number =>
  Math.ceil(directions.reduce((most, direction, k) => Math.max(most, need[k]! / direction[g]!), 0));

/** Best predecessor along one type, in place. */
const changed = (value: Float64Array, size: number, stride: number, up: number, down: number): void => {
  for (let block = 0; block < value.length; block += size * stride)
    for (let offset = block; offset < block + stride; offset += 1) {
      for (let n = 1; n < size; n += 1) {
        const at = offset + n * stride;
        value[at] = Math.min(value[at]!, value[at - stride]! + up);
      }
      for (let n = size - 2; n >= 0; n -= 1) {
        const at = offset + n * stride;
        value[at] = Math.min(value[at]!, value[at + stride]! + down);
      }
    }
};

/** Adds what a step costs; a mix that does not carry the demand is out. */
const carried = (
  value: Float64Array,
  sizes: readonly number[],
  directions: readonly (readonly number[])[],
  need: Float64Array,
  prices: readonly number[],
  seconds: number,
): Float64Array => {
  const [first, ...others] = sizes as [number, ...number[]];
  const stride = others.reduce((product, size) => product * size, 1);
  const result = new Float64Array(value.length).fill(Number.POSITIVE_INFINITY);
  for (let rest = 0; rest < stride; rest += 1) {
    const counts = countsOf(rest, others);
    let least = 0;
    for (const [k, direction] of directions.entries()) {
      let left = need[k]!;
      for (let g = 1; g < direction.length; g += 1) left -= direction[g]! * counts[g - 1]!;
      if (left > least) least = left;
    }
    const cost = counts.reduce((sum, count, g) => sum + count * prices[g + 1]!, 0);
    for (let n = Math.max(0, Math.ceil(least - 1e-9)); n < first; n += 1) {
      const at = n * stride + rest;
      result[at] = value[at]! + seconds * (cost + n * prices[0]!);
    }
  }
  return result;
};

const countsOf = (index: number, sizes: readonly number[]): readonly number[] => {
  const counts: number[] = [];
  for (let g = sizes.length - 1, left = index; g >= 0; g -= 1) {
    counts.unshift(left % sizes[g]!);
    left = Math.floor(left / sizes[g]!);
  }
  return counts;
};
