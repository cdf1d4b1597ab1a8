import { type IntervalCounter, intervalCounter } from './gateway-records.ts';

/** The numbers of one model's record, as AIBrix's gateway writes it (version 4). */
export interface IntervalRecord {
  readonly model: string;
  /** End of the interval (Unix s). */
  readonly time: number;
  readonly fields: Readonly<Record<string, number>>;
}

export interface RequestCounts {
  counter(model: string): IntervalCounter;
  /**
   * Ends the interval: a record for each model that is served, also where nothing happened, so that a model that is idle
   * shows as such.
   * @param queueing requests that the gateway holds
   */
  end(time: number, served: readonly string[], queueing: (model: string) => number): readonly IntervalRecord[];
}

export const requestCounts = (intervalSeconds: number): RequestCounts => {
  const counters = new Map<string, IntervalCounter>();
  const counter = (model: string): IntervalCounter => {
    const known = counters.get(model) ?? intervalCounter(intervalSeconds);
    counters.set(model, known);
    return known;
  };
  return {
    counter,
    end: (time, served, queueing) => {
      for (const model of served) counter(model);
      return [...counters].map(([model, one]) => {
        const idle = one.pending() === 0 && !served.includes(model);
        if (idle) counters.delete(model);
        return { model, time, fields: one.fields(queueing(model)) };
      });
    },
  };
};
