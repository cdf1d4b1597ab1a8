import type { Bounds } from '../../cluster/bounds.ts';
import { listPrices } from '../../cluster/list-prices.ts';
import { fixedReplicas, type ModelDeployment } from '../../cluster/variant.ts';
import type { FoundProfile, Profile } from '../../profiles/profile-document.ts';
import { deploymentKey } from '../../vocabulary/deployment-key.ts';

/** A Deployment that can take part in a plan: what it is, what one replica does and costs, and its bounds. */
export interface Candidate {
  /** `namespace/name`. */
  readonly key: string;
  readonly gpu: string;
  readonly gpusPerReplica: number;
  /** Of one replica (money/h, or the unit that the model's profiles share). */
  readonly price: number;
  readonly profile: Profile;
  readonly bounds: Bounds;
  /** spec.replicas. */
  readonly replicas: number;
  /** Ready pods. */
  readonly ready: number;
}

/** Those of the Deployments of one model; and of each that cannot take part, why not. */
export interface Candidates {
  readonly candidates: readonly Candidate[];
  readonly excluded: ReadonlyMap<string, string>;
}

export interface CandidateSources {
  /** Unix seconds. */
  readonly now: number;
  readonly profiles: ReadonlyMap<string, FoundProfile>;
  readonly bounds: ReadonlyMap<string, Bounds>;
  readonly ready: ReadonlyMap<string, number>;
  /** Price of one GPU by type (money/h). */
  readonly prices: Readonly<Record<string, number>>;
}

const unbounded: Bounds = { minReplicas: 0, maxReplicas: null };
const fixedBounds = (deployment: ModelDeployment, now: number): Bounds | null => {
  const replicas = fixedReplicas(deployment, now);
  const heldBy = deployment.paused ? 'paused' : 'pinned';
  return replicas === null ? null : { minReplicas: replicas, maxReplicas: replicas, heldBy };
};

/**
 * Joins the Deployments of one model with their profiles, prices and bounds. Prices within a model are comparable: all
 * from annotations and the price table, or else all from the profiles.
 */
export const candidatesOf = (deployments: readonly ModelDeployment[], sources: CandidateSources): Candidates => {
  const excluded = new Map<string, string>();
  const profiled = deployments.flatMap((deployment) => {
    const key = deploymentKey(deployment);
    const found = sources.profiles.get(key);
    if (found === undefined) {
      excluded.set(key, `no profile for Deployment ${key} of model ${deployment.model}`);
      return [];
    }
    const { profile, source } = found;
    if (profile.gpusPerReplica !== null && profile.gpusPerReplica !== deployment.gpusPerReplica) {
      excluded.set(
        key,
        `${source} was measured with ${profile.gpusPerReplica} GPUs per replica, Deployment ${key} has ${deployment.gpusPerReplica}`,
      );
      return [];
    }
    const gpu = deployment.gpu ?? profile.gpu ?? 'unknown';
    const perGpu = sources.prices[gpu];
    const market = deployment.price ?? (perGpu === undefined ? null : perGpu * deployment.gpusPerReplica);
    return [{ key, deployment, profile, source, gpu, market }];
  });
  const comparable = profiled.every(({ market }) => market !== null);
  const annotated = profiled.find(({ deployment }) => deployment.price !== null);
  if (!comparable && annotated !== undefined) {
    const unpriced = profiled.filter(({ market }) => market === null);
    const example = unpriced[0]!;
    const reason = `prices cannot be compared: ${annotated.key} has the annotation gpumix.io/price, ${example.key} only the cost in ${example.source}`;
    for (const { key } of profiled) excluded.set(key, reason);
    return { candidates: [], excluded };
  }
  const candidates = profiled.map(({ key, deployment, profile, gpu, market }) => ({
    key,
    gpu,
    gpusPerReplica: deployment.gpusPerReplica,
    price: comparable && market !== null ? market : profile.cost,
    profile,
    bounds: fixedBounds(deployment, sources.now) ?? sources.bounds.get(key) ?? unbounded,
    replicas: deployment.replicas,
    ready: sources.ready.get(key) ?? 0,
  }));
  return { candidates, excluded };
};

/** The built-in list with the user's prices over it. */
export const priceTable = (own: Readonly<Record<string, number>>): Readonly<Record<string, number>> => ({
  ...listPrices,
  ...own,
});
