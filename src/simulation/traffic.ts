import type { Shape } from '../planner/believe/rates-and-shapes.ts';
import { element } from '../vocabulary/list-element.ts';
import type { DemandRow } from '../vocabulary/planning-documents.ts';
import { exponential, seeded } from '../vocabulary/random.ts';
import { bucketIndex, tokensOf } from '../workload/bucket-index.ts';
import type { TraceRequest } from '../workload/gateway-records.ts';

/** Requests, and what is known of them only here: the true demand behind them. */
export interface Traffic {
  /** In order of time, from 0 to `seconds`. */
  readonly requests: readonly TraceRequest[];
  readonly seconds: number;
  /** Arrival rates by size, without noise and headroom, around this time (req/s). */
  demandAt(time: number): readonly DemandRow[];
}

/** req/s at a time (s). */
export type RateOverTime = (time: number) => number;

export const steady =
  (rate: number): RateOverTime =>
  () =>
    rate;
/** One rate before a moment and another from it on. */
export const step =
  (before: number, after: number, at: number): RateOverTime =>
  (time) =>
    time < at ? before : after;
/** From one rate to another along a line. */
export const ramp =
  (before: number, after: number, from: number, to: number): RateOverTime =>
  (time) =>
    before + (after - before) * Math.min(1, Math.max(0, (time - from) / (to - from)));
export const spike =
  (usual: number, most: number, at: number, seconds: number): RateOverTime =>
  (time) =>
    time >= at && time < at + seconds ? most : usual;
/** One rate for some time and another for some time, again and again. */
export const onOff =
  (on: number, off: number, onSeconds: number, offSeconds: number): RateOverTime =>
  (time) =>
    time % (onSeconds + offSeconds) < onSeconds ? on : off;
/** Rates that hold for so long each (s). */
export const stairs =
  (rates: readonly number[], seconds: number): RateOverTime =>
  (time) =>
    rates[Math.min(rates.length - 1, Math.floor(time / seconds))]!;
/** A sine around a middle. */
export const sine =
  (least: number, most: number, periodSeconds: number): RateOverTime =>
  (time) =>
    (least + most) / 2 + ((most - least) / 2) * Math.sin((2 * Math.PI * time) / periodSeconds);
/** A cycle of one day that begins in the night, at its least. */
export const dayCycle =
  (least: number, most: number, daySeconds = 86_400): RateOverTime =>
  (time) =>
    least + ((most - least) * (1 - Math.cos((2 * Math.PI * time) / daySeconds))) / 2;

/** Sizes that change over time (s). */
export type MixtureOverTime = (time: number) => Shape;

/** A Poisson process whose rate changes, with sizes drawn from a mixture, which may change as well. */
export const poisson = (rate: RateOverTime, mixture: Shape | MixtureOverTime, seconds: number, seed: number): Traffic => {
  const mixtureAt: MixtureOverTime = typeof mixture === 'function' ? mixture : () => mixture;
  const random = seeded(seed);
  // One by one: the seconds of five days are more than a call takes arguments.
  let most = 0;
  for (let time = 0; time <= Math.ceil(seconds); time += 1) most = Math.max(most, rate(time));
  const requests: TraceRequest[] = [];
  // Thinning: arrivals at the highest rate, of which a share stays.
  for (let time = exponential(random, 1 / most); time < seconds; time += exponential(random, 1 / most)) {
    if (random() * most >= rate(time)) continue;
    const { inputTokens, outputTokens } = drawn(mixtureAt(time), random());
    requests.push({ time, inputTokens, outputTokens });
  }
  return {
    requests,
    seconds,
    demandAt: (time) => mixtureAt(time).map(({ share, ...size }) => ({ ...size, arrivalRate: share * rate(time) })),
  };
};

const drawn = (mixture: Shape, random: number): Shape[number] => {
  let left = random;
  for (const size of mixture) {
    if (left < size.share) return size;
    left -= size.share;
  }
  return mixture.at(-1)!;
};

/** Half the span of a trace that counts as one rate, and as one mixture of sizes (s). */
const rateSpan = 60;
const shapeSpan = 240;

/** A trace: its true demand is what arrives around a time, by the gateway's sizes. */
export const traced = (given: readonly TraceRequest[], seconds: number): Traffic => {
  const requests = given.filter(({ time }) => time < seconds);
  const times = Float64Array.from(requests, ({ time }) => time);
  const sizes = Int32Array.from(
    requests,
    ({ inputTokens, outputTokens }) => 1024 * bucketIndex(inputTokens) + bucketIndex(outputTokens),
  );
  const within = (time: number, span: number) => {
    const [from, to] = [Math.max(0, time - span), Math.min(seconds, time + span)];
    return { first: firstAt(times, from), last: firstAt(times, to), length: to - from };
  };
  return {
    requests,
    seconds,
    demandAt: (time) => {
      const counted = within(time, rateSpan);
      const rate = (counted.last - counted.first) / counted.length;
      const { first, last } = within(time, shapeSpan);
      const counts = new Map<number, number>();
      for (let index = first; index < last; index += 1)
        counts.set(element(sizes, index), (counts.get(element(sizes, index)) ?? 0) + 1);
      return [...counts].map(([size, count]) => ({
        inputTokens: tokensOf(size >> 10, 10),
        outputTokens: tokensOf(size & 1023, 10),
        arrivalRate: (rate * count) / (last - first),
      }));
    },
  };
};

/** Index of the first time that is not before this one. */
const firstAt = (times: Float64Array, time: number): number => {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (element(times, middle) < time) low = middle + 1;
    else high = middle;
  }
  return low;
};

/**
 * Several copies of a trace at once, each so much later than the one before, and going round: its rises and falls stay, so
 * many times as high, and single bursts do not meet.
 */
export const superposed = (
  trace: readonly TraceRequest[],
  copies: number,
  shiftSeconds: number,
  seconds: number,
): readonly TraceRequest[] =>
  Array.from({ length: copies }, (_, copy) =>
    trace.map((request) => ({ ...request, time: (request.time + copy * shiftSeconds) % seconds })),
  )
    .flat()
    .sort((a, b) => a.time - b.time);

/** Several streams as one. */
export const merged = (...streams: readonly (readonly TraceRequest[])[]): readonly TraceRequest[] =>
  streams.flat().sort((a, b) => a.time - b.time);
