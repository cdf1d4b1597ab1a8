import { type RouterKnowledge, routerKnowledges } from '../vocabulary/planning-documents.ts';

/** What a router is planned for as. */
export interface NamedRouter {
  readonly routing: RouterKnowledge;
  /** What this is an approximation of, one line; null = it needs no word. */
  readonly note: string | null;
}

/** How the strategies were measured: requests sent, by AIBrix v0.7.0's gateway, to one H100 and two L40S. */
const sent = 111;

interface Strategy {
  /** null = no mode describes it. */
  readonly routing: RouterKnowledge | null;
  /** Requests of `sent` that the H100 got; null = not measured. */
  readonly fastest: number | null;
}

/**
 * Each of AIBrix's routing strategies by the mode that spreads requests most nearly as it does. The table in docs/routers.md is
 * generated from this list.
 */
export const strategies: Readonly<Record<string, Strategy>> = {
  random: { routing: 'none', fastest: 41 },
  'least-request': { routing: 'load', fastest: 62 },
  throughput: { routing: 'none', fastest: 35 },
  'least-latency': { routing: 'none', fastest: 30 },
  'least-busy-time': { routing: 'none', fastest: 37 },
  'least-kv-cache': { routing: 'none', fastest: 42 },
  'power-of-two': { routing: 'none', fastest: 50 },
  'prefix-cache': { routing: 'none', fastest: 14 },
  'prefix-cache-preble': { routing: 'none', fastest: null },
  'least-gpu-cache': { routing: 'none', fastest: null },
  'least-utilization': { routing: 'none', fastest: null },
  'session-affinity': { routing: 'none', fastest: null },
  'vtc-basic': { routing: 'none', fastest: null },
  slo: { routing: null, fastest: 94 },
  'slo-least-load': { routing: null, fastest: 96 },
  'slo-pack-load': { routing: null, fastest: 99 },
  'slo-least-load-pulling': { routing: null, fastest: null },
  pd: { routing: null, fastest: null },
};

/** `random` is the mode `none` up to chance, `least-request` is `load`. */
const exact = ['random', 'least-request'];

/** What may be named, for messages. */
export const knownRouters = `one of ${routerKnowledges.join(', ')}, nor a routing strategy of AIBrix (${Object.keys(strategies).join(', ')})`;

/**
 * Reads the name of a router: a mode of ours, or one of AIBrix's routing strategies.
 * @returns a reason, in words that follow the name, where no mode describes the strategy; null where the name is unknown
 */
export const routerOf = (name: string): NamedRouter | string | null => {
  const mode = routerKnowledges.find((one) => one === name);
  if (mode !== undefined) return { routing: mode, note: null };
  const strategy = Object.hasOwn(strategies, name) ? strategies[name]! : null;
  if (strategy === null) return null;
  const { routing, fastest } = strategy;
  if (routing === null) return refusal(name);
  if (exact.includes(name)) return { routing, note: null };
  return { routing, note: `AIBrix's ${name} is planned for as ${routing}: ${approximation(fastest)}` };
};

const approximation = (fastest: number | null): string =>
  fastest === null
    ? 'how it spreads requests over GPU types was not measured'
    : `of ${sent} requests to one H100 and two L40S it sent ${fastest} to the H100, random 41 and least-request 62`;

const refusal = (name: string): string =>
  name === 'pd'
    ? "AIBrix's pd sends each request to a prefill pod and a decode pod, which no routing mode describes"
    : `AIBrix's ${name} sends nearly every request to the fastest GPU type, which no routing mode describes; ` +
      'let AIBrix route by least-request, or name the mode to plan for all the same';
