import type { IncomingMessage } from 'node:http';
import { Agent, request as httpsRequest, type RequestOptions } from 'node:https';
import { jsonOrText } from '../formats/json.ts';
import { GpumixError, messageOf } from '../vocabulary/errors.ts';
import { readKubeconfig } from './kubeconfig.ts';

/** One request to the Kubernetes API server. Any status is an answer; only a failure to get one throws. */
export type KubernetesRequest = (
  method: string,
  path: string,
  body?: unknown,
  signal?: AbortSignal,
) => Promise<{
  readonly status: number;
  readonly body: unknown;
  /** When it was answered, by the clock of the API server, as HTTP tells times; absent = it does not say. */
  readonly date?: string | undefined;
}>;

export interface Kubernetes {
  /** @throws GpumixError KUBERNETES_UNAVAILABLE */
  readonly request: KubernetesRequest;
  /** A GET whose body is handed on as it comes in. @throws GpumixError KUBERNETES_UNAVAILABLE */
  stream(path: string, signal: AbortSignal): Promise<IncomingMessage>;
  /** The namespace that this process runs in, as the kubeconfig or the ServiceAccount says. */
  readonly namespace: string;
}

const answerTimeoutMilliseconds = 10_000;
/** A ServiceAccount's token is renewed long before it ends. */
const credentialsMilliseconds = 10_000;

/**
 * The API server that the kubeconfig names: a file, else KUBECONFIG, else the pod's ServiceAccount, whose token is read
 * again when it is renewed. Requests are made here and not by the generated clients: they cost 50 MiB of memory.
 * @throws GpumixError BAD_SETTING
 */
export const kubernetes = (kubeconfigFile: string | null): Kubernetes => {
  const config = readKubeconfig(kubeconfigFile);
  const { server, proxyUrl } = config.getCurrentCluster()!;
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });

  let credentials: { readonly options: RequestOptions; readonly readAt: number } | null = null;
  /** Authority, certificate, token: read again every few seconds, not for each request, which would cost most of its time. */
  const currentCredentials = async (): Promise<RequestOptions> => {
    if (credentials === null || Date.now() - credentials.readAt > credentialsMilliseconds) {
      const options: RequestOptions = {};
      await config.applyToHTTPSOptions(options).catch((cause: unknown) => {
        throw new GpumixError('KUBERNETES_UNAVAILABLE', `no credentials: ${messageOf(cause)}`, { cause });
      });
      if (proxyUrl === undefined) options.agent = agent;
      credentials = { options, readAt: Date.now() };
    }
    return credentials.options;
  };

  const send = async (asked: RequestOptions, path: string, body?: string): Promise<IncomingMessage> => {
    const base = await currentCredentials();
    const options = { ...base, ...asked, headers: { ...base.headers, ...asked.headers } } as RequestOptions;
    return await new Promise((resolve, reject) => {
      const request = httpsRequest(server + path, options, resolve);
      const timer = setTimeout(
        () => request.destroy(new Error(`no answer within ${answerTimeoutMilliseconds / 1000} s`)),
        answerTimeoutMilliseconds,
      );
      request.on('response', () => clearTimeout(timer));
      request.on('close', () => clearTimeout(timer));
      request.on('error', (cause) =>
        reject(new GpumixError('KUBERNETES_UNAVAILABLE', `${options.method} ${path}: ${messageOf(cause)}`, { cause })),
      );
      request.end(body);
    });
  };

  return {
    namespace: config.getContextObject(config.getCurrentContext())?.namespace ?? 'default',
    request: async (method, path, body, signal) => {
      const text = body === undefined ? undefined : JSON.stringify(body);
      const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
      const headers = { accept: 'application/json', ...(text === undefined ? {} : { 'content-type': type }) };
      const response = await send({ method, headers, ...(signal === undefined ? {} : { signal }) }, path, text);
      const answer = await textOf(response, path, method);
      return {
        status: response.statusCode ?? 0,
        body: answer === '' ? null : jsonOrText(answer),
        date: response.headers.date,
      };
    },
    stream: (path, signal) => send({ method: 'GET', headers: { accept: 'application/json' }, signal }, path),
  };
};

const textOf = async (response: IncomingMessage, path: string, method: string): Promise<string> => {
  response.setTimeout(answerTimeoutMilliseconds, () => response.destroy(new Error('the answer stopped half-way')));
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of response) chunks.push(chunk as Buffer);
  } catch (cause) {
    throw new GpumixError('KUBERNETES_UNAVAILABLE', `${method} ${path}: ${messageOf(cause)}`, { cause });
  }
  return Buffer.concat(chunks).toString('utf8');
};
