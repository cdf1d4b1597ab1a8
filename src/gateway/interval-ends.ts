import { recordLifetimeSeconds } from '../workload/histogram.ts';
import type { EndedInterval, KeySpan } from '../workload/request-counts.ts';

/** A difference of the two clocks (s) that is no drift, and one that is left to itself. */
const leap = 2;
/** A call that comes so much too late (s) shows that this process did not run. */
const pause = 2;
/** A key that comes again is written again where so much of it has been lived again. */
const mostly = 0.9;

/**
 * Says which keys the requests belong to that were counted since the last time. Keys are multiples of the interval, by a clock
 * that others share and that may step; how much time has really passed tells a second clock that never does.
 *
 * - After a pause the counts are of all the time since the last end, and so of all keys that were passed.
 * - After a step ahead the counts are of as much time before now as has really passed. The keys that were leapt over are named
 *   too, as they may stand for a pause in which the steady clock stood still.
 * - After a step back the same keys come again, in a new round. Those that have only in part been lived again are left as they
 *   were.
 *
 * What has come in meanwhile is taken in only after a pause or a leap ahead, so that the interval ends half an interval later at
 * least.
 * @param now by the shared clock (Unix s)
 * @param steady by the steady one (s)
 */
export const intervalEnds = (intervalSeconds: number, now: number, steady: number) => {
  const endBefore = (time: number): number => Math.floor(time / intervalSeconds) * intervalSeconds;
  /** Newest key that was written or begun before we came. */
  let last = endBefore(now);
  /** Since when requests are being counted, by the shared clock as it goes now. */
  let from = now;
  let round = 1;
  let notBefore: number | null = null;
  let seen = { now, steady };

  const ended = (time: number): EndedInterval => {
    const spans: KeySpan[] = [];
    const first = Math.max(last, Math.min(endBefore(from), time - recordLifetimeSeconds));
    for (let key = first + intervalSeconds; key <= time; key += intervalSeconds) {
      const seconds = Math.max(0, Math.min(key, time) - Math.max(key - intervalSeconds, from));
      spans.push({ time: key, seconds, round: seconds > mostly * intervalSeconds ? round : 1 });
    }
    const paused = notBefore !== null;
    [last, from, notBefore] = [time, time, null];
    return { time, spans, paused };
  };

  return {
    /**
     * To be called every second, and when an interval ends.
     * @param late how much later than it was planned this call is (s)
     * @returns null = none has ended
     */
    look: (now: number, steady: number, late: number): EndedInterval | null => {
      const step = now - seen.now - (steady - seen.steady);
      seen = { now, steady };
      if (Math.abs(step) >= leap) from += step;
      if (step <= -leap) {
        round += 1;
        last = endBefore(from);
        notBefore = null;
      }
      if (step >= leap || (late >= pause && notBefore === null)) notBefore = endBefore(now + 1.5 * intervalSeconds);
      const time = endBefore(now);
      return time > last && time > from && time >= (notBefore ?? time) ? ended(time) : null;
    },
    /** Ends the interval that has begun. */
    finish: (now: number): EndedInterval => ended(endBefore(now) + intervalSeconds),
  };
};

export interface SharedClock {
  /** Unix s */
  now(): number;
  /** s; it never steps */
  steady(): number;
  /** Looks what the time is, where others have it from. */
  read(): Promise<void>;
}

/** Longest time between two looks at the clocks (ms). */
const lookMilliseconds = 1000;

/** Calls at the end of each interval. @returns ends the last one, which has begun */
export const atIntervalEnds = (
  intervalSeconds: number,
  clock: SharedClock,
  end: (interval: EndedInterval) => void,
): (() => EndedInterval) => {
  const intervals = intervalEnds(intervalSeconds, clock.now(), clock.steady());
  let timer: NodeJS.Timeout;
  let stopped = false;
  const wait = (): void => {
    const left = (intervalSeconds - (clock.now() % intervalSeconds)) * 1000;
    const milliseconds = Math.max(1, Math.min(left, lookMilliseconds));
    const due = clock.steady() + milliseconds / 1000;
    timer = setTimeout(() => void look(due), milliseconds);
  };
  const look = async (due: number): Promise<void> => {
    const late = clock.steady() - due;
    await clock.read();
    if (stopped) return;
    const ended = intervals.look(clock.now(), clock.steady(), late);
    if (ended !== null) end(ended);
    wait();
  };
  wait();
  return () => {
    stopped = true;
    clearTimeout(timer);
    return intervals.finish(clock.now());
  };
};
