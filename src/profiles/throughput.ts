import { element } from '../vocabulary/list-element.ts';
import type { Profile } from './profile-document.ts';

/**
 * Throughput of a profile at any request size, from its grid.
 *
 * What is interpolated is the work of a request, 1/μ (replica-seconds), bilinearly in log work over log input and log
 * output tokens: no value between ticks lies outside those of the four ticks around it.
 *
 * - A tick that is never within the SLO tells no work of its own. It is given that of the nearest servable tick, in
 *   proportion to total tokens if it is larger, so that the work between the two is defined.
 * - Whether a size is within the SLO is what its nearest tick says: between a servable and an unservable tick the border
 *   is their geometric mean.
 * - Below the grid the edge's work holds. Above it, up to four times its edge, the work goes on with the slope of the last two
 *   ticks, and grows at least in proportion to total tokens. Farther out the slopes of both axes would multiply without end:
 *   there the work grows from its value at four times the edge in proportion to tokens, along the axis that is farther out alone.
 */
export interface Throughput {
  /** μ (req/s); 0 = not within the SLO at this size. */
  readonly throughput: number;
  /** Mean end-to-end time at that throughput (s); NaN where unknown. */
  readonly e2eSeconds: number;
  /** Whether the size lies outside the profile's grid. */
  readonly extrapolated: boolean;
}

export const throughputAt = (profile: Profile, inputTokens: number, outputTokens: number): Throughput => {
  return {
    throughput: isServable(profile, inputTokens, outputTokens) ? beyondSloThroughput(profile, inputTokens, outputTokens) : 0,
    e2eSeconds: e2eSecondsAt(profile, inputTokens, outputTokens),
    extrapolated: isExtrapolated(profile, inputTokens, outputTokens),
  };
};

/** Whether a size is within the SLO. */
export const isServable = (
  { inputTokens: inputs, outputTokens: outputs, throughput }: Profile,
  input: number,
  output: number,
): boolean => throughput[nearestGridPoint(inputs, input) * outputs.length + nearestGridPoint(outputs, output)]! > 0;

/** Mean end-to-end time at the throughput of that size (s); NaN where unknown. */
export const e2eSecondsAt = (profile: Profile, inputTokens: number, outputTokens: number): number =>
  profile.e2eSeconds === null ? Number.NaN : timeAt(profile, profile.e2eSeconds, inputTokens, outputTokens);

/** A time of the grid (s, input x output) at any size, bilinearly in logs; NaN where it is not known around there. */
export const timeAt = (profile: Profile, seconds: readonly number[], inputTokens: number, outputTokens: number): number => {
  const [inputs, outputs] = [axisOf(profile.inputTokens), axisOf(profile.outputTokens)];
  const [input, output] = [coordinate(inputs, inputTokens), coordinate(outputs, outputTokens)];
  return Math.exp(bilinear(logs(seconds), inputs, outputs, within(inputs, input), within(outputs, output)));
};

/** Whether a size lies outside the profile's grid. */
export const isExtrapolated = (profile: Profile, inputTokens: number, outputTokens: number): boolean =>
  isOutside(profile.inputTokens, inputTokens) || isOutside(profile.outputTokens, outputTokens);

/**
 * Throughput that demand beyond the SLO is charged at (req/s): the same surface without its border. 0 only where the
 * whole profile is 0.
 */
export const beyondSloThroughput = (profile: Profile, inputTokens: number, outputTokens: number): number =>
  element(beyondSloThroughputs(profile, [{ inputTokens, outputTokens }]), 0);

/**
 * The same of many sizes at once. Each tick asks it of every size of every model: what lies within the grid is interpolated in one
 * loop without calls, as a number that a function gives back is an object of its own.
 */
