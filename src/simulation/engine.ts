/** How fast one replica's engine is; times in seconds. */
export interface EngineSpeed {
  /** Of an iteration by itself: every weight is read once. */
  readonly iterationSeconds: number;
  /** That each token in the key-value cache of a decoding request adds to an iteration. */
  readonly secondsPerCachedToken: number;
  /** That each token of a prompt adds, and each pair of tokens of one prompt (attention). */
  readonly secondsPerPromptToken: number;
  readonly secondsPerPromptPair: number;
  /** Tokens of prompts that one iteration takes at most, so that decoding goes on meanwhile. */
  readonly promptTokensPerIteration: number;
  /** Tokens that the key-value cache holds. */
  readonly cacheTokens: number;
  /** Requests that run at once. */
  readonly maxRunning: number;
}

export interface EngineRequest {
  readonly inputTokens: number;
  /** At least 1. */
  readonly outputTokens: number;
}

/** What happens to a request, and when (s). The first token is not told again as a token. */
export type EngineEvent<Request> = (kind: 'firstToken' | 'token' | 'done', request: Request, time: number) => void;

/** One engine. Time only moves by `advance`, so that it runs in virtual time as well as by a clock. */
export interface Engine<Request extends EngineRequest> {
  /** A request arrives at `time`, which no advance has passed yet. */
  submit(request: Request, time: number): void;
  /** Tells what happens up to `to`, in order. How often it is called changes nothing. */
  advance(to: number): void;
  /** Nothing happens before (s); Infinity = nothing at all. */
  nextEventAt(): number;
  /** Requests that the engine has begun with, and those that it has not. */
  running(): number;
  waiting(): number;
  /** Requests that have had no first token yet, waiting or running. */
  unread(): number;
}

/** Work that lasts until `end`, and what is different then. */
interface Work {
  readonly end: number;
  finish(): void;
}

interface Decoding<Request> {
  readonly request: Request;
  /** Number of the iteration that makes its last token. */
  readonly last: number;
}

/**
 * Continuous batching with chunked prompts, as vLLM does it: each iteration makes one token for every decoding request and
 * takes some tokens of the oldest prompts. Requests are admitted in order, between two iterations, while the next one has tokens
 * left for their prompts (vLLM's scheduler: "while waiting and token_budget > 0") and the cache holds all their tokens to come,
 * so none is ever thrown out again. Iterations in which nobody comes or goes are computed at once: the k-th of them takes
 * iteration + cached x secondsPerCachedToken, and the cache grows by one token per request.
 */
export const createEngine = <Request extends EngineRequest>(
  speed: EngineSpeed,
  onEvent: EngineEvent<Request>,
  { everyToken = false }: { readonly everyToken?: boolean } = {},
): Engine<Request> => {
  const queue: Arrived<Request>[] = [];
  const batch = createBatch(speed, onEvent, everyToken);
  let work: Work | null = null;
  const next = (): Work | null => {
    if (work !== null) return work;
    batch.admit(queue);
    work = batch.work(queue[0]?.arrivedAt ?? null);
    return work;
  };
  return {
    submit: (request, time) => {
      queue.push({ request, arrivedAt: time });
      // What was computed up to the next departure may have to stop for this one.
      if (batch.prompts() === 0) work = null;
    },
    advance: (to) => {
      for (let now = next(); now !== null && now.end <= to; now = next()) {
        work = null;
        now.finish();
      }
    },
    nextEventAt: () => next()?.end ?? Number.POSITIVE_INFINITY,
    running: batch.running,
    waiting: () => queue.length,
    unread: () => queue.length + batch.prompts(),
  };
};

interface Arrived<Request> {
  readonly request: Request;
  readonly arrivedAt: number;
}

const needs = ({ inputTokens, outputTokens }: EngineRequest): number => inputTokens + outputTokens;

