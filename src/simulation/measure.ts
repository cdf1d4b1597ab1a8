import type { Profile, Slo } from '../profiles/profile-document.ts';
import { exponential, seeded } from '../vocabulary/random.ts';
import { createEngine, type EngineRequest, type EngineSpeed } from './engine.ts';
import { withinSlo } from './slo.ts';

/** How one point of a grid is measured. */
export interface MeasurementSettings {
  readonly slo: Slo;
  /** Requests that are sent first and not counted, until the batch is as full as it gets, and those that count, at least. */
  readonly warmUp: number;
  readonly counted: number;
  /**
   * These last at least so many times the longest limit of the SLO. A queue may grow as long as a limit allows; where all
   * requests are over before it has, any rate passes.
   */
  readonly limits?: number;
  readonly seed: number;
}

export const usualMeasurement = { warmUp: 600, counted: 1000, limits: 30, seed: 1 };

interface Sent extends EngineRequest {
  readonly arrivedAt: number;
  readonly index: number;
  firstTokenAt: number;
}

/** What a benchmark at one rate has seen. */
interface Run {
  /** Share of the counted requests that was within the SLO. */
  readonly within: number;
  /** Mean end-to-end time and time to the first token (s). */
  readonly e2eSeconds: number;
  readonly ttftSeconds: number;
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
  measurement: MeasurementSettings,
): { readonly throughput: number } & Omit<Run, 'within'> => {
  const at = (rate: number) => runAt(speed, size, rate, measurement);
  const share = shareOf(measurement.slo);
  let low = 0.02;
  let run = at(low);
  const times = ({ within: _, ...rest }: Run) => rest;
  if (run.within < share) return { throughput: 0, ...times(run) };
  let high = 2 * low;
  for (let next = at(high); next.within >= share && high < 1e4; next = at(high)) [low, run, high] = [high, next, 2 * high];
  while (high / low > 1.01) {
    const middle = Math.sqrt(low * high);
    const next = at(middle);
    if (next.within >= share) [low, run] = [middle, next];
    else high = middle;
  }
  return { throughput: low, ...times(run) };
};

/** Share of requests that must be within the limits. */
const shareOf = ({ percentile }: Slo): number => percentile / 100;

const runAt = (
  speed: EngineSpeed,
  { inputTokens, outputTokens }: EngineRequest,
  rate: number,
  { slo, limits = 0, seed, ...least }: MeasurementSettings,
): Run => {
  const random = seeded(seed);
  const longest = Math.max(slo.ttft ?? 0, slo.e2e ?? 0);
  const atLeast = Math.ceil(rate * limits * longest);
  const [warmUp, counted] = [Math.max(least.warmUp, Math.ceil(atLeast / 2)), Math.max(least.counted, atLeast)];
  const tolerated = (1 - shareOf(slo)) * counted;
  const hopeless = 300 + 5 * rate * longest;
  let [ended, within, seconds, untilFirst] = [0, 0, 0, 0];
  const engine = createEngine<Sent>(speed, (kind, request, time) => {
    if (kind === 'firstToken') request.firstTokenAt = time;
    if (kind !== 'done' || request.index < warmUp) return;
    ended += 1;
    seconds += time - request.arrivedAt;
    untilFirst += request.firstTokenAt - request.arrivedAt;
    if (withinSlo(slo, { ...request, doneAt: time })) within += 1;
  });
  let time = 0;
  for (let index = 0; index < warmUp + counted; index += 1) {
    time += exponential(random, 1 / rate);
    engine.advance(time);
    // It has failed already, or so much waits that it will; what is still to come cannot mend it.
    if (ended - within > tolerated || engine.unread() > hopeless) break;
    engine.submit({ inputTokens, outputTokens, arrivedAt: time, index, firstTokenAt: Number.NaN }, time);
  }
  engine.advance(Number.POSITIVE_INFINITY);
  const each = Math.max(1, ended);
  return { within: within / counted, e2eSeconds: seconds / each, ttftSeconds: untilFirst / each };
};

/** A profile of one engine over a grid, one measurement per point. */
export const measuredProfile = (
  speed: EngineSpeed,
  grid: Pick<Profile, 'inputTokens' | 'outputTokens'>,
  labels: { readonly gpu: string; readonly cost: number },
  measurement: MeasurementSettings,
): Profile => {
  const points = grid.inputTokens.flatMap((inputTokens) =>
    grid.outputTokens.map((outputTokens) => measuredThroughput(speed, { inputTokens, outputTokens }, measurement)),
  );
  return {
    ...grid,
    deployment: null,
    throughput: points.map(({ throughput }) => rounded(throughput)),
    e2eSeconds: points.map(({ e2eSeconds }) => rounded(e2eSeconds)),
    ttftSeconds: points.map(({ ttftSeconds }) => rounded(ttftSeconds)),
    slo: measurement.slo,
    ...labels,
    gpusPerReplica: 1,
    created: null,
  };
};

const rounded = (value: number): number => Number(value.toPrecision(4));
