import type { Slo } from '../domain.ts';
import { GpumixError } from '../errors.ts';
import { exponential, seeded } from '../simulation/random.ts';
import type { Answer, Clock, Endpoint } from './endpoint.ts';
import type { Sample } from './samples.ts';
import type { Size } from './sizes.ts';
import { promptOf, type Vocabulary } from './words.ts';

export interface ProbeOptions {
  readonly size: Size;
  /** Requests sent per second, whatever comes back. */
  readonly rate: number;
  readonly slo: Slo;
  /** Requests that count, unless they would take longer than `mostSeconds`; then fewer, but `fewestCounted`. */
  readonly requests: number;
  readonly mostSeconds: number;
  readonly seed: number;
}

export interface ProbeResult {
  /** Of the requests that count. */
  readonly samples: readonly Sample[];
  /** Why requests that count got no answer, and how many for each reason. */
  readonly failures: ReadonlyMap<string, number>;
  /** Answers with fewer tokens than were asked for. */
  readonly short: number;
  /** The rate was given up before its end, as it could not pass any more. */
  readonly hopeless: boolean;
  /** The longest that a request went out after its time (s): the client's own slowness. */
  readonly lateSeconds: number;
}

/** Fewer tell nothing about a percentile. */
export const fewestCounted = 30;
/** The batch is full when requests have come for so many times as long as one takes. */
const fillings = 3;
/**
 * Those that count come for so many times as long, or as they may wait: lest the first and the last of them say more than
 * the others, and so that a queue that grows has the time to show.
 */
const countedFillings = 4;
/** Completions that say how long one takes. */
const recent = 20;
/** Requests that break, not counting this share: an endpoint that breaks more is out of order, not overloaded. */
const brokenShare = 0.02;
/** So many failures of any kind before the first success are no overload either. */
const allFailed = 10;

interface Sent {
  readonly sentAt: number;
  readonly counted: boolean;
  readonly abort: AbortController;
  firstTokenAt: number | null;
  answer: Answer | null;
}

/**
 * Sends requests of one size at one rate, open loop with Poisson arrivals: first until the batch is as full as it gets,
 * then those that count, then more of the same until these are answered, so that none of them sees an emptier engine.
 * @throws GpumixError ENDPOINT_UNUSABLE where requests break
 */
export const probe = async (
  endpoint: Endpoint,
  clock: Clock,
  vocabulary: Vocabulary,
  options: ProbeOptions,
): Promise<ProbeResult> => {
  const { size, rate } = options;
  const random = seeded(options.seed);
  const began = clock.now();
  const sent: Sent[] = [];
  /** Gaps before the requests that count (s), once the batch is full. */
  let gaps: readonly number[] | null = null;
  let [next, due, lateSeconds, hopeless] = [0, began, 0, false];

  const send = (counted: boolean): void => {
    const one: Sent = { sentAt: clock.now(), counted, abort: new AbortController(), firstTokenAt: null, answer: null };
    sent.push(one);
    const { text } = promptOf(size.inputTokens, vocabulary, random);
    const onFirstToken = () => {
      one.firstTokenAt = clock.now();
    };
    void endpoint.ask(text, size.outputTokens, one.abort.signal, onFirstToken).then((answer) => {
      one.answer = answer;
    });
  };

  while (!hopeless) {
    if (gaps === null) gaps = countedGaps(sent, clock.now() - began, options, random);
    const counting = gaps !== null && next < gaps.length;
    if (gaps !== null && !counting && sent.every(({ counted, answer }) => !counted || answer !== null)) break;
    due += counting ? gaps![next]! : exponential(random, 1 / rate);
    await clock.until(due);
    lateSeconds = Math.max(lateSeconds, clock.now() - due);
    checkBroken(sent);
    hopeless = cannotPass(sent, gaps?.length ?? null, clock.now(), options);
    if (hopeless) break;
    send(counting);
    if (counting) next += 1;
  }
  const now = clock.now();
  for (const { abort, answer } of sent) if (answer === null) abort.abort();
  const counted = inScope(sent, gaps !== null, now, options);
  return { ...summary(counted, now, options), hopeless, lateSeconds };
};

/**
 * Once the batch is full, the gaps between the requests that count: those of a Poisson process of which one knows how many
 * come and how long that takes. So the rate is what it should be, and chance is only in when they come.
 */
