import { calibrate } from '../../src/benchmark/calibrate.ts';
import { httpEndpoint } from '../../src/benchmark/http-endpoint.ts';
import { promptOf } from '../../src/benchmark/words.ts';
import { seeded } from '../../src/vocabulary/random.ts';

/** Requests, one at a time. */
const count = 10;

/**
 * Times of the same request by our client and by llama.cpp's own `timings`: ours over theirs, in the median. The server's begin
 * when it reads the prompt, so ours have the way there and back as well.
 */
export const witnessed = async (url: string, model: string, inputTokens: number, outputTokens: number) => {
  const now = () => performance.now() / 1000;
  const about = {
    url: `${url}/v1`,
    api: 'completions',
    model,
    apiKey: null,
    temperature: 0,
    timeoutSeconds: 60,
  } as const;
  const endpoint = httpEndpoint({ ...about, exactLength: true }, now);
  const random = seeded(7);
  const { vocabulary } = await calibrate(endpoint, inputTokens, random);
  const ratios: { readonly ttft: number; readonly tpot: number }[] = [];
  for (let index = 0; index < count; index += 1) {
    const { text } = promptOf(inputTokens, vocabulary, random);
    const ours = await endpoint.ask(text, outputTokens, new AbortController().signal, () => {});
    const theirs = await timings(url, promptOf(inputTokens, vocabulary, random).text, outputTokens);
    if (ours.kind === 'failed') throw new Error(ours.message);
    const each = (ours.doneAt - ours.firstTokenAt) / (outputTokens - 1);
    ratios.push({
      ttft: (ours.firstTokenAt - ours.sentAt) / ((theirs.prompt_ms + theirs.predicted_per_token_ms) / 1000),
      tpot: each / (theirs.predicted_per_token_ms / 1000),
    });
  }
  endpoint.close();
  const median = (name: 'ttft' | 'tpot'): number => ratios.map((one) => one[name]).sort((a, b) => a - b)[count >> 1]!;
  return { ttft: median('ttft'), tpot: median('tpot') };
};

interface Timings {
  readonly prompt_ms: number;
  readonly predicted_per_token_ms: number;
}

/** What the server says of a request of the same length: another text, or its cache would have it. */
const timings = async (url: string, prompt: string, outputTokens: number): Promise<Timings> => {
  const body = JSON.stringify({ prompt, n_predict: outputTokens, ignore_eos: true, temperature: 0 });
  const answer = await fetch(`${url}/completion`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json' },
  });
  return ((await answer.json()) as { timings: Timings }).timings;
};
