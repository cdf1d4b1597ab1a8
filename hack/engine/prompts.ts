import { calibrate } from '../../src/benchmark/calibrate.ts';
import { httpEndpoint } from '../../src/benchmark/http-endpoint.ts';
import { promptOf } from '../../src/benchmark/words.ts';
import { seeded } from '../../src/vocabulary/random.ts';

/**
 * Learns from an engine what words cost.
 * @returns a text of so many tokens, another one each time
 */
export const promptsFor = async (url: string, model: string): Promise<(tokens: number) => string> => {
  const options = { api: 'completions', model, apiKey: null, temperature: 0, exactLength: true } as const;
  const endpoint = httpEndpoint({ ...options, url: `${url}/v1`, timeoutSeconds: 60 }, () => performance.now() / 1000);
  const random = seeded(1);
  const { vocabulary, warning } = await calibrate(endpoint, 512, random);
  if (warning !== null) console.log(warning);
  endpoint.close();
  return (tokens) => promptOf(tokens, vocabulary, random).text;
};
