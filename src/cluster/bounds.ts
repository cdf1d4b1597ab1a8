import type { Hold } from '../vocabulary/planning-documents.ts';
import type { KubernetesObject } from './kubernetes-object.ts';
import { type Behavior, type Pace, paceOfBehavior, paceOfPodAutoscaler } from './pace.ts';
import { type Schedule, scheduleAt } from './schedules.ts';

/** Limits that an autoscaler sets to the replicas of a Deployment; a null maximum is no limit. */
export interface Bounds {
  readonly minReplicas: number;
  readonly maxReplicas: number | null;
  /** What sets them in place of an autoscaler; absent = an autoscaler, or nothing. */
  readonly heldBy?: Hold;
}

/** What an autoscaler says: the Deployment it scales, and within which bounds. */
export interface AutoscalerBounds extends Bounds {
  /** `namespace/name` of the Deployment. */
  readonly deployment: string;
  readonly pace: Pace;
  /** Windows in which other bounds hold; absent = none. */
  readonly schedules?: readonly Schedule[];
}

/** HorizontalPodAutoscaler, PodAutoscaler (AIBrix) or ScaledObject (KEDA), as far as it is looked at. */
export interface AutoscalerObject extends KubernetesObject {
  readonly spec?: {
    readonly scaleTargetRef?: { readonly kind?: string; readonly name?: string };
    readonly minReplicas?: number;
    readonly maxReplicas?: number;
    readonly behavior?: Behavior;
    readonly cooldownPeriod?: number;
    readonly advanced?: { readonly horizontalPodAutoscalerConfig?: { readonly behavior?: Behavior } };
    readonly minReplicaCount?: number;
    readonly idleReplicaCount?: number;
    readonly maxReplicaCount?: number;
    readonly schedules?: readonly Schedule[];
  };
}

/** An HPA. An absent minimum is 1; an HPA that belongs to a ScaledObject or a PodAutoscaler says nothing of its own. */
export const boundsOfAutoscaler = ({ metadata, spec }: AutoscalerObject): AutoscalerBounds | null => {
  const owned = (metadata.ownerReferences ?? []).some(({ kind }) => kind === 'ScaledObject' || kind === 'PodAutoscaler');
  const deployment = scaledDeployment({ metadata, ...(spec === undefined ? {} : { spec }) });
  if (owned || deployment === null) return null;
  return {
    deployment,
    minReplicas: spec?.minReplicas ?? 1,
    maxReplicas: spec?.maxReplicas ?? null,
    pace: { ...paceOfBehavior(spec?.behavior), spec: JSON.stringify(spec) },
  };
};

export const boundsOfPodAutoscaler = (object: AutoscalerObject): AutoscalerBounds | null => {
  const bounds = boundsOfAutoscaler(object);
  if (bounds === null) return null;
  const { schedules } = object.spec ?? {};
  return {
    ...bounds,
    pace: { ...paceOfPodAutoscaler, spec: JSON.stringify(object.spec) },
    ...(schedules === undefined ? {} : { schedules }),
  };
};

/** A ScaledObject's own bounds: KEDA scales to 0 unless told otherwise, and to 100. */
export const boundsOfScaledObject = (object: AutoscalerObject): AutoscalerBounds | null => {
  const deployment = scaledDeployment(object);
  if (deployment === null) return null;
  const { minReplicaCount = 0, idleReplicaCount, maxReplicaCount = 100, cooldownPeriod = 300 } = object.spec ?? {};
  const { up, down } = paceOfBehavior(object.spec?.advanced?.horizontalPodAutoscalerConfig?.behavior);
  return {
    deployment,
    minReplicas: idleReplicaCount ?? minReplicaCount,
    maxReplicas: maxReplicaCount,
    pace: {
      up,
      down: { ...down, waitSeconds: Math.max(down.waitSeconds, cooldownPeriod) },
      spec: JSON.stringify(object.spec),
    },
  };
};

/** The tightest of several; a minimum above the maximum gives way to it. */
export const tightest = (all: readonly Bounds[]): Bounds => {
  const maxima = all.flatMap(({ maxReplicas }) => maxReplicas ?? []);
  const maxReplicas = maxima.length === 0 ? null : Math.min(...maxima);
  const minReplicas = Math.max(0, ...all.map((bounds) => bounds.minReplicas));
  return { minReplicas: maxReplicas === null ? minReplicas : Math.min(minReplicas, maxReplicas), maxReplicas };
};

/** How long the bounds of an autoscaler that vanished still hold (s): it may only be on its way to being replaced. */
const vanishedBoundsSeconds = 300;

/**
 * Bounds by Deployment, the tightest of all autoscalers. Those of one that vanished hold for five minutes more.
 * @param autoscalers what is known now, one map per kind, by `namespace/name`
 */
export const rememberVanished = (autoscalers: readonly ReadonlyMap<string, AutoscalerBounds>[]) => {
  const seen = new Map<string, { readonly bounds: AutoscalerBounds; readonly at: number }>();
  return (now: number): ReadonlyMap<string, Bounds> => {
    for (const [index, items] of autoscalers.entries())
      for (const [key, bounds] of items) seen.set(`${index} ${key}`, { bounds, at: now });
    for (const [key, { at }] of seen) if (now - at > vanishedBoundsSeconds) seen.delete(key);
    const byDeployment = Map.groupBy(
      [...seen.values()].map(({ bounds }) => bounds),
      ({ deployment }) => deployment,
    );
    return new Map(
      [...byDeployment].map(([deployment, all]) => [deployment, tightest(all.map((bounds) => boundsAt(bounds, now)))]),
    );
  };
};

/** Bounds within a window replace the usual ones. */
const boundsAt = ({ minReplicas, maxReplicas, schedules = [] }: AutoscalerBounds, now: number): Bounds => ({
  minReplicas,
  maxReplicas,
  ...pickBounds(scheduleAt(schedules, now)),
});

const pickBounds = (schedule: Schedule | null): Partial<Bounds> => ({
  ...(schedule?.minReplicas === undefined ? {} : { minReplicas: schedule.minReplicas }),
  ...(schedule?.maxReplicas === undefined ? {} : { maxReplicas: schedule.maxReplicas }),
});

/** A ScaledObject's target without a kind is a Deployment. */
const scaledDeployment = ({ metadata, spec }: AutoscalerObject): string | null => {
  const { kind = 'Deployment', name } = spec?.scaleTargetRef ?? {};
  return kind === 'Deployment' && name !== undefined ? `${metadata.namespace}/${name}` : null;
};
