import { isServedWithin } from '../../src/benchmark/profile-of.ts';
import { measurementsOf, type Sample } from '../../src/benchmark/samples.ts';
import { type Size, sizesOf } from '../../src/benchmark/sizes.ts';
import type { Slo } from '../../src/profiles/profile-document.ts';
import { createEngine, type EngineRequest, type EngineSpeed } from '../../src/simulation/engine.ts';
import { exponential, seeded } from '../../src/vocabulary/random.ts';

export interface FixedSweep {
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** From one to the next in steps of so much, as 0.05; for AIBrix's doubling 1. */
  readonly rates: { readonly from: number; readonly to: number; readonly step: number };
  /** Requests at each rate. */
  readonly requests: number;
  readonly slo: Slo;
}

/**
 * What a sweep over fixed rates finds, as AIBrix's does it: at every rate of every size so many requests with Poisson arrivals,
 * from an empty engine until the last answer; the highest rate that is served within the SLO counts.
 * @returns that rate by size, and for how long the engine was busy (s)
 */
export const fixedSweep = (speed: EngineSpeed, { inputs, outputs, rates, requests, slo }: FixedSweep) => {
  let [tried, seconds] = [0, 0];
  const highest = sizesOf(inputs, outputs).map((size) => {
    let best = 0;
    for (let rate = rates.from; rate <= rates.to; rate *= 1 + rates.step) {
      const { samples, endedAt } = sampled(speed, size, rate, requests);
      tried += 1;
      seconds += endedAt;
      const rows = measurementsOf(samples, size, rate);
      if (isServedWithin(rows, rate, slo)) best = rate;
    }
    return best;
  });
  return { highest, tried, seconds };
};

interface Sent extends EngineRequest {
  readonly sentAt: number;
  firstTokenAt: number;
}

/** Requests of the truth: as many fill the batch and let the queue settle, and so many count. */
const [uncounted, counted] = [6000, 100_000];
/** A rate below this is none (req/s). */
const least = 0.01;

/**
 * The highest rate that is served within the SLO (req/s), by more requests than anybody would wait for, bisected to half a
 * percent.
 * @param near where to look first; the truth is looked for on both sides of it, however far it is
 */
export const trueThroughput = (speed: EngineSpeed, size: Size, slo: Slo, near: number): number => {
  const kept = (rate: number): boolean => {
    const { samples } = sampled(speed, size, rate, uncounted + counted);
    const rows = measurementsOf(samples.slice(uncounted), size, rate);
    return isServedWithin(rows, rate, slo);
  };
  let [low, high] = [Math.max(near, least) / 1.1, Math.max(near, least) * 1.1];
  while (!kept(low)) {
    if (low < least) return 0;
    [low, high] = [low / 1.2, low];
  }
  while (kept(high)) [low, high] = [high, high * 1.2];
  while (high / low > 1.005) {
    const middle = Math.sqrt(low * high);
    if (kept(middle)) low = middle;
    else high = middle;
  }
  return Math.sqrt(low * high);
};

const sampled = (speed: EngineSpeed, { inputTokens, outputTokens }: Size, rate: number, requests: number) => {
  const random = seeded(0);
  const samples: Sample[] = [];
  let endedAt = 0;
  const engine = createEngine<Sent>(speed, (kind, request, time) => {
    if (kind === 'firstToken') request.firstTokenAt = time;
    if (kind !== 'done') return;
    endedAt = time;
    samples.push({ kind: 'served', sentAt: request.sentAt, firstTokenAt: request.firstTokenAt, doneAt: time });
  });
  let time = 0;
  for (let index = 0; index < requests; index += 1) {
    engine.advance(time);
    engine.submit({ inputTokens, outputTokens, sentAt: time, firstTokenAt: Number.NaN }, time);
    time += exponential(random, 1 / rate);
  }
  engine.advance(Number.POSITIVE_INFINITY);
  return { samples, endedAt };
};
