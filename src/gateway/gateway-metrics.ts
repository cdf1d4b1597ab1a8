import { Counter, Histogram, Registry } from 'prom-client';
import { gaugesIn } from '../runtime/gauges.ts';
import type { ChoiceReason } from './choose-pod.ts';

/** By what requests are told apart in metrics. */
export interface RequestLabels {
  readonly model: string;
  readonly variant: string;
  readonly inputTokens: number;
}

export interface GatewayMetrics {
  readonly registry: Registry;
  firstByte(about: RequestLabels, seconds: number): void;
  /**
   * @param result status of the answer; `error` = a 200 that told of an error or ended too early; `broken` = the pod broke
   * off, `left` = the client did
   */
  answered(about: RequestLabels, why: ChoiceReason, result: string, seconds: number): void;
  tokens(about: RequestLabels, input: number, output: number): void;
  held(model: string): void;
  retried(model: string): void;
  rejected(model: string, reason: string): void;
}

/** What the gauges are read from when they are asked for. */
export interface GaugeSources {
  waiting(): readonly { readonly model: string; readonly requests: number; readonly queued: number }[];
  pods(): readonly { readonly variant: string; readonly ready: number; readonly requests: number }[];
  keptRecords(): number;
  missingGateways(): number;
  inFlight(): number;
}

const seconds = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];

/** Sizes in powers of two, so that classes that move with the plan make no new series. */
const sizeOf = (inputTokens: number): string => String(2 ** Math.floor(Math.log2(Math.max(1, inputTokens))));

export const gatewayMetrics = (sources: GaugeSources): GatewayMetrics => {
  const registry = new Registry();
  const about = ['model', 'variant', 'input_from'] as const;
  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
    new Counter({ name: `gpumix_gateway_${name}`, help, labelNames, registers: [registry] });
  const histogram = (name: string, help: string) =>
    new Histogram({ name: `gpumix_gateway_${name}`, help, labelNames: about, buckets: seconds, registers: [registry] });
  const gauge = gaugesIn(registry, 'gpumix_gateway_');
  const requests = counter('requests_total', 'requests that reached a pod, by how the pod was chosen and by result', [
    ...about,
    'chosen_by',
    'result',
  ]);
  const latency = histogram('request_seconds', 'seconds from the request to the end of its answer');
  const firstByte = histogram(
    'first_byte_seconds',
    'seconds from the request to the first byte of its answer; a stream begins with a token',
  );
  const tokens = counter('tokens_total', 'tokens of served requests', [...about, 'kind']);
  const held = counter('held_total', 'requests that had to wait for a replica', ['model']);
  const retried = counter('retried_total', 'attempts with another pod', ['model']);
  const rejected = counter('rejected_total', 'requests that the gateway itself refused', ['model', 'reason']);
  gauge('waiting', 'requests that are waiting for a replica', ['model'], (counts) => {
    for (const { model, requests: waiting } of sources.waiting()) counts.set({ model }, waiting);
  });
  gauge('in_line', 'requests that wait for their turn at a pod', ['model'], (counts) => {
    for (const { model, queued } of sources.waiting()) counts.set({ model }, queued);
  });
  gauge('ready_pods', 'pods that can receive requests', ['variant'], (counts) => {
    for (const { variant, ready } of sources.pods()) counts.set({ variant }, ready);
  });
  gauge('outstanding', 'requests that pods are working on', ['variant'], (counts) => {
    for (const { variant, requests: outstanding } of sources.pods()) counts.set({ variant }, outstanding);
  });
  gauge('in_flight', 'client requests without a complete answer', [], (count) => count.set(sources.inFlight()));
  gauge('kept_records', 'request records that are not yet written to Redis', [], (count) => count.set(sources.keptRecords()));
  gauge('missing_gateways', 'gateways that stopped writing records without shutting down properly', [], (count) =>
    count.set(sources.missingGateways()),
  );
  const labels = ({ model, variant, inputTokens }: RequestLabels) => ({ model, variant, input_from: sizeOf(inputTokens) });
  return {
    registry,
    firstByte: (what, time) => firstByte.observe(labels(what), time),
    answered: (what, why, result, time) => {
      requests.inc({ ...labels(what), chosen_by: why, result });
      latency.observe(labels(what), time);
    },
    tokens: (what, input, output) => {
      tokens.inc({ ...labels(what), kind: 'input' }, input);
      tokens.inc({ ...labels(what), kind: 'output' }, output);
    },
    held: (model) => held.inc({ model }),
    retried: (model) => retried.inc({ model }),
    rejected: (model, reason) => rejected.inc({ model, reason }),
  };
};
