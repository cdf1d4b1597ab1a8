import { Agent, request } from 'node:http';

export interface Timing {
  /** From sending to the first byte of the answer's body, and to its end (ms). */
  readonly first: number;
  readonly whole: number;
  readonly ok: boolean;
}

/**
 * Requests at a steady pace, whatever becomes of those before: as clients arrive.
 * @param perSecond requests per second
 */
export const openLoop = async (url: string, perSecond: number, seconds: number, body: string): Promise<readonly Timing[]> => {
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY, maxFreeSockets: 1024 });
  const timings: Promise<Timing>[] = [];
  const started = performance.now();
  const due = (index: number): number => started + (1000 * index) / perSecond;
  const total = Math.round(perSecond * seconds);
  await new Promise<void>((done) => {
    const turn = (): void => {
      while (timings.length < total && due(timings.length) <= performance.now()) timings.push(one(url, agent, body));
      if (timings.length < total) setTimeout(turn, Math.max(0, due(timings.length) - performance.now()));
      else done();
    };
    turn();
  });
  const all = await Promise.all(timings);
  agent.destroy();
  return all;
};

const one = (url: string, agent: Agent, body: string): Promise<Timing> =>
  new Promise((resolve) => {
    const sentAt = performance.now();
    let first = Number.NaN;
    const end = (ok: boolean): void => resolve({ first: first - sentAt, whole: performance.now() - sentAt, ok });
    const sending = request(
      `${url}/v1/completions`,
      {
        method: 'POST',
        agent,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      },
      (response) => {
        response.on('data', () => {
          if (Number.isNaN(first)) first = performance.now();
        });
        response.on('end', () => end(response.statusCode === 200));
        response.on('error', () => end(false));
      },
    );
    sending.on('error', () => end(false));
    sending.end(body);
  });

export const percentile = (values: readonly number[], share: number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
};

/** One request of a trace, as the client saw it; times in seconds since the start. */
export interface Played {
  readonly arrivedAt: number;
  readonly firstTokenAt: number;
  readonly doneAt: number;
  readonly outputTokens: number;
  readonly ok: boolean;
}

/**
 * Plays a trace: each request at its time, streamed, with a prompt of its own size.
 * @param urls in turns
 * @param prompt a text of so many tokens
 */
export const playTrace = async (
  requests: readonly { readonly time: number; readonly inputTokens: number; readonly outputTokens: number }[],
  urls: () => readonly string[],
  model: string,
  prompt: (tokens: number) => string,
): Promise<readonly Played[]> => {
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  const start = performance.now();
  let turn = 0;
  const played = requests.map(async ({ time, inputTokens, outputTokens }): Promise<Played> => {
    await new Promise((due) => setTimeout(due, 1000 * time));
    const tokens = Math.max(1, outputTokens);
    const body = JSON.stringify({
      model,
      prompt: prompt(inputTokens),
      max_tokens: tokens,
      ignore_eos: true,
      stream: true,
    });
    const all = urls();
    const timing = await one(all[turn++ % all.length]!, agent, body);
    const arrivedAt = (performance.now() - start) / 1000 - timing.whole / 1000;
    return {
      arrivedAt,
      firstTokenAt: arrivedAt + timing.first / 1000,
      doneAt: arrivedAt + timing.whole / 1000,
      outputTokens: tokens,
      ok: timing.ok,
    };
  });
  const all = await Promise.all(played);
  agent.destroy();
  return all;
};