const countedGaps = (
  sent: readonly Sent[],
  elapsed: number,
  { rate, requests, mostSeconds, slo }: ProbeOptions,
  random: () => number,
): readonly number[] | null => {
  const last = sent.filter(isServed).slice(-recent);
  if (last.length < 5) return null;
  const e2e = last.map(({ answer }) => answer.doneAt - answer.sentAt).sort((a, b) => a - b)[last.length >> 1]!;
  if (elapsed < Math.min(fillings * e2e, mostSeconds)) return null;
  const least = Math.min(mostSeconds, countedFillings * Math.max(e2e, slo.ttft ?? 0));
  const count = Math.ceil(rate * Math.max(Math.min(requests / rate, mostSeconds), least));
  const gaps = Array.from({ length: Math.max(fewestCounted, count) }, () => exponential(random, 1));
  const sum = gaps.reduce((total, gap) => total + gap, 0);
  return gaps.map((gap) => (gap * gaps.length) / (rate * sum));
};

type ServedRequest = Sent & { readonly answer: Extract<Answer, { kind: 'served' }> };
const isServed = (one: Sent): one is ServedRequest => one.answer?.kind === 'served';

/** Which limits on time a request breaks, as far as it is known by now. */
const missed = (one: Sent, now: number, { slo, size }: ProbeOptions): readonly boolean[] => {
  const never = Number.POSITIVE_INFINITY;
  const { ttft = never, tpot = never } = slo;
  const e2e = Math.min(slo.e2e ?? never, (slo.tpat ?? never) * (size.inputTokens + size.outputTokens));
  if (one.answer?.kind === 'failed') return [true, true, true];
  const first = (one.firstTokenAt ?? now) - one.sentAt;
  const whole = (one.answer?.doneAt ?? now) - one.sentAt;
  const each = isServed(one)
    ? (one.answer.doneAt - one.answer.firstTokenAt) / Math.max(1, size.outputTokens - 1)
    : Number.NaN;
  return [first >= ttft, each >= tpot, whole >= e2e];
};

const isLate = (one: Sent, now: number, options: ProbeOptions): boolean => missed(one, now, options).includes(true);

/**
 * Whether so many requests are late already that their percentile is beyond its limit, whatever the others do. While the
 * batch fills, latencies only grow, and twice as many and some are taken for the same.
 * @param counting requests that will count; null = the batch still fills
 */
const cannotPass = (sent: readonly Sent[], counting: number | null, now: number, options: ProbeOptions): boolean => {
  const { percentile } = options.slo;
  if (percentile === 0) return false;
  const share = 1 - percentile / 100;
  const most = counting === null ? 2 * share * Math.max(options.requests, sent.length) + 5 : share * (counting - 1) + 2;
  const scope = inScope(sent, counting !== null, now, options);
  let known = 0;
  const misses = [0, 0, 0];
  for (const one of scope) {
    const missing = missed(one, now, options);
    if (one.answer !== null || missing.includes(true)) known += 1;
    for (const [index, miss] of missing.entries()) if (miss) misses[index]! += 1;
  }
  return known >= fewestCounted && misses.some((count) => count >= most);
};

/** What tells of a rate: the requests that count, or, while there are none, those since it went wrong. */
const inScope = (sent: readonly Sent[], counting: boolean, now: number, options: ProbeOptions): readonly Sent[] => {
  if (counting) return sent.filter(({ counted }) => counted);
  const first = sent.findIndex((one) => isLate(one, now, options));
  return first < 0 ? [] : sent.slice(first);
};

const checkBroken = (sent: readonly Sent[]): void => {
  const failed = sent.flatMap(({ answer }) => (answer?.kind === 'failed' ? [answer] : []));
  const broken = failed.filter(({ cause }) => cause === 'broken');
  const nothingServed = failed.length >= allFailed && !sent.some(isServed);
  if (broken.length <= Math.max(3, brokenShare * sent.length) && !nothingServed) return;
  for (const { abort } of sent) abort.abort();
  const said = nothingServed ? failed : broken;
  throw new GpumixError(
    'ENDPOINT_UNUSABLE',
    `${said.length} of ${sent.length} requests failed: ${said.at(-1)!.message}`,
  );
};

const summary = (requests: readonly Sent[], now: number, options: ProbeOptions) => {
  const failures = new Map<string, number>();
  let short = 0;
  const samples = requests.flatMap((one): readonly Sample[] => {
    if (isServed(one)) {
      const { usage, sentAt, firstTokenAt, doneAt } = one.answer;
      if (usage !== null && usage.outputTokens < options.size.outputTokens) short += 1;
      return [{ kind: 'served', sentAt, firstTokenAt, doneAt }];
    }
    if (one.answer?.kind === 'failed') {
      failures.set(one.answer.message, (failures.get(one.answer.message) ?? 0) + 1);
      return [{ kind: 'failed' }];
    }
    // What still waits, but not for too long, says nothing yet.
    if (!isLate(one, now, options)) return [];
    const e2eSeconds = now - one.sentAt;
    return [{ kind: 'late', e2eSeconds, ttftSeconds: (one.firstTokenAt ?? now) - one.sentAt }];
  });
  return { samples, failures, short };
};
