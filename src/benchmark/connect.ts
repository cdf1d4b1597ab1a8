import { GpumixError, messageOf } from '../vocabulary/errors.ts';
import { askOnce } from './calibrate.ts';
import { type HttpEndpointOptions, httpEndpoint } from './http-endpoint.ts';

/**
 * What the paths of OpenAI's calls begin with, also where the URL of a call is given.
 * @example baseUrl('http://llm:8000/') // => 'http://llm:8000/v1'
 * @example baseUrl('http://llm:8000/v1/chat/completions') // => 'http://llm:8000/v1'
 */
export const baseUrl = (url: string): string => {
  const bare = url.replace(/\/+$/, '').replace(/\/v1\/(chat\/completions|completions|models)$/, '/v1');
  return bare.endsWith('/v1') ? bare : `${bare}/v1`;
};

/**
 * The model to ask for, checked against what the endpoint lists; where it lists nothing, the given one is believed.
 * @param model null = the only one there is
 * @throws GpumixError ENDPOINT_UNUSABLE
 */
export const modelOf = async (
  url: string,
  model: string | null,
  apiKey: string | null,
  timeoutSeconds: number,
): Promise<string> => {
  const models = await listedModels(url, apiKey, timeoutSeconds);
  if (model !== null) {
    if (models === null || models.includes(model)) return model;
    throw new GpumixError('ENDPOINT_UNUSABLE', `${url}: has no model ${model}; it has ${models.join(', ') || 'none'}`);
  }
  if (models?.length === 1) return models[0]!;
  const there = models === null ? 'it lists none' : `it has ${models.join(', ') || 'none'}`;
  throw new GpumixError('BAD_USAGE', `name the --model of ${url}: ${there}`);
};

const listedModels = async (url: string, apiKey: string | null, timeoutSeconds: number): Promise<readonly string[] | null> => {
  const headers: Record<string, string> = apiKey === null ? {} : { authorization: `Bearer ${apiKey}` };
  try {
    const response = await fetch(`${url}/models`, { headers, signal: AbortSignal.timeout(timeoutSeconds * 1000) });
    const text = await response.text();
    if (response.status === 401 || response.status === 403)
      throw new GpumixError('ENDPOINT_UNUSABLE', `${url}: ${response.status} ${response.statusText}: see --api-key`);
    return response.ok ? idsOf(text) : null;
  } catch (cause) {
    if (cause instanceof GpumixError) throw cause;
    const timedOut = cause instanceof Error && cause.name === 'TimeoutError';
    const why = timedOut ? `no answer within ${timeoutSeconds} s` : messageOf(cause).replace('fetch failed: ', '');
    throw new GpumixError('ENDPOINT_UNUSABLE', `${url}: ${why}`);
  }
};

const idsOf = (text: string): readonly string[] | null => {
  try {
    const { data } = JSON.parse(text) as { data?: readonly { id?: unknown }[] };
    return Array.isArray(data) ? data.map(({ id }) => String(id)) : null;
  } catch {
    return null;
  }
};

/**
 * An endpoint that has answered once. One that refuses `ignore_eos` and `min_tokens` is asked without them.
 * @throws GpumixError ENDPOINT_UNUSABLE
 */
export const connect = async (options: Omit<HttpEndpointOptions, 'exactLength'>, now: () => number) => {
  const exact = httpEndpoint({ ...options, exactLength: true }, now);
  try {
    await askOnce(exact, 'hello', 2);
    return { endpoint: exact, exactLength: true };
  } catch (error) {
    exact.close();
    if (!/^4(00|22) /.test(messageOf(error))) throw named(options.url, error);
  }
  const plain = httpEndpoint({ ...options, exactLength: false }, now);
  try {
    await askOnce(plain, 'hello', 2);
    return { endpoint: plain, exactLength: false };
  } catch (error) {
    plain.close();
    throw named(options.url, error);
  }
};

const named = (url: string, error: unknown): GpumixError => new GpumixError('ENDPOINT_UNUSABLE', `${url}: ${messageOf(error)}`);
