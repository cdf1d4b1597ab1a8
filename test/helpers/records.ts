import { decodeRecord } from '../../src/workload/histogram.ts';
import type { EndedInterval } from '../../src/workload/request-counts.ts';
import type { Interval } from '../../src/workload/workload.ts';

/** A version 4 record of `arrivals` requests in the interval that ends at `time`. */
export const recordText = (arrivals: number, fields: Readonly<Record<string, number>> = {}): string =>
  JSON.stringify({
    meta_v: 4,
    meta_interval_sec: 10,
    meta_precision: 10,
    meta_total_reqs: arrivals,
    meta_pending_reqs: 0,
    ...fields,
  });

export const record = (time: number, arrivals: number, fields: Readonly<Record<string, number>> = {}): Interval => ({
  time,
  found: 'record',
  record: decodeRecord(recordText(arrivals, fields), 'record'),
});

export const nothing = (time: number): Interval => ({ time, found: 'nothing' });

/** An interval of ten seconds that ended in time. */
export const wholeInterval = (time: number): EndedInterval => ({
  time,
  spans: [{ time, seconds: 10, round: 1 }],
  paused: false,
});
