import { ownerKey } from '../vocabulary/deployment-key.ts';
import type { ServicePods } from './endpoint-slices.ts';
import { objectKey } from './kubernetes-object.ts';
import { type DeploymentPod, labelledOrigin, portKey } from './pods.ts';
import type { ModelDeployment } from './variant.ts';

/** Where the pods of each model take requests. */
export interface ModelEndpoints {
  /** By `namespace/deployment`, by model and each of its aliases. A Deployment without a pod that is Ready has none. */
  readonly origins: ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;
  /** By model and alias: Deployments whose pods are Ready and cannot be reached, and what would mend that, a line each. */
  readonly unreachable: ReadonlyMap<string, readonly string[]>;
}

/**
 * A Deployment's pods are those that Services name: a pod behind several counts once, by the first of them in order of name.
 * Where no Service names a pod that is Ready, they are those that are Ready and not on their way out, at the port of their
 * label `model.aibrix.ai/port`, as AIBrix's gateway has it.
 */
export const modelEndpoints = (
  deployments: ReadonlyMap<string, ModelDeployment>,
  pods: ReadonlyMap<string, DeploymentPod>,
  slices: Iterable<ServicePods>,
): ModelEndpoints => {
  const places = placesOf(deployments.keys(), pods, slices);
  const origins = new Map<string, Map<string, readonly string[]>>();
  const unreachable = new Map<string, readonly string[]>();
  for (const [key, { model, aliases }] of deployments) {
    const { found, stranded } = places.get(key)!;
    for (const name of [model, ...aliases]) {
      origins.set(name, (origins.get(name) ?? new Map<string, readonly string[]>()).set(key, [...found].sort()));
      if (stranded > 0) unreachable.set(name, [...(unreachable.get(name) ?? []), unreachableText(key, model, stranded)]);
    }
  }
  return { origins, unreachable };
};

/** Where the pods of one Deployment take requests. */
interface Places {
  readonly found: readonly string[];
  /** Pods that are Ready, of a Deployment none of whose pods can be sent a request. */
  readonly stranded: number;
}

/** By `namespace/deployment`. */
export const placesOf = (
  keys: Iterable<string>,
  pods: ReadonlyMap<string, DeploymentPod>,
  slices: Iterable<ServicePods>,
): ReadonlyMap<string, Places> => {
  const byService = [...slices].sort((a, b) => (a.service < b.service ? -1 : Number(a.service > b.service)));
  const behindServices = originsOfServices(pods, byService);
  const named = new Set(byService.flatMap((service) => service.named));
  const ready = readyPods(pods);
  const places = new Map<string, Places>();
  for (const key of keys) {
    const found = behindServices.get(key) ?? labelled(ready.get(key) ?? []);
    // A pod that a Service names, and does not call Ready yet, will be in a moment.
    const nobodys = (ready.get(key) ?? []).filter((pod) => !named.has(objectKey(pod)));
    places.set(key, { found, stranded: found.length === 0 ? nobodys.length : 0 });
  }
  return places;
};

const originsOfServices = (
  pods: ReadonlyMap<string, DeploymentPod>,
  byService: readonly ServicePods[],
): ReadonlyMap<string, readonly string[]> => {
  const origins = new Map<string, string>();
  for (const { pods: usable } of byService) for (const { pod, origin } of usable) if (!origins.has(pod)) origins.set(pod, origin);
  const ofDeployments = [...origins].flatMap(([key, origin]) => {
    const pod = pods.get(key);
    return pod === undefined || pod.deployment === '' ? [] : { deployment: ownerKey(pod), origin };
  });
  const byDeployment = Map.groupBy(ofDeployments, ({ deployment }) => deployment);
  return new Map([...byDeployment].map(([key, theirs]) => [key, theirs.map(({ origin }) => origin)]));
};

const readyPods = (pods: ReadonlyMap<string, DeploymentPod>): ReadonlyMap<string, readonly DeploymentPod[]> =>
  Map.groupBy(
    [...pods.values()].filter((pod) => pod.deployment !== '' && pod.ready && !pod.terminating && !pod.ended && pod.ip !== null),
    ownerKey,
  );

const labelled = (pods: readonly DeploymentPod[]): readonly string[] => pods.flatMap((pod) => labelledOrigin(pod) ?? []);

const unreachableText = (key: string, model: string, pods: number): string =>
  `Deployment ${key} of model ${model} ${strandedText(pods)}. Create a Service that selects them, or give the Deployment's pod ` +
  `template that label with the port of the engine`;

export const strandedText = (pods: number): string =>
  `has ${pods} Ready pod${pods === 1 ? '' : 's'} that requests cannot be sent to: no Service with a TCP port selects them, and they ` +
  `have no label ${portKey}`;