/** The requests that run: those whose prompts are read, and those that decode. */
const createBatch = <Request extends EngineRequest>(speed: EngineSpeed, onEvent: EngineEvent<Request>, everyToken: boolean) => {
  const prompts: { readonly request: Request; done: number }[] = [];
  /** Latest end first. */
  const decoding: Decoding<Request>[] = [];
  /** End of the last iteration, and how many there were. */
  let [clock, iterations] = [0, 0];
  /** Tokens in the cache of decoding requests, and tokens promised to all that run. */
  let [cached, promised] = [0, 0];

  const running = (): number => prompts.length + decoding.length;
  const unreadTokens = (): number => prompts.reduce((sum, { request, done }) => sum + request.inputTokens - done, 0);

  const admit = (queue: Arrived<Request>[]): void => {
    if (running() === 0 && queue.length > 0) clock = Math.max(clock, queue[0]!.arrivedAt);
    while (queue.length > 0 && queue[0]!.arrivedAt <= clock && running() < speed.maxRunning) {
      const { request } = queue[0]!;
      if (unreadTokens() >= speed.promptTokensPerIteration) return;
      if (running() > 0 && promised + needs(request) > speed.cacheTokens) return;
      queue.shift();
      promised += needs(request);
      prompts.push({ request, done: 0 });
    }
  };

  const startDecoding = (request: Request): void => {
    cached += request.inputTokens + 1;
    const last = iterations + request.outputTokens - 1;
    decoding.splice(decoding.findLastIndex((other) => other.last >= last) + 1, 0, { request, last });
  };

  const end = (request: Request): void => {
    promised -= needs(request);
    onEvent('done', request, clock);
  };

  /** After iterations of which the last ends at `now`: a token for each of these. */
  const decoded = (count: number, now: number): void => {
    clock = now;
    cached += count * decoding.length;
    iterations += count;
    if (everyToken) for (const { request } of decoding) onEvent('token', request, clock);
    while (decoding.length > 0 && decoding.at(-1)!.last <= iterations) {
      const { request } = decoding.pop()!;
      cached -= needs(request);
      end(request);
    }
  };

  /** After an iteration that also took so many tokens of each prompt: those that are read begin to decode. */
  const promptsTaken = (chunks: readonly number[], now: number): void => {
    decoded(1, now);
    for (const [index, chunk] of chunks.entries()) prompts[index]!.done += chunk;
    const read = prompts.findIndex(({ request, done }) => done < request.inputTokens);
    for (const { request } of prompts.splice(0, read < 0 ? prompts.length : read)) {
      onEvent('firstToken', request, clock);
      if (request.outputTokens > 1) startDecoding(request);
      else end(request);
    }
  };

  const promptWork = (): Work => {
    const { chunks, seconds } = promptIteration(speed, prompts);
    const until = clock + seconds + cached * speed.secondsPerCachedToken;
    return { end: until, finish: () => promptsTaken(chunks, until) };
  };

  const decodeWork = (nextArrival: number | null): Work => {
    const most = everyToken ? 1 : decoding.at(-1)!.last - iterations;
    const { count, seconds } = decodeIterations(speed, decoding.length, cached, most, (nextArrival ?? 0) - clock);
    const until = clock + seconds;
    return { end: until, finish: () => decoded(count, until) };
  };

  return {
    running,
    prompts: () => prompts.length,
    /** Takes in those that have arrived by now, while there is room. */
    admit,
    /** What is done next; null = nothing runs. @param nextArrival s; null = nobody waits */
    work: (nextArrival: number | null): Work | null =>
      prompts.length > 0 ? promptWork() : decoding.length > 0 ? decodeWork(nextArrival) : null,
  };
};

/** How many tokens of each prompt one iteration takes, the oldest first, and how long it lasts for them (s). */
const promptIteration = (speed: EngineSpeed, prompts: readonly { readonly request: EngineRequest; readonly done: number }[]) => {
  let [left, seconds] = [speed.promptTokensPerIteration, speed.iterationSeconds];
  const chunks = prompts.map(({ request, done }) => {
    const chunk = Math.min(left, request.inputTokens - done);
    left -= chunk;
    seconds += chunk * (speed.secondsPerPromptToken + speed.secondsPerPromptPair * (2 * done + chunk));
    return chunk;
  });
  return { chunks, seconds };
};

/**
 * How many iterations there are until the next request comes or one leaves, and how long they last (s).
 * @param untilArrival s; 0 or less = nobody waits to come
 */
const decodeIterations = (speed: EngineSpeed, decoding: number, cached: number, most: number, untilArrival: number) => {
  const first = speed.iterationSeconds + cached * speed.secondsPerCachedToken;
  const growth = (decoding * speed.secondsPerCachedToken) / 2;
  const seconds = (count: number): number => count * (first + growth * (count - 1));
  // The first iteration that ends after the next arrival is the last without it.
  const before = untilArrival > 0 ? iterationsUntil(untilArrival, first, growth, seconds) : Number.POSITIVE_INFINITY;
  const count = Math.min(most, before);
  return { count, seconds: seconds(count) };
};

/** The least number of iterations that last at least so long; the algebra is solved, and rounding set right. */
const iterationsUntil = (length: number, first: number, growth: number, seconds: (count: number) => number): number => {
  const linear = first - growth;
  const root = growth === 0 ? length / first : (Math.sqrt(linear * linear + 4 * growth * length) - linear) / (2 * growth);
  let count = Math.max(1, Math.ceil(root));
  while (count > 1 && seconds(count - 1) >= length) count -= 1;
  while (seconds(count) < length) count += 1;
  return count;
};