export const beyondSloThroughputs = (profile: Profile, sizes: readonly RequestSize[]): readonly number[] => {
  const surface = logWorks(profile);
  const rates = new Array<number>(sizes.length).fill(0);
  if (surface === null) return rates;
  const [inputs, outputs] = [axisOf(profile.inputTokens), axisOf(profile.outputTokens)];
  const width = outputs.ticks.length;
  for (let index = 0; index < sizes.length; index += 1) {
    const { inputTokens, outputTokens } = sizes[index]!;
    if (!isBetweenTicks(inputs, inputTokens) || !isBetweenTicks(outputs, outputTokens)) {
      rates[index] = atAnySize(surface, inputs, outputs, sizes[index]!);
      continue;
    }
    const i = tickBelow(inputs, inputTokens);
    const o = tickBelow(outputs, outputTokens);
    const right = (Math.log(inputTokens) - inputs.logs[i]!) / (inputs.logs[i + 1]! - inputs.logs[i]!);
    const up = (Math.log(outputTokens) - outputs.logs[o]!) / (outputs.logs[o + 1]! - outputs.logs[o]!);
    const at = i * width + o;
    const low = (1 - up) * surface[at]! + up * surface[at + 1]!;
    const high = (1 - up) * surface[at + width]! + up * surface[at + width + 1]!;
    rates[index] = Math.exp(-((1 - right) * low + right * high));
  }
  return rates;
};

/** Whether a size lies between two ticks of an axis. */
const isBetweenTicks = ({ ticks }: Axis, tokens: number): boolean =>
  ticks.length > 1 && tokens >= atLeastOne(ticks[0]!) && tokens <= ticks[ticks.length - 1]!;

/** Index of the last tick that is not above a size, but for the last one of all. */
const tickBelow = ({ ticks }: Axis, tokens: number): number => {
  let lower = 0;
  while (lower + 2 < ticks.length && tokens >= ticks[lower + 1]!) lower += 1;
  return lower;
};

const atAnySize = (surface: Float64Array, inputs: Axis, outputs: Axis, { inputTokens, outputTokens }: RequestSize): number => {
  const near = nearGrid(surface, inputs, outputs, Math.min(inputTokens, inputs.reach), Math.min(outputTokens, outputs.reach));
  return near / Math.max(1, inputTokens / inputs.reach, outputTokens / outputs.reach);
};

