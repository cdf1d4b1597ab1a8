import { Agent, request } from 'node:http';
import { tokensOf } from '../engine/tokens.ts';

/** A request of known size. */
export interface Kind {
  readonly path: '/v1/chat/completions' | '/v1/completions';
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly streamed: boolean;
  /** Whether its answer says how many tokens it had; a stream does where it is asked to. */
  readonly usage: boolean;
  readonly body: (model: string) => string;
}

/** One request as its client saw it; times are Unix seconds. */
export interface Sent {
  readonly at: number;
  readonly seconds: number;
  /** Index in `kinds`. */
  readonly kind: number;
  /** HTTP status of the answer; 0 = none came whole. */
  readonly status: number;
}

/** Tokens that the engine model's chat template adds. */
const templateTokens = 5;

const kind = (chat: boolean, words: number, outputTokens: number, streamed: boolean, askForUsage = false): Kind => {
  const text = Array.from({ length: words }, () => 'a').join(' ');
  return {
    path: chat ? '/v1/chat/completions' : '/v1/completions',
    inputTokens: tokensOf(text) + (chat ? templateTokens : 0),
    outputTokens,
    streamed,
    usage: !streamed || askForUsage,
    body: (model) =>
      JSON.stringify({
        model,
        max_tokens: outputTokens,
        stream: streamed,
        ...(chat ? { messages: [{ role: 'user', content: text }] } : { prompt: text }),
        ...(askForUsage ? { stream_options: { include_usage: true } } : {}),
      }),
  };
};

/** Sent in turns. One in seven is a stream that says nothing of its size. */
export const kinds: readonly Kind[] = [
  kind(true, 250, 20, false),
  kind(true, 1500, 200, false),
  kind(false, 500, 64, false),
  kind(true, 1000, 100, true, true),
  kind(false, 2000, 30, true, true),
  kind(true, 350, 90, true),
  kind(true, 20, 495, true, true),
];

/** One of each size: those at which AIBrix's arithmetic skips a bucket, those beside them, and long ones. */
export const sizes: readonly Kind[] = [
  [2, 1],
  [3, 2],
  [18, 3],
  [20, 18],
  [21, 20],
  [247, 21],
  [248, 247],
  [284, 248],
  [285, 284],
  [350, 285],
  [401, 350],
  [402, 401],
  [495, 402],
  [568, 495],
  [569, 568],
  [1500, 200],
  [275, 20],
  [1024, 569],
  [2000, 1000],
  [75_000, 16],
  [100_000, 1000],
].map(([inputTokens = 0, outputTokens = 0]) => kind(false, inputTokens - 1, outputTokens, false));

export interface Client {
  /** Requests that have ended, in the order of their endings. */
  readonly ended: readonly Sent[];
  /** When each request was sent (Unix seconds), in order. */
  readonly sentAt: readonly number[];
  /** Resolves when the last request has ended. */
  readonly done: Promise<void>;
  /** Sends nothing more, and gives up what is not answered yet. */
  readonly stop: () => void;
}

/** A rate at each time since the start: requests per second, 0 for a pause, null for the end. */
export type Pace = (seconds: number) => number | null;

export const steady =
  (rate: number, seconds: number): Pace =>
  (time) =>
    time < seconds ? rate : null;

/** From one rate to another in a straight line. */
export const ramp =
  (from: number, to: number, seconds: number): Pace =>
  (time) =>
    time < seconds ? from + ((to - from) * time) / seconds : null;

/** One pace after another, each for its seconds. */
export const inTurn =
  (...parts: readonly { readonly pace: Pace; readonly seconds: number }[]): Pace =>
  (time) => {
    let left = time;
    for (const { pace, seconds } of parts) {
      if (left < seconds) return pace(left);
      left -= seconds;
    }
    return null;
  };

/** Sends requests at a pace, whatever becomes of those before, as clients do. Arrivals are a Poisson process. */
export const sendRequests = (url: string, model: string, pace: Pace, of: readonly Kind[] = kinds): Client => {
  const bodies = of.map(({ body }) => body(model));
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY, maxFreeSockets: 256 });
  const ended: Sent[] = [];
  const sentAt: number[] = [];
  const underWay = new Set<Promise<void>>();
  let stopped = false;
  const random = uniform(7);
  const send = (): void => {
    const index = sentAt.length % of.length;
    sentAt.push(Date.now() / 1000);
    const one = exchange(url, agent, of[index]!.path, index, bodies[index]!, () => stopped).then((sent) => {
      ended.push(sent);
      underWay.delete(one);
    });
    underWay.add(one);
  };
  const done = (async () => {
    const start = performance.now();
    let due = 0; // s since the start
    for (;;) {
      const rate = pace(due);
      if (rate === null || stopped) break;
      due += rate > 0 ? -Math.log(1 - random()) / rate : 0.1;
      const wait = 1000 * due - (performance.now() - start);
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      if (!stopped && rate > 0) send();
    }
    await Promise.all(underWay);
    agent.destroy();
  })();
  return {
    ended,
    sentAt,
    done,
    stop: () => {
      stopped = true;
      agent.destroy();
    },
  };
};

/** AIBrix's gateway wants a strategy for want of the Gateway API's objects; ours does not read it. */
const strategy = { 'routing-strategy': 'least-request' };

const exchange = (url: string, agent: Agent, path: string, index: number, body: string, stopped: () => boolean) =>
  new Promise<Sent>((resolve) => {
    const at = Date.now() / 1000;
    const end = (status: number) => resolve({ at, seconds: Date.now() / 1000 - at, kind: index, status });
    // What is given up at the end is not worth a word.
    const broken = (how: string) => (error: NodeJS.ErrnoException) => {
      if (!stopped()) console.error(`a request ${how}: ${error.code ?? error.message}`);
      end(0);
    };
    const sending = request(
      `${url}${path}`,
      {
        method: 'POST',
        agent,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...strategy },
      },
      (response) => {
        response.resume();
        response.on('end', () => end(response.statusCode ?? 0));
        response.on('error', broken('broke off'));
      },
    );
    sending.on('error', broken('had no answer'));
    sending.end(body);
  });

/** The same numbers between 0 and 1 in every run (Lehmer's generator). */
const uniform = (seed: number) => {
  let state = seed;
  return (): number => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
};
