import type { Profile, Slo } from '../domain.ts';
import { createEngine, type EngineRequest, type EngineSpeed } from './engine.ts';
import { exponential, seeded } from './random.ts';
import { withinSlo } from './slo.ts';

/** How one point of a grid is measured. */
export interface Measurement {
  readonly slo: Slo;
  /** Requests that are sent first and not counted, until the batch is as full as it gets, and those that count. */
  readonly warmUp: number;
  readonly counted: number;
  readonly seed: number;
}

export const usualMeasurement = { warmUp: 600, counted: 1000, seed: 1 };

interface Sent extends EngineRequest {
  readonly arrivedAt: number;
  readonly index: number;
  firstTokenAt: number;
}

/** What a benchmark at one rate has seen. */
interface Run {
  /** Share of the counted requests that was within the SLO. */
  readonly within: number;
  /** Mean end-to-end time (s). */
  readonly e2eSeconds: number;
}

/**
 * The highest rate (req/s) of requests of one size at which one engine keeps the SLO, measured as on hardware: open-loop
 * Poisson arrivals at a rate, the share of requests within the limits, the rate doubled and then bisected to 1 %. Nothing
 * is taken from the engine's own figures.
 * @returns 0 where a request every so often is too much
 */
export const measuredThroughput = (
  speed: EngineSpeed,
  size: EngineRequest,
  measurement: Measurement,
): { readonly throughput: number; readonly e2eSeconds: number } => {
  const at = (rate: number) => runAt(speed, size, rate, measurement);
  const share = shareOf(measurement.slo);
  let low = 0.02;
  let run = at(low);
  if (run.within < share) return { throughput: 0, e2eSeconds: run.e2eSeconds };
  let high = 2 * low;
  for (let next = at(high); next.within >= share && high < 1e4; next = at(high))
    [low, run, high] = [high, next, 2 * high];
  while (high / low > 1.01) {
    const middle = Math.sqrt(low * high);
    const next = at(middle);
    if (next.within >= share) [low, run] = [middle, next];
    else high = middle;
  }
  return { throughput: low, e2eSeconds: run.e2eSeconds };
};

/** Share of requests that must be within the limits. */
const shareOf = ({ percentile }: Slo): number => percentile / 100;

const runAt = (
  speed: EngineSpeed,
  { inputTokens, outputTokens }: EngineRequest,
  rate: number,
  { slo, warmUp, counted, seed }: Measurement,
): Run => {
  const random = seeded(seed);
  const tolerated = (1 - shareOf(slo)) * counted;
  let [ended, within, seconds] = [0, 0, 0];
  const engine = createEngine<Sent>(speed, (kind, request, time) => {
    if (kind === 'firstToken') request.firstTokenAt = time;
    if (kind !== 'done' || request.index < warmUp) return;
    ended += 1;
    seconds += time - request.arrivedAt;
    if (withinSlo(slo, { ...request, doneAt: time })) within += 1;
  });
  let time = 0;
  for (let index = 0; index < warmUp + counted; index += 1) {
    time += exponential(random, 1 / rate);
    engine.advance(time);
    // It has failed already; what is still to come cannot mend it.
    if (ended - within > tolerated) break;
    engine.submit({ inputTokens, outputTokens, arrivedAt: time, index, firstTokenAt: Number.NaN }, time);
  }
  engine.advance(Number.POSITIVE_INFINITY);
  return { within: within / counted, e2eSeconds: seconds / Math.max(1, ended) };
};

/** A profile of one engine over a grid, one measurement per point. */
export const measuredProfile = (
  speed: EngineSpeed,
  grid: Pick<Profile, 'inputTokens' | 'outputTokens'>,
  labels: { readonly gpu: string; readonly cost: number },
  measurement: Measurement,
): Profile => {
  const points = grid.inputTokens.flatMap((inputTokens) =>
    grid.outputTokens.map((outputTokens) => measuredThroughput(speed, { inputTokens, outputTokens }, measurement)),
  );
  return {
    ...grid,
    deployment: null,
    throughput: points.map(({ throughput }) => rounded(throughput)),
    e2eSeconds: points.map(({ e2eSeconds }) => rounded(e2eSeconds)),
    slo: measurement.slo,
    ...labels,
    gpusPerReplica: 1,
    created: null,
  };
};

const rounded = (value: number): number => Number(value.toPrecision(4));
