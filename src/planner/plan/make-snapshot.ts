import type { ModelDeployment } from '../../cluster/variant.ts';
import { type Demand, type Model, type Routing, routings, type Snapshot, type Variant } from '../../vocabulary/planning-documents.ts';
import { servedByProfile } from '../../profiles/served.ts';
import type { Offer } from '../believe/candidates.ts';
import { type DecideSettings, keyOf, type Memory, type Reading, type Situation } from '../believe/believe.ts';
import { type Limits, limitsOf, noLimits, type Taker } from './stock-limits.ts';

/** What the models that are solved for may use; of the others stands what they have, or were told. */
export const limitsNow = (
  situations: readonly Situation[],
  { supply }: Reading,
  { decisions }: Memory,
  { stock = 'none' }: DecideSettings,
): Limits => {
  if (supply === undefined) return noLimits;
  const solved = situations.flatMap(({ demand, offers }) => (demand === null ? [] : offers));
  const keys = new Set(solved.map(({ key }) => key));
  const others = situations.flatMap(({ deployments }) => deployments).filter((one) => !keys.has(keyOf(one)));
  return limitsOf(
    supply,
    stock,
    solved.map((offer): Taker => ({ ...offer, least: offer.bounds.minReplicas })),
    others.map((one): Taker => {
      const key = keyOf(one);
      return { ...one, key, least: Math.max(one.replicas, decisions.get(key)?.replicas ?? 0) };
    }),
  );
};

/** The solve's whole input. */
export const snapshotNow = (
  situations: readonly Situation[],
  reading: Pick<Reading, 'now' | 'workload'>,
  { stock, quotas }: Limits,
  memory: Memory,
  settings: DecideSettings,
): Snapshot => ({
  now: new Date(reading.now * 1000).toISOString(),
  models: situations.map(({ name, deployments, offers, demand }) =>
    modelOf(name, deployments, offers, demand ?? [], memory),
  ),
  stock,
  ...(quotas === undefined ? {} : { quotas }),
  budget: settings.budget,
  routing: routingNow(settings, reading),
  nodeLimit: settings.nodeLimit,
});

/** A gateway of ours that was last heard longer ago (s) no longer routes. */
const gatewayLostAfter = 600;

/** What the router in front knows of a request. */
export const routingNow = (
  { routing, router = 'none' }: Pick<DecideSettings, 'routing' | 'router'>,
  { now, workload }: Pick<Reading, 'now' | 'workload'>,
): Routing => {
  if (routing !== 'auto') return routing;
  const heartbeatAt = workload?.heartbeatAt ?? null;
  return heartbeatAt !== null && now - heartbeatAt < gatewayLostAfter ? 'input' : router;
};

/** What the Deployments of a model say of their router; where they differ, the one that knows least. */
const annotatedRouting = (deployments: readonly ModelDeployment[]): { readonly routing?: Routing } => {
  const routing = routings.findLast((one) => deployments.some(({ router }) => router === one));
  return routing === undefined ? {} : { routing };
};

const modelOf = (
  name: string,
  deployments: readonly ModelDeployment[],
  offers: readonly Offer[],
  demand: readonly Demand[],
  memory: Memory,
): Model => {
  const previous = offers.flatMap(({ key }) => {
    const decision = memory.decisions.get(key);
    return decision === undefined ? [] : [[key, decision.replicas] as const];
  });
  return {
    name,
    priority: Math.max(...deployments.map(({ priority }) => priority)),
    ...annotatedRouting(deployments),
    demand,
    variants: offers.map((offer) => variantOf(offer, demand)),
    previous: previous.length === 0 ? null : { replicas: Object.fromEntries(previous) },
  };
};

const variantOf = ({ key, profile, bounds, ...offer }: Offer, demand: readonly Demand[]): Variant => ({
  name: key,
  gpu: offer.gpu,
  gpusPerReplica: offer.gpusPerReplica,
  price: offer.price,
  ...bounds,
  running: offer.running,
  ready: offer.ready,
  ...servedByProfile(profile, demand),
});
