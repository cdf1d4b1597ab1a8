import { type Interval, recordOf } from '../../workload/workload.ts';

/** What is learned of a model's engines from what stays in flight. */
export interface Strain {
  /** Work of a request over what the profiles say; 1 = as they say. */
  readonly factor: number;
  /** Since when the same replicas are Ready, all that were asked for then, and neither rate nor work have risen (Unix s). */
  readonly steadySince: number;
  /** The factor, the rate (req/s), the work of a request and the Ready replicas then. */
  readonly steadyFactor: number;
  readonly rate: number;
  readonly requestWork: number;
  readonly ready: number;
  readonly at: number;
}

export interface StrainEvidence {
  /** Unix seconds. */
  readonly now: number;
  readonly intervals: readonly Interval[];
  /** Arrivals now (req/s). */
  readonly rate: number;
  /** What one request takes of the Ready replicas by their profiles, in any unit. */
  readonly requestWork: number;
  /** Mean square of that over the square of its mean; 1 = all requests are alike. */
  readonly spread: number;
  readonly headroom: number;
  /** Requests in flight beyond what is normal. */
  readonly backlog: number;
  /** Ready replicas of all variants, and whether some that is asked for is not Ready. */
  readonly ready: number;
  readonly someStarting: boolean;
}

/** Over so long what is in flight must grow (s). */
const spanSeconds = 60;
/** A rate that is so much higher is another one; so is the work of a request, whose mean over minutes wavers less. */
const [risenRate, risenWork] = [1.1, 1.05];
/** What is learned is taken for so much more, so that the second lesson is not due when the first is over. */
const margin = 1.1;
/** What was learned is half forgotten after so long (s), and is never more than this. */
const halfLifeSeconds = 6 * 3600;
const most = 2;

/**
 * Engines that are slower than their profiles show as more requests in flight than is normal, and still more, though all
 * replicas that the plan asked for are Ready, and neither the rate nor the work of a request has risen: longer prompts are no
 * slower engine. What is served then is what they can do; the plan's capacity over that is the factor. Without it a backlog
 * would be worked off, the replicas for it be taken away, and the next one begin.
 */
export const strainNow = (previous: Strain | undefined, strained: StrainEvidence): Strain => {
  const { now, rate, requestWork, headroom, backlog, ready, someStarting } = strained;
  const before = previous ?? { factor: 1, steadySince: now, steadyFactor: 1, rate, requestWork, ready, at: now };
  const factor = 1 + (before.factor - 1) * 2 ** (-Math.max(0, now - before.at) / halfLifeSeconds);
  // What is asked for because of what was just learned does not end the lesson.
  const settled = !someStarting || now - before.steadySince >= spanSeconds;
  const risen = rate > risenRate * before.rate || requestWork > risenWork * before.requestWork;
  if (!settled || ready !== before.ready || risen)
    return { factor, steadySince: now, steadyFactor: factor, rate, requestWork, ready, at: now };
  const served = backlog > 0 ? servedWhileGrowing(strained, before.steadySince) : null;
  // At least this much was planned for: half of the headroom may be lacking.
  const learned = served === null ? 0 : (margin * before.steadyFactor * rate * (1 + headroom / 2)) / served;
  return { ...before, factor: Math.min(most, Math.max(factor, learned)), at: now };
};

/** req/s that end while what is in flight grows for certain; null = it does not. */
const servedWhileGrowing = ({ intervals, rate, spread }: StrainEvidence, since: number): number | null => {
  const newest = intervals.at(-1)?.time ?? 0;
  const records = intervals.filter(({ time }) => time >= newest - spanSeconds).flatMap((interval) => recordOf(interval) ?? []);
  const inFlight = records.flatMap(({ pending }) => pending ?? []);
  const [first, last] = [records[0]?.pending, records.at(-1)?.pending];
  if (first == null || last == null || newest - spanSeconds < since) return null;
  // What waited for a gateway that did not run says nothing of the engines.
  if (records.some(({ paused }) => paused)) return null;
  const later = records.slice(1);
  const seconds = later.reduce((sum, record) => sum + record.intervalSeconds, 0);
  const growth = last - first;
  if (seconds < spanSeconds || growth - largestStep(inFlight) < chanceGrowth(rate, spread)) return null;
  return Math.max(1e-3, (later.reduce((sum, { arrivals }) => sum + arrivals, 0) - growth) / seconds);
};

/**
 * By how much what is in flight grows by chance (one standard deviation): the work that arrives in that time is the sum of so
 * many sizes, and few long prompts are a lot of it.
 */
const chanceGrowth = (rate: number, spread: number): number => Math.sqrt(rate * spanSeconds * spread);

/**
 * The most that it grew from one record to the next. A slow engine falls behind all the time; two long prompts that meet hold
 * up all others at once, and their sizes are known only when they have ended.
 */
const largestStep = (inFlight: readonly number[]): number =>
  Math.max(...inFlight.slice(1).map((pending, index) => pending - inFlight[index]!));