interface RequestSize {
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** So far beyond an edge its slope is believed. */
const believedReach = 4;

const nearGrid = (surface: Float64Array, inputs: Axis, outputs: Axis, inputTokens: number, outputTokens: number): number => {
  const input = coordinate(inputs, inputTokens);
  const output = coordinate(outputs, outputTokens);
  const edge = bilinear(surface, inputs, outputs, within(inputs, input), within(outputs, output));
  if (!isOutside(inputs.ticks, inputTokens) && !isOutside(outputs.ticks, outputTokens)) return Math.exp(-edge);
  const along = bilinear(surface, inputs, outputs, Math.max(0, input), Math.max(0, output));
  const tokens = atLeastOne(inputTokens) + atLeastOne(outputTokens);
  const proportion = Math.log(Math.max(1, tokens / (inside(inputs.ticks, inputTokens) + inside(outputs.ticks, outputTokens))));
  return Math.exp(-Math.max(along, edge + proportion));
};

/**
 * Index of the tick that is nearest in log tokens; the midpoint goes up, and what lies outside takes the edge.
 * @example nearestGridPoint([64, 256], 127) // => 0
 * @example nearestGridPoint([64, 256], 128) // => 1
 */
export const nearestGridPoint = (ticks: readonly number[], tokens: number): number => {
  let index = 0;
  while (index + 1 < ticks.length && tokens * tokens >= ticks[index]! * ticks[index + 1]!) index += 1;
  return index;
};

const atLeastOne = (tokens: number): number => Math.max(1, tokens);
const inside = (ticks: readonly number[], tokens: number): number =>
  Math.min(Math.max(atLeastOne(tokens), ticks[0]!), ticks[ticks.length - 1]!);
const isOutside = (ticks: readonly number[], tokens: number): boolean =>
  tokens > ticks[ticks.length - 1]! || atLeastOne(tokens) < ticks[0]!;

/** The ticks of one axis, and what every size needs of them. */
interface Axis {
  readonly ticks: readonly number[];
  readonly logs: Float64Array;
  /** Up to here its slope is believed (tokens). */
  readonly reach: number;
}

const axes = new WeakMap<readonly number[], Axis>();

const axisOf = (ticks: readonly number[]): Axis => {
  const known = axes.get(ticks);
  if (known !== undefined) return known;
  const axis = { ticks, logs: logs(ticks), reach: believedReach * ticks[ticks.length - 1]! };
  axes.set(ticks, axis);
  return axis;
};

/**
 * Place on one axis in log tokens, as one number: the index of a tick and the fraction of the way to the next; below 0
 * and above the last index outside the grid.
 */
const coordinate = (axis: Axis, tokens: number): number => {
  const { ticks, logs: inLogs } = axis;
  if (ticks.length === 1) return 0;
  const lower = tickBelow(axis, tokens);
  const from = inLogs[lower]!;
  return lower + (Math.log(atLeastOne(tokens)) - from) / (inLogs[lower + 1]! - from);
};

const within = ({ ticks }: Axis, place: number): number => Math.min(Math.max(0, place), ticks.length - 1);

/** Weighted mean of the four ticks around a place; ticks without a value are left out, NaN if none has one. */
const bilinear = (values: Float64Array, inputs: Axis, outputs: Axis, input: number, output: number): number => {
  const width = outputs.ticks.length;
  const i = Math.min(Math.max(0, Math.floor(input)), Math.max(0, inputs.ticks.length - 2));
  const o = Math.min(Math.max(0, Math.floor(output)), Math.max(0, width - 2));
  let sum = 0;
  let weights = 0;
  for (let corner = 0; corner < 4; corner += 1) {
    const right = corner >> 1;
    const up = corner & 1;
    const weight = (right === 1 ? input - i : 1 - (input - i)) * (up === 1 ? output - o : 1 - (output - o));
    if (weight === 0) continue;
    const value = values[(i + right) * width + o + up]!;
    if (Number.isNaN(value)) continue;
    sum += weight * value;
    weights += weight;
  }
  return weights === 0 ? Number.NaN : sum / weights;
};

const logTables = new WeakMap<readonly number[], Float64Array>();

const logs = (values: readonly number[]): Float64Array => {
  const known = logTables.get(values);
  if (known !== undefined) return known;
  const table = Float64Array.from(values, (value) => (value > 0 ? Math.log(value) : Number.NaN));
  logTables.set(values, table);
  return table;
};

const surfaces = new WeakMap<Profile, Float64Array | null>();

/** Log work of every tick, input x output, unservable ones filled from the nearest servable; null if there is none. */
const logWorks = (profile: Profile): Float64Array | null => {
  const known = surfaces.get(profile);
  if (known !== undefined) return known;
  const cells = profile.inputTokens.flatMap((input) => profile.outputTokens.map((output) => ({ input, output })));
  const servable = cells.flatMap((cell, index) =>
    element(profile.throughput, index) > 0 ? [{ ...cell, throughput: element(profile.throughput, index) }] : [],
  );
  const surface =
    servable.length === 0
      ? null
      : Float64Array.from(cells, (cell) => {
          const nearest = servable.reduce((best, other) => (distance(cell, other) < distance(cell, best) ? other : best));
          return Math.log(Math.max(1, (cell.input + cell.output) / (nearest.input + nearest.output)) / nearest.throughput);
        });
  surfaces.set(profile, surface);
  return surface;
};

const distance = (a: { input: number; output: number }, b: { input: number; output: number }): number =>
  Math.log(a.input / b.input) ** 2 + Math.log(a.output / b.output) ** 2;
