import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { GatewayParts } from './gateway-parts.ts';
import { passedOn } from './passed-headers.ts';
import { notFound, refuse } from './refusals.ts';
import { relay } from './relay-answer.ts';

/** A request about a response that an engine keeps. */
export interface AboutResponse {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string | null;
}

/** Which pod has which response: OpenAI's responses are kept by the engine that made them. */
export interface StoredResponses {
  remember(id: string, origin: string): void;
  /** null = not known to any gateway, or forgotten. */
  originOf(id: string): Promise<string | null>;
  /** Gets, cancels or deletes one. */
  serve(about: AboutResponse, response: ServerResponse): Promise<void>;
}

/** Ids that are remembered; the oldest are forgotten. */
const memory = 10_000;
/** Pods that are asked for a response that another gateway may have passed on. */
const mostAsked = 32;

export const storedResponses = ({
  modelPods,
  connections,
  sharedResponses,
}: Pick<GatewayParts, 'modelPods' | 'connections' | 'sharedResponses'>): StoredResponses => {
  const origins = new Map<string, string>();
  const allOrigins = (): readonly string[] => [
    ...new Set(
      modelPods
        .models()
        .flatMap((model) => [...(modelPods.variants(model)?.values() ?? [])].flatMap((pods) => pods.map(({ origin }) => origin))),
    ),
  ];

  const originOf = async (id: string): Promise<string | null> => {
    const remembered = origins.get(id);
    if (remembered !== undefined) return remembered;
    const told = (await sharedResponses?.read(id).catch(() => null)) ?? null;
    // A pod that is gone has taken its responses with it.
    return told !== null && allOrigins().includes(told) ? told : null;
  };

  /** Whether this pod has answered, or nobody else may. */
  const ask = async (origin: string, about: AboutResponse, response: ServerResponse, last: boolean): Promise<boolean> => {
    const relayed = relay(response, { strip: false, forClient: (status) => last || status !== 404, onFirstByte: () => {} });
    const headers = { ...passedOn(about.headers, ['accept-encoding']), 'accept-encoding': 'identity' };
    const asking = connections.ask({ origin, headers, method: about.method, path: about.path, body: about.body }, relayed);
    response.on('close', asking.abort);
    response.on('drain', asking.resume);
    const problem = await asking.ended;
    response.off('close', asking.abort);
    response.off('drain', asking.resume);
    if (response.destroyed) return true;
    if (relayed.declined() || (problem !== null && !relayed.started())) return false;
    if (problem === null) relayed.finish();
    else response.destroy();
    return true;
  };

  return {
    originOf,
    remember: (id, origin) => {
      origins.delete(id);
      origins.set(id, origin);
      if (origins.size > memory) origins.delete(origins.keys().next().value!);
      // Whoever continues it here needs none of it, and elsewhere there is a time between the two.
      sharedResponses?.write(id, origin).catch(() => {});
    },
    serve: async (about, response) => {
      const there = allOrigins();
      const keeper = await originOf(about.id);
      const asked = keeper === null ? there.slice(0, mostAsked) : there.filter((origin) => origin === keeper);
      for (const [index, origin] of asked.entries()) if (await ask(origin, about, response, index === asked.length - 1)) return;
      refuse(response, notFound(`no replica has the response ${about.id.slice(0, 200)}`));
    },
  };
};
