import type { Supply } from '../../cluster/stock.ts';
import type { ModelDeployment } from '../../cluster/variant.ts';
import { servedByProfile } from '../../profiles/served-demand.ts';
import { deploymentKey } from '../../vocabulary/deployment-key.ts';
import {
  type DemandRow,
  type Model,
  type RouterKnowledge,
  routerKnowledges,
  type Snapshot,
  type Variant,
} from '../../vocabulary/planning-documents.ts';
import type { Decision } from '../../vocabulary/target.ts';
import type { Belief } from '../believe/believe.ts';
import type { Candidate } from '../believe/candidates.ts';
import { type RouterReading, type RouterSettings, routerKnowledgeNow } from './router-knowledge.ts';
import { type Limits, limitsOf, noLimits, type PoolTaker, type StockSource } from './stock-limits.ts';

export interface SnapshotSettings extends RouterSettings {
  /** What is believed of the number of GPUs; absent = none of it. */
  readonly stockSource?: StockSource;
  /** Money/h for all models; null = no limit. */
  readonly budget: number | null;
  /** Nodes of one search after which it stops with what it has. */
  readonly nodeLimit: number;
  /** Units of work of one solve. */
  readonly workLimit: number;
}

/** What the models that are solved for may use; of the others stands what they have, or were told. */
export const limitsNow = (
  models: readonly Belief[],
  supply: Supply | undefined,
  decisions: ReadonlyMap<string, Decision>,
  { stockSource = 'none' }: Pick<SnapshotSettings, 'stockSource'>,
): Limits => {
  if (supply === undefined) return noLimits;
  const solved = models.flatMap(({ demand, candidates }) => (demand === null ? [] : candidates));
  const keys = new Set(solved.map(({ key }) => key));
  const unsolved = models.flatMap(({ deployments }) => deployments).filter((deployment) => !keys.has(deploymentKey(deployment)));
  return limitsOf(
    supply,
    stockSource,
    solved.map((candidate): PoolTaker => ({ ...candidate, least: candidate.bounds.minReplicas })),
    unsolved.map((deployment): PoolTaker => {
      const key = deploymentKey(deployment);
      return { ...deployment, key, least: Math.max(deployment.replicas, decisions.get(key)?.replicas ?? 0) };
    }),
  );
};

/** The solve's whole input. */
export const makeSnapshot = (
  models: readonly Belief[],
  reading: RouterReading,
  { stock, quotas }: Limits,
  decisions: ReadonlyMap<string, Decision>,
  settings: SnapshotSettings,
): Snapshot => ({
  now: new Date(reading.now * 1000).toISOString(),
  models: models.map(({ name, deployments, candidates, demand }) =>
    modelOf(name, deployments, candidates, demand ?? [], decisions),
  ),
  stock,
  ...(quotas === undefined ? {} : { quotas }),
  budget: settings.budget,
  routing: routerKnowledgeNow(settings, reading),
  nodeLimit: settings.nodeLimit,
  workLimit: settings.workLimit,
});

/** What the Deployments of a model say of their router; where they differ, the one that knows least. */
const annotatedKnowledge = (deployments: readonly ModelDeployment[]): { readonly routing?: RouterKnowledge } => {
  const known = routerKnowledges.findLast((one) => deployments.some(({ routerKnowledge }) => routerKnowledge === one));
  return known === undefined ? {} : { routing: known };
};

const modelOf = (
  name: string,
  deployments: readonly ModelDeployment[],
  candidates: readonly Candidate[],
  demand: readonly DemandRow[],
  decisions: ReadonlyMap<string, Decision>,
): Model => {
  const previous = candidates.flatMap(({ key }) => {
    const decision = decisions.get(key);
    return decision === undefined ? [] : [[key, decision.replicas] as const];
  });
  return {
    name,
    priority: Math.max(...deployments.map(({ priority }) => priority)),
    ...annotatedKnowledge(deployments),
    demand,
    variants: candidates.map((candidate) => variantOf(candidate, demand)),
    previous: previous.length === 0 ? null : { replicas: Object.fromEntries(previous) },
  };
};

const variantOf = ({ key, profile, bounds, ...candidate }: Candidate, demand: readonly DemandRow[]): Variant => ({
  name: key,
  gpu: candidate.gpu,
  gpusPerReplica: candidate.gpusPerReplica,
  price: candidate.price,
  ...bounds,
  running: candidate.replicas,
  ready: candidate.ready,
  ...servedByProfile(profile, demand),
});
