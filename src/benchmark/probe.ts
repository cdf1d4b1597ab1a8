import type { Slo } from '../profiles/profile-document.ts';
import { GpumixError } from '../vocabulary/errors.ts';
import { element } from '../vocabulary/list-element.ts';
import { exponential, seeded } from '../vocabulary/random.ts';
import { type CountedArrivals, countedArrivals } from './arrivals.ts';
import type { Answer, Clock, Endpoint } from './endpoint.ts';
import type { Sample } from './samples.ts';
import type { Size } from './sizes.ts';
import { verdictOf } from './verdict.ts';
import { promptOf, type Vocabulary } from './words.ts';

export interface ProbeOptions {
  readonly size: Size;
  /** Requests sent per second, whatever comes back. */
  readonly rate: number;
  readonly slo: Slo;
  /**
   * Requests that count at first, unless they would take longer than `mostSeconds`; then fewer, but `fewestCounted`. While they
   * leave in doubt whether the SLO is kept, twice as many count, up to 64 times as many, as long as that takes no longer than
   * `mostSeconds`.
   */
  readonly requests: number;
  readonly mostSeconds: number;
  /** What the percentile need not be known closer than: a share of its distance from the median. */
  readonly tolerance: number;
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

/** Fewer tell of no overload. */
const fewestKnown = 30;
/** Requests that break, not counting this share: an endpoint that breaks more is out of order, not overloaded. */
const brokenShare = 0.02;
/** So many failures of any kind before the first success are no overload either. */
const allFailed = 10;

interface Sent {
  readonly sentAt: number;
  /** Among the requests that count, from 0; null = it came while the batch filled. */
  readonly place: number | null;
  readonly abort: AbortController;
  firstTokenAt: number | null;
  answer: Answer | null;
}

/**
 * Sends requests of one size at one rate, open loop with Poisson arrivals: first until the batch is as full as it gets, then
 * those that count. When these are answered they may tell enough; meanwhile others were sent, so that none of them saw an emptier
 * engine, and where they do not, these count as well.
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
  const filling: Sent[] = [];
  const counted: Sent[] = [];
  const unanswered = new Set<Sent>();
  const tally = newTally();
  let arrivals: CountedArrivals | null = null;
  let [due, lateSeconds, hopeless] = [began, 0, false];

  const send = (): void => {
    const place = arrivals === null ? null : counted.length;
    const request: Sent = { sentAt: clock.now(), place, abort: new AbortController(), firstTokenAt: null, answer: null };
    (place === null ? filling : counted).push(request);
    unanswered.add(request);
    const { text } = promptOf(size.inputTokens, vocabulary, random);
    const onFirstToken = () => {
      request.firstTokenAt = clock.now();
    };
    void endpoint.ask(text, size.outputTokens, request.abort.signal, onFirstToken).then((answer) => {
      request.answer = answer;
      unanswered.delete(request);
      tally.add(request, clock.now(), options);
    });
  };
  const tellsEnough = (stage: number): boolean =>
    verdictOf(summary(counted.slice(0, stage), clock.now(), options).samples, size, options) !== 'unsure';

  while (!hopeless) {
    if (arrivals === null && tally.served() >= fewestServed)
      arrivals = countedArrivals(e2eOf(filling), clock.now() - began, options, random);
    if (arrivals !== null && tally.answeredUpTo() >= arrivals.stage())
      if (tellsEnough(arrivals.stage()) || !arrivals.extend()) break;
    due += arrivals === null ? exponential(random, 1 / rate) : arrivals.gapBefore(counted.length);
    await clock.until(due);
    lateSeconds = Math.max(lateSeconds, clock.now() - due);
    checkBroken(tally, unanswered);
    hopeless = cannotPass({ filling, unanswered, tally, most: arrivals?.most ?? null }, clock.now(), options);
    if (!hopeless) send();
  }
  const now = clock.now();
  for (const { abort } of [...unanswered]) abort.abort();
  const scope = arrivals === null ? sinceLate(filling, now, options) : hopeless ? counted : counted.slice(0, arrivals.stage());
  return { ...summary(scope, now, options), hopeless, lateSeconds };
};

/** Completions that say how long a request takes, at least and at most. */
const [fewestServed, recent] = [5, 20];
const e2eOf = (filling: readonly Sent[]): number => {
  const last = filling.filter(isServed).slice(-recent);
  return element(
    last.map(({ answer }) => answer.doneAt - answer.sentAt).sort((a, b) => a - b),
    last.length >> 1,
  );
};

type ServedRequest = Sent & { readonly answer: Extract<Answer, { kind: 'served' }> };
const isServed = (request: Sent): request is ServedRequest => request.answer?.kind === 'served';

/** Which limits on time a request breaks, as far as it is known by now. */
const missed = (request: Sent, now: number, { slo, size }: ProbeOptions): readonly boolean[] => {
  const never = Number.POSITIVE_INFINITY;
  const { ttft = never, tpot = never } = slo;
  const e2e = Math.min(slo.e2e ?? never, (slo.tpat ?? never) * (size.inputTokens + size.outputTokens));
  if (request.answer?.kind === 'failed') return [true, true, true];
  const first = (request.firstTokenAt ?? now) - request.sentAt;
  const whole = (request.answer?.doneAt ?? now) - request.sentAt;
  const each = isServed(request)
    ? (request.answer.doneAt - request.answer.firstTokenAt) / Math.max(1, size.outputTokens - 1)
    : Number.NaN;
  return [first >= ttft, each >= tpot, whole >= e2e];
};

const isLate = (request: Sent, now: number, options: ProbeOptions): boolean => missed(request, now, options).includes(true);

/** What answers have told, kept as they come. */
const newTally = () => {
  const failures: Extract<Answer, { kind: 'failed' }>[] = [];
  const misses = [0, 0, 0];
  /** Places of answered requests beyond the first that is not. */
  const ahead = new Set<number>();
  let [served, counted, upTo] = [0, 0, 0];
  return {
    failures,
    /** By limit, of answered requests that count. */
    misses,
    served: () => served,
    counted: () => counted,
    /** So many of those that count are answered without a gap. */
    answeredUpTo: () => upTo,
    add: (request: Sent, now: number, options: ProbeOptions): void => {
      if (request.answer?.kind === 'failed') failures.push(request.answer);
      else served += 1;
      if (request.place === null) return;
      counted += 1;
      for (const [index, miss] of missed(request, now, options).entries()) if (miss) misses[index] = element(misses, index) + 1;
      ahead.add(request.place);
      while (ahead.delete(upTo)) upTo += 1;
    },
  };
};
type Tally = ReturnType<typeof newTally>;

/** What a probe has seen so far. */
interface ProbeSoFar {
  /** Sent while the batch fills. */
  readonly filling: readonly Sent[];
  readonly unanswered: ReadonlySet<Sent>;
  readonly tally: Tally;
  /** Requests that will count at most; null = the batch still fills. */
  readonly most: number | null;
}

/**
 * Whether so many requests are late already that their percentile is beyond its limit, whatever the others do. While the
 * batch fills, latencies only grow, and twice as many and some are taken for the same.
 */
const cannotPass = ({ filling, unanswered, tally, most }: ProbeSoFar, now: number, options: ProbeOptions): boolean => {
  const { slo, requests } = options;
  if (slo.percentile === 0) return false;
  const share = 1 - slo.percentile / 100;
  const scope = most === null ? sinceLate(filling, now, options) : [...unanswered].filter(({ place }) => place !== null);
  const tooMany = most === null ? 2 * share * Math.max(requests, filling.length) + 5 : share * (most - 1) + 2;
  let known = most === null ? 0 : tally.counted();
  const misses = most === null ? [0, 0, 0] : [...tally.misses];
  for (const request of scope) {
    const missing = missed(request, now, options);
    if (request.answer !== null || missing.includes(true)) known += 1;
    for (const [index, miss] of missing.entries()) if (miss) misses[index] = element(misses, index) + 1;
  }
  return known >= fewestKnown && misses.some((count) => count >= tooMany);
};

/** What tells of a rate while nothing counts: the requests since it went wrong. */
const sinceLate = (filling: readonly Sent[], now: number, options: ProbeOptions): readonly Sent[] => {
  const first = filling.findIndex((request) => isLate(request, now, options));
  return first < 0 ? [] : filling.slice(first);
};

const checkBroken = ({ failures, served }: Tally, unanswered: ReadonlySet<Sent>): void => {
  const broken = failures.filter(({ cause }) => cause === 'broken');
  const sent = served() + failures.length + unanswered.size;
  const nothingServed = failures.length >= allFailed && served() === 0;
  if (broken.length <= Math.max(3, brokenShare * sent) && !nothingServed) return;
  for (const { abort } of [...unanswered]) abort.abort();
  const said = nothingServed ? failures : broken;
  throw new GpumixError('ENDPOINT_UNUSABLE', `${said.length} of ${sent} requests failed: ${said.at(-1)!.message}`);
};

const summary = (requests: readonly Sent[], now: number, options: ProbeOptions) => {
  const failures = new Map<string, number>();
  let short = 0;
  const samples = requests.flatMap((request): readonly Sample[] => {
    if (isServed(request)) {
      const { usage, sentAt, firstTokenAt, doneAt } = request.answer;
      if (usage !== null && usage.outputTokens < options.size.outputTokens) short += 1;
      return [{ kind: 'served', sentAt, firstTokenAt, doneAt }];
    }
    if (request.answer?.kind === 'failed') {
      failures.set(request.answer.message, (failures.get(request.answer.message) ?? 0) + 1);
      return [{ kind: 'failed' }];
    }
    // What still waits, but not for too long, says nothing yet.
    if (!isLate(request, now, options)) return [];
    const e2eSeconds = now - request.sentAt;
    return [{ kind: 'late', e2eSeconds, ttftSeconds: (request.firstTokenAt ?? now) - request.sentAt }];
  });
  return { samples, failures, short };
};
