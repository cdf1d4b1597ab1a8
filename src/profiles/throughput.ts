import type { Profile } from '../domain.ts';

/**
 * Throughput of a profile at any request size, from its grid.
 *
 * What is interpolated is the load of one request per second, 1/μ (replicas per req/s), bilinearly in log load over log
 * input and log output tokens: no value between ticks lies outside those of the four ticks around it.
 *
 * - A tick that is never within the SLO has no load of its own. It is given that of the nearest servable tick, in
 *   proportion to total tokens if it is larger, so that loads between the two are defined.
 * - Whether a size is within the SLO is what its nearest tick says: between a servable and an unservable tick the border
 *   is their geometric mean.
 * - Below the grid the edge's load holds. Above it the load goes on with the slope of the last two ticks, and grows at
 *   least in proportion to total tokens.
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
  const input = position(profile.inputTokens, inputTokens);
  const output = position(profile.outputTokens, outputTokens);
  const nearest =
    nearestTick(profile.inputTokens, inputTokens) * profile.outputTokens.length +
    nearestTick(profile.outputTokens, outputTokens);
  const servable = profile.throughput[nearest]! > 0;
  return {
    throughput: servable ? beyondSloThroughput(profile, inputTokens, outputTokens) : 0,
    e2eSeconds:
      profile.e2eSeconds === null
        ? Number.NaN
        : Math.exp(bilinear(profile, logs(profile.e2eSeconds), clamped(input), clamped(output))),
    extrapolated: input.outside || output.outside,
  };
};

/**
 * Throughput that demand beyond the SLO is charged at (req/s): the same surface without its border. 0 only where the
 * whole profile is 0.
 */
export const beyondSloThroughput = (profile: Profile, inputTokens: number, outputTokens: number): number => {
  const surface = logLoads(profile);
  if (surface === null) return 0;
  const input = position(profile.inputTokens, inputTokens);
  const output = position(profile.outputTokens, outputTokens);
  const edge = bilinear(profile, surface, clamped(input), clamped(output));
  const along = bilinear(profile, surface, aboveOnly(input), aboveOnly(output));
  const tokens = atLeastOne(inputTokens) + atLeastOne(outputTokens);
  const proportion = Math.log(
    Math.max(1, tokens / (inside(profile.inputTokens, inputTokens) + inside(profile.outputTokens, outputTokens))),
  );
  return Math.exp(-Math.max(along, edge + (input.outside || output.outside ? proportion : 0)));
};

/**
 * Index of the tick that is nearest in log tokens; the midpoint goes up, and what lies outside takes the edge.
 * @example nearestTick([64, 256], 127) // => 0
 * @example nearestTick([64, 256], 128) // => 1
 */
export const nearestTick = (ticks: readonly number[], tokens: number): number => {
  let index = 0;
  while (index + 1 < ticks.length && tokens * tokens >= ticks[index]! * ticks[index + 1]!) index += 1;
  return index;
};

/** A place on one axis: between ticks `lower` and `lower + 1`, at `fraction` of the way in log tokens (past 1 or below 0 outside). */
type Position = { readonly lower: number; readonly fraction: number; readonly outside: boolean };

const atLeastOne = (tokens: number): number => Math.max(1, tokens);
const inside = (ticks: readonly number[], tokens: number): number =>
  Math.min(Math.max(atLeastOne(tokens), ticks[0]!), ticks.at(-1)!);

const position = (ticks: readonly number[], tokens: number): Position => {
  const at = Math.log(atLeastOne(tokens));
  const outside = tokens > ticks.at(-1)! || atLeastOne(tokens) < ticks[0]!;
  if (ticks.length === 1) return { lower: 0, fraction: 0, outside };
  let lower = 0;
  while (lower + 2 < ticks.length && tokens >= ticks[lower + 1]!) lower += 1;
  const [from, to] = [Math.log(ticks[lower]!), Math.log(ticks[lower + 1]!)];
  return { lower, fraction: (at - from) / (to - from), outside };
};

const clamped = (place: Position): Position => ({ ...place, fraction: Math.min(1, Math.max(0, place.fraction)) });
const aboveOnly = (place: Position): Position => ({ ...place, fraction: Math.max(0, place.fraction) });

/** Weighted mean of the four ticks around a place; ticks without a value are left out, NaN if none has one. */
const bilinear = (profile: Profile, values: readonly number[], input: Position, output: Position): number => {
  let [sum, weights] = [0, 0];
  for (const [i, inputWeight] of corners(input))
    for (const [o, outputWeight] of corners(output)) {
      const value = values[i * profile.outputTokens.length + o]!;
      const weight = inputWeight * outputWeight;
      if (weight === 0 || Number.isNaN(value)) continue;
      sum += weight * value;
      weights += weight;
    }
  return weights === 0 ? Number.NaN : sum / weights;
};

const corners = ({ lower, fraction }: Position): readonly (readonly [number, number])[] => [
  [lower, 1 - fraction],
  [fraction === 0 ? lower : lower + 1, fraction],
];

const logs = (values: readonly number[]): number[] => values.map((value) => (value > 0 ? Math.log(value) : Number.NaN));

const surfaces = new WeakMap<Profile, readonly number[] | null>();

/** Log load of every tick, input x output, unservable ones filled from the nearest servable; null if there is none. */
const logLoads = (profile: Profile): readonly number[] | null => {
  const known = surfaces.get(profile);
  if (known !== undefined) return known;
  const cells = profile.inputTokens.flatMap((input) => profile.outputTokens.map((output) => ({ input, output })));
  const servable = cells.flatMap((cell, index) =>
    profile.throughput[index]! > 0 ? [{ ...cell, throughput: profile.throughput[index]! }] : [],
  );
  const surface =
    servable.length === 0
      ? null
      : cells.map((cell) => {
          const nearest = servable.reduce((best, other) =>
            distance(cell, other) < distance(cell, best) ? other : best,
          );
          return Math.log(
            Math.max(1, (cell.input + cell.output) / (nearest.input + nearest.output)) / nearest.throughput,
          );
        });
  surfaces.set(profile, surface);
  return surface;
};

const distance = (a: { input: number; output: number }, b: { input: number; output: number }): number =>
  Math.log(a.input / b.input) ** 2 + Math.log(a.output / b.output) ** 2;
