import { apiCalls } from './api-calls.ts';
import type { Place } from './choose-pod.ts';
import type { PlaceFinder } from './find-place.ts';
import type { RequestLabels } from './gateway-metrics.ts';
import type { GatewayParts, GatewaySettings } from './gateway-parts.ts';
import { answered, failed, type Pod, type Variants } from './model-pods.ts';
import type { Passage } from './passage.ts';
import { noAnswer, type Refusal, refusedBy } from './refusals.ts';
import { type Finished, type Relay, relay } from './relay-answer.ts';

/** Busy or broken: another pod may do better. */
const worthAnotherPod = new Set([429, 502, 503, 504]);

/** What an engine answers that does not know a field of the body. */
const unknownField = new Set([400, 422]);

/** Offers requests to pods, at which they have their places. A refusal = another pod may be asked; null = it is too late. */
export const createOffer = (
  parts: GatewayParts,
  settings: GatewaySettings,
  { leave, callWaiting }: PlaceFinder,
  remember: (id: string, origin: string) => void,
) => {
  /** Asks a pod once. @param own whether with the client's own body, though it is asked for no counts */
  const ask = async (passage: Passage, place: Place, own: boolean): Promise<Refusal | 'done' | 'own body' | null> => {
    const { request, response, stop, startedAt, tried } = passage;
    const { pod } = place;
    const anotherMay = tried.size + 1 < settings.attempts && anotherPod(parts.modelPods.variants(request.model), tried, pod);
    const refusesUsage = (status: number | null): boolean => request.ownBody !== null && !own && unknownField.has(status ?? 0);
    const relayed = relay(response, {
      strip: request.stream && !request.usageAsked,
      typed: apiCalls[request.call].stream === 'events',
      forClient: (status) => !refusesUsage(status) && !(anotherMay && worthAnotherPod.has(status)),
      onFirstByte: () => {
        passage.front.turns.read(passage);
        parts.metrics.firstByte(labelsOf(passage, place), parts.clock() - startedAt);
      },
      onResponse: (id) => remember(id, pod.origin),
    });
    const body = own ? request.ownBody : request.body;
    const asking = parts.connections.ask({ ...passage.to, origin: pod.origin, body }, relayed);
    stop.signal.addEventListener('abort', asking.abort);
    response.on('drain', asking.resume);
    const problem = await asking.ended;
    stop.signal.removeEventListener('abort', asking.abort);
    response.off('drain', asking.resume);
    if (problem === null && refusesUsage(relayed.status()) && !response.destroyed && !stop.signal.aborted) return 'own body';
    return concluded(parts, { passage, place, relayed }, problem);
  };

  return async (passage: Passage, place: Place): Promise<Refusal | 'done' | null> => {
    const { request, front } = passage;
    const { pod } = place;
    try {
      const result = await ask(passage, place, request.ownBody !== null && pod.refusesUsage);
      if (result !== 'own body') return result;
      const again = await ask(passage, place, true);
      // Where it refuses that as well, it was not for the counts.
      if (again === 'done' && passage.response.statusCode < 400) pod.refusesUsage = true;
      return again === 'own body' ? null : again;
    } finally {
      // Those who wait are called once it is known whether this pod rests.
      leave(passage, place);
      callWaiting(request.model, front);
    }
  };
};

/** One offer, once the pod has answered or failed. */
interface Offered {
  readonly passage: Passage;
  readonly place: Place;
  readonly relayed: Relay;
}

const concluded = (parts: GatewayParts, offered: Offered, problem: string | null): Refusal | 'done' | null => {
  const { response, stop } = offered.passage;
  if (response.destroyed || stop.signal.aborted) return abandoned(parts, offered);
  return problem !== null || offered.relayed.declined() ? podFailed(parts, offered, problem) : podAnswered(parts, offered);
};

/** The client has left, or the request's time is over. */
const abandoned = (parts: GatewayParts, { passage, place, relayed }: Offered): 'done' | null => {
  const { response, counter } = passage;
  if (relayed.status() === null) return null;
  tell(parts, passage, place, response.destroyed ? 'left' : 'too long');
  if (!relayed.started() && !response.destroyed) return null;
  response.destroy();
  counter.failed();
  return 'done';
};

/** It broke off or refused. Where the client has had nothing yet, another pod may answer. */
const podFailed = (parts: GatewayParts, { passage, place, relayed }: Offered, problem: string | null): Refusal | 'done' => {
  const { request, response, tried, counter } = passage;
  const status = relayed.status();
  failed(place.pod, parts.clock());
  tried.add(place.pod);
  if (!relayed.started()) {
    if (problem === null) return refusedBy(request.model, status!);
    return noAnswer(
      `${status === null ? `no replica of ${request.model} answers` : `a replica of ${request.model} broke off`}: ${problem}`,
    );
  }
  response.destroy();
  counter.failed();
  tell(parts, passage, place, 'broken');
  return 'done';
};

const podAnswered = (parts: GatewayParts, { passage, place, relayed }: Offered): 'done' => {
  const status = relayed.status();
  const finished = relayed.finish();
  const isError = status === 200 && finished.failed;
  tell(parts, passage, place, isError ? 'error' : String(status));
  if (status === 200 && !isError) served(parts, passage, place, finished);
  else passage.counter.failed();
  if (worthAnotherPod.has(status ?? 0)) failed(place.pod, parts.clock());
  else if (!isError) answered(place.pod);
  return 'done';
};

const served = (parts: GatewayParts, passage: Passage, place: Place, { usage, contentEvents }: Finished): void => {
  const { request, front, counter } = passage;
  const { sized } = apiCalls[request.call];
  // What nobody knows the size of is in no record.
  if (usage === null && !sized) return;
  const { inputTokens, outputTokens } = usage ?? { inputTokens: passage.inputTokens, outputTokens: contentEvents };
  if (usage !== null && sized) front.estimate.learn(request, inputTokens, outputTokens);
  counter.ended(inputTokens, outputTokens);
  parts.metrics.tokens(labelsOf(passage, place), inputTokens, outputTokens);
};

const tell = ({ metrics, clock }: GatewayParts, passage: Passage, place: Place, result: string): void =>
  metrics.answered(labelsOf(passage, place), place.why, result, clock() - passage.startedAt);

const labelsOf = ({ request, inputTokens }: Passage, { pod }: Place): RequestLabels => ({
  model: request.model,
  variant: pod.variant,
  inputTokens,
});

const anotherPod = (variants: Variants | undefined, tried: ReadonlySet<Pod>, now: Pod): boolean =>
  [...(variants?.values() ?? [])].some((pods) => pods.some((pod) => pod !== now && !tried.has(pod)));
