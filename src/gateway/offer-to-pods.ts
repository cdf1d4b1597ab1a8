import type { Place } from './choose-pod.ts';
import type { About } from './gateway-metrics.ts';
import type { GatewayParts, GatewaySettings, ModelState, Passage } from './gateway-parts.ts';
import { answered, failed, type Pod, type Variants } from './model-pods.ts';
import type { GatewayRequest } from './openai-request.ts';
import type { Places } from './pod-places.ts';
import { noAnswer, type Refusal, refusedBy } from './refusals.ts';
import { type Finished, type Relay, relay } from './relay-answer.ts';

/** Busy or broken: another pod may do better. */
const worthAnotherPod = new Set([429, 502, 503, 504]);

/** Offers requests to pods. */
export const createOffers = (parts: GatewayParts, settings: GatewaySettings, { leave, callWaiting }: Places) => {
  const { modelPods, metrics, clock } = parts;

  /**
   * One offer to the pod at which the request has its place, which ends with it. A refusal = another pod may be asked; null
   * = it is too late.
   */
  const offer = async (passage: Passage, place: Place): Promise<Refusal | 'done' | null> => {
    const { request, response, state, stop, startedAt, tried } = passage;
    const { pod } = place;
    const about = { model: request.model, variant: pod.variant, inputTokens: passage.inputTokens };
    const others = tried.size + 1 < settings.attempts && anotherPod(modelPods.variants(request.model), tried, pod);
    const relayed = relay(response, {
      strip: request.stream && !request.usageAsked,
      wanted: (status) => !(others && worthAnotherPod.has(status)),
      onFirstByte: () => metrics.firstByte(about, clock() - startedAt),
    });
    try {
      const asking = parts.connections.ask({ ...passage.to, origin: pod.origin, body: request.body }, relayed);
      stop.signal.addEventListener('abort', asking.abort);
      response.on('drain', asking.resume);
      const problem = await asking.ended;
      stop.signal.removeEventListener('abort', asking.abort);
      response.off('drain', asking.resume);
      return concluded(passage, place, relayed, problem);
    } finally {
      // Those who wait are called once it is known whether this pod rests.
      leave(passage, place);
      callWaiting(request.model, state);
    }
  };

  /** What an offer has come to. */
  const concluded = (
    { request, response, state, stop, startedAt, inputTokens, tried }: Passage,
    { pod, why }: Place,
    relayed: Relay,
    problem: string | null,
  ): Refusal | 'done' | null => {
    const about = { model: request.model, variant: pod.variant, inputTokens };
    const counter = parts.counts.counter(request.model);
    const told = (result: string): void => metrics.answered(about, why, result, clock() - startedAt);
    const status = relayed.status();
    if (response.destroyed || stop.signal.aborted) {
      if (status === null) return null;
      told(response.destroyed ? 'left' : 'too long');
      if (!relayed.started() && !response.destroyed) return null;
      response.destroy();
      counter.failed();
      return 'done';
    }
    if (problem !== null || relayed.refused()) {
      failed(pod, clock());
      tried.add(pod);
      if (!relayed.started()) {
        if (problem === null) return refusedBy(request.model, status!);
        return noAnswer(
          `${status === null ? `no replica of ${request.model} answers` : `a replica of ${request.model} broke off`}: ${problem}`,
        );
      }
      response.destroy();
      counter.failed();
      told('broken');
      return 'done';
    }
    const finished = relayed.finish();
    const isError = status === 200 && finished.failed;
    told(isError ? 'error' : String(status));
    if (status === 200 && !isError) served(request, state, about, finished);
    else counter.failed();
    if (worthAnotherPod.has(status ?? 0)) failed(pod, clock());
    else if (!isError) answered(pod);
    return 'done';
  };

  const served = (request: GatewayRequest, { estimate }: ModelState, about: About, { usage, contentEvents }: Finished): void => {
    const { inputTokens, outputTokens } = usage ?? { inputTokens: about.inputTokens, outputTokens: contentEvents };
    if (usage !== null) estimate.learn(request, inputTokens, outputTokens);
    parts.counts.counter(request.model).ended(inputTokens, outputTokens);
    metrics.tokens(about, inputTokens, outputTokens);
  };

  return offer;
};

const anotherPod = (variants: Variants | undefined, tried: ReadonlySet<Pod>, now: Pod): boolean =>
  [...(variants?.values() ?? [])].some((pods) => pods.some((pod) => pod !== now && !tried.has(pod)));
