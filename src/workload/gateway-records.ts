import { GpumixError } from '../vocabulary/errors.ts';
import { element } from '../vocabulary/list-element.ts';
import { bucketIndex } from './bucket-index.ts';

/** One request of a trace. */
export interface TraceRequest {
  /** When it arrived (s after the start of the trace). */
  readonly time: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/**
 * Reads a trace: CSV with a header, arrival time, input tokens, output tokens (the Azure LLM inference traces).
 * @throws GpumixError BAD_TRACE, with the line
 */
export const parseTrace = (text: string, where: string): readonly TraceRequest[] => {
  const lines = text.split(/\r?\n/);
  const rows = lines.flatMap((line, index) => (index === 0 || line === '' ? [] : [{ line, number: index + 1 }]));
  if (rows.length === 0)
    throw new GpumixError('BAD_TRACE', `${where}: no requests; expected a header and rows of time,inputTokens,outputTokens`);
  const requests = rows.map(({ line, number }) => {
    const [at, input, output] = line.split(',');
    // Milliseconds and finer: Date keeps three digits, the rest is added.
    const parts = /^(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d)(\.\d+)?/.exec(at ?? '');
    const time =
      parts === null ? Number.NaN : Date.parse(`${element(parts, 1).replace(' ', 'T')}Z`) / 1000 + Number(parts[2] ?? 0);
    const [inputTokens, outputTokens] = [Number(input), Number(output)];
    if (!Number.isFinite(time))
      throw new GpumixError('BAD_TRACE', `${where}:${number}: ${JSON.stringify(at)} is no time such as 2023-11-16 18:17:03.97`);
    if (!(inputTokens >= 0 && outputTokens >= 0))
      throw new GpumixError('BAD_TRACE', `${where}:${number}: tokens are not two numbers from 0`);
    return { time, inputTokens, outputTokens };
  });
  requests.sort((a, b) => a.time - b.time);
  const start = element(requests, 0).time;
  return requests.map((request) => ({ ...request, time: request.time - start }));
};

/** What one model's requests have done since the last time. */
export interface CountedRequests {
  readonly arrivals: number;
  /** In flight now. */
  readonly pending: number;
  /** Those that ended, by `input:output` bucket. */
  readonly buckets: ReadonlyMap<string, number>;
}

/** Counts requests of one model as AIBrix's gateway does. */
export interface IntervalCounter {
  arrived(): void;
  /** A request has ended and told its size. */
  ended(inputTokens: number, outputTokens: number): void;
  /** A request has ended without telling its size, and not with success: it is in no bucket. */
  failed(): void;
  /** In flight. */
  pending(): number;
  /** Ends the interval: what was counted in it. */
  take(): CountedRequests;
}

export const intervalCounter = (): IntervalCounter => {
  let [arrivals, pending] = [0, 0];
  let buckets = new Map<string, number>();
  return {
    arrived: () => {
      arrivals += 1;
      pending += 1;
    },
    ended: (inputTokens, outputTokens) => {
      pending -= 1;
      const bucket = `${bucketIndex(inputTokens)}:${bucketIndex(outputTokens)}`;
      buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1);
    },
    failed: () => {
      pending -= 1;
    },
    pending: () => pending,
    take: () => {
      const counted = { arrivals, pending, buckets };
      arrivals = 0;
      buckets = new Map();
      return counted;
    },
  };
};

/** The numbers of a record (version 4). @param queueing of those in flight how many the gateway itself holds */
export const recordFields = (
  intervalSeconds: number,
  { arrivals, pending, buckets }: CountedRequests,
  queueing: number,
): Readonly<Record<string, number>> => ({
  meta_v: 4,
  meta_interval_sec: intervalSeconds,
  meta_precision: 10,
  meta_total_reqs: arrivals,
  meta_pending_reqs: pending,
  meta_queueing_reqs: queueing,
  ...Object.fromEntries(buckets),
});

/** A record as AIBrix's gateway writes it: null where nothing came in, ended or was in flight. */
export const recordText = (intervalSeconds: number, counted: CountedRequests, queueing: number): string | null =>
  counted.arrivals === 0 && counted.pending === 0 && counted.buckets.size === 0
    ? null
    : JSON.stringify(recordFields(intervalSeconds, counted, queueing));

/**
 * The records of a trace: arrivals in the interval in which they come in, completions by size in the one in which they end,
 * what is in flight at its end. Requests end `secondsPerToken` x output tokens after they came.
 */
export const gatewayCounter = (
  requests: readonly TraceRequest[],
  intervalSeconds: number,
  secondsPerToken: number,
  speed = 1,
) => {
  const arrivals = requests.map(({ time }) => time / speed);
  const ends = requests
    .map(({ time, inputTokens, outputTokens }) => ({
      time: time / speed + outputTokens * secondsPerToken,
      inputTokens,
      outputTokens,
    }))
    .sort((a, b) => a.time - b.time);
  const counter = intervalCounter();
  let [arrived, ended] = [0, 0];
  return {
    /** Whether everything has come in and ended. */
    finished: (): boolean => ended === ends.length,
    /** The record of the interval up to `until` seconds after the start, or null. Intervals are asked for in order. */
    recordUntil: (until: number): string | null => {
      for (; arrived < arrivals.length && element(arrivals, arrived) <= until; arrived += 1) counter.arrived();
      for (; ended < ends.length && element(ends, ended).time <= until; ended += 1)
        counter.ended(element(ends, ended).inputTokens, element(ends, ended).outputTokens);
      return recordText(intervalSeconds, counter.take(), 0);
    },
  };
};
