import { certainlyExceeds } from './certainty.ts';
import { type CountedRequests, type IntervalCounter, intervalCounter, recordFields } from './gateway-records.ts';
import { splitter } from './split-counts.ts';

/** A record's key, and what of it counts are from. */
export interface KeySpan {
  /** End of its interval (Unix s). */
  readonly time: number;
  /** Of its interval as much has been counted (s); 0 = the clock has leapt over it. */
  readonly seconds: number;
  /** How many times the clock has come to this key. What was counted in an earlier round is replaced. */
  readonly round: number;
}

/** An interval that is over, or several that nobody has ended in time. */
export interface EndedInterval {
  /** By the clock that others share (Unix s). */
  readonly time: number;
  /** The keys that its counts belong to, oldest first. */
  readonly spans: readonly KeySpan[];
  /** Whether the gateway did not run for a part of it. */
  readonly paused: boolean;
}

/** The numbers of one model's record, as AIBrix's gateway writes it (version 4). */
export interface IntervalRecord {
  readonly model: string;
  /** End of the interval (Unix s). */
  readonly time: number;
  readonly round: number;
  readonly fields: Readonly<Record<string, number>>;
}

export interface RequestCounts {
  counter(model: string): IntervalCounter;
  /**
   * Ends an interval: records of each model that is served, also where nothing happened, so that a model that is idle shows as
   * such. Counts are spread over the keys that they come from.
   * @param queueing requests that the gateway holds
   */
  end(interval: EndedInterval, served: readonly string[], queueing: (model: string) => number): readonly IntervalRecord[];
}

export const requestCounts = (intervalSeconds: number): RequestCounts => {
  const counters = new Map<string, IntervalCounter>();
  /** Arrivals per second, as it was last. */
  const rates = new Map<string, number>();
  const counter = (model: string): IntervalCounter => {
    const known = counters.get(model) ?? intervalCounter();
    counters.set(model, known);
    return known;
  };
  return {
    counter,
    end: ({ spans, paused }, served, queueing) => {
      for (const model of served) counter(model);
      return [...counters].flatMap(([model, one]) => {
        const counted = one.take();
        const weights = weightsOf(spans, counted.arrivals, rates.get(model) ?? null);
        if (spans.every(({ seconds }) => seconds > 0)) rates.set(model, counted.arrivals / sum(spans));
        if (counted.pending === 0 && !served.includes(model)) {
          counters.delete(model);
          rates.delete(model);
        }
        const parts = inParts(counted, weights);
        return spans.flatMap(({ time, seconds, round }, index) => {
          // An empty record would say that nothing came in a time that there may never have been.
          if (seconds === 0 && weights[index] === 0) return [];
          const fields = recordFields(intervalSeconds, parts[index]!, queueing(model));
          return [{ model, time, round, fields: paused ? { ...fields, meta_paused: 1 } : fields }];
        });
      });
    },
  };
};

const sum = (spans: readonly KeySpan[]): number => spans.reduce((total, { seconds }) => total + seconds, 0);

/**
 * Shares of the keys in what was counted: in proportion to time. Where the clock has leapt nobody knows whether it was mended or
 * this whole host had stood still. So what exceeds the rate from before for certain goes to the keys that were leapt over.
 * @param rate arrivals per second before; null = not known
 */
const weightsOf = (spans: readonly KeySpan[], arrivals: number, rate: number | null): readonly number[] => {
  const lived = sum(spans);
  const leapt = spans.filter(({ seconds }) => seconds === 0).length;
  const usual = leapt === 0 || rate === null ? arrivals : rate * lived;
  const excess = certainlyExceeds(arrivals, usual) ? 1 - usual / arrivals : 0;
  return spans.map(({ seconds }) => (seconds === 0 ? excess / leapt : ((1 - excess) * seconds) / lived));
};

/** What was counted, in parts. What is in flight now stands for each of them. */
const inParts = ({ arrivals, pending, buckets }: CountedRequests, weights: readonly number[]): readonly CountedRequests[] => {
  if (weights.length === 1) return [{ arrivals, pending, buckets }];
  const arrived = splitter(weights)(arrivals);
  const split = splitter(weights);
  const ended = [...buckets].map(([bucket, count]) => [bucket, split(count)] as const);
  return weights.map((_, index) => ({
    arrivals: arrived[index]!,
    pending,
    buckets: new Map(ended.flatMap(([bucket, parts]) => (parts[index]! > 0 ? [[bucket, parts[index]!]] : []))),
  }));
};
