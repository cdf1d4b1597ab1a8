import { type RouterKnowledge, routerKnowledges } from '../vocabulary/planning-documents.ts';

/** What a router is planned for as. */
export interface NamedRouter {
  readonly routerKnowledge: RouterKnowledge;
  /** What this is an approximation of, one line; null = it needs no word. */
  readonly note: string | null;
}

/** How the strategies were measured: requests sent, by AIBrix v0.7.0's gateway, to one H100 and two L40S. */
const sent = 111;

interface Strategy {
  /** null = none describes it. */
  readonly routerKnowledge: RouterKnowledge | null;
  /** Requests of `sent` that the H100 got; null = not measured. */
  readonly fastest: number | null;
}

/**
 * Each of AIBrix's routing strategies by the knowledge whose router spreads requests most nearly as it does. The table in
 * docs/routers.md is generated from this list.
 */
export const strategies: Readonly<Record<string, Strategy>> = {
  random: { routerKnowledge: 'none', fastest: 41 },
  'least-request': { routerKnowledge: 'load', fastest: 62 },
  throughput: { routerKnowledge: 'none', fastest: 35 },
  'least-latency': { routerKnowledge: 'none', fastest: 30 },
  'least-busy-time': { routerKnowledge: 'none', fastest: 37 },
  'least-kv-cache': { routerKnowledge: 'none', fastest: 42 },
  'power-of-two': { routerKnowledge: 'none', fastest: 50 },
  'prefix-cache': { routerKnowledge: 'none', fastest: 14 },
  'prefix-cache-preble': { routerKnowledge: 'none', fastest: null },
  'least-gpu-cache': { routerKnowledge: 'none', fastest: null },
  'least-utilization': { routerKnowledge: 'none', fastest: null },
  'session-affinity': { routerKnowledge: 'none', fastest: null },
  'vtc-basic': { routerKnowledge: 'none', fastest: null },
  slo: { routerKnowledge: null, fastest: 94 },
  'slo-least-load': { routerKnowledge: null, fastest: 96 },
  'slo-pack-load': { routerKnowledge: null, fastest: 99 },
  'slo-least-load-pulling': { routerKnowledge: null, fastest: null },
  pd: { routerKnowledge: null, fastest: null },
};

/** `random` is `none` up to chance, `least-request` is `load`. */
const exact = ['random', 'least-request'];

/** What may be named, for messages. */
export const knownRouters = `one of ${routerKnowledges.join(', ')}, nor a routing strategy of AIBrix (${Object.keys(strategies).join(', ')})`;

/**
 * Reads the name of a router: what it knows, or one of AIBrix's routing strategies.
 * @returns a reason, in words that follow the name, where no knowledge describes the strategy; null where the name is unknown
 */
export const routerOf = (name: string): NamedRouter | string | null => {
  const known = routerKnowledges.find((one) => one === name);
  if (known !== undefined) return { routerKnowledge: known, note: null };
  const strategy = Object.hasOwn(strategies, name) ? strategies[name]! : null;
  if (strategy === null) return null;
  const { routerKnowledge, fastest } = strategy;
  if (routerKnowledge === null) return refusal(name);
  if (exact.includes(name)) return { routerKnowledge, note: null };
  return { routerKnowledge, note: `AIBrix's ${name} is planned for as ${routerKnowledge}: ${approximation(fastest)}` };
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
