import type { ModelDeployment } from '../../cluster/variant.ts';
import { deploymentKey } from '../../vocabulary/deployment-key.ts';

/** One model in one namespace, or in all of them together (`--pool-namespaces`). */
export interface ModelGroup {
  readonly name: string;
  readonly deployments: readonly ModelDeployment[];
  readonly aliases: readonly string[];
  /** Share of the arrivals under the model's names that is this group's. */
  readonly arrivalShare: number;
}

/** A model that lives in several namespaces has its arrivals split by Ready replicas, as its records do not tell them apart. */
export const modelGroups = (
  deployments: ReadonlyMap<string, ModelDeployment>,
  ready: ReadonlyMap<string, number>,
  poolNamespaces: boolean,
): readonly ModelGroup[] => {
  const byModel = Map.groupBy(deployments.values(), ({ model }) => model);
  return [...byModel]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([model, ofModel]) => {
      const aliases = [...new Set([model, ...ofModel.flatMap((deployment) => deployment.aliases)])];
      const namespaces = [...Map.groupBy(ofModel, ({ namespace }) => namespace)];
      if (namespaces.length === 1 || poolNamespaces) return [{ name: model, deployments: ofModel, aliases, arrivalShare: 1 }];
      const counts = namespaces.map(([, inNamespace]) =>
        inNamespace.reduce((sum, deployment) => sum + (ready.get(deploymentKey(deployment)) ?? 0), 0),
      );
      const total = counts.reduce((sum, count) => sum + count, 0);
      return namespaces.map(([namespace, inNamespace], index) => ({
        name: `${model} (${namespace})`,
        deployments: inNamespace,
        aliases,
        arrivalShare: total === 0 ? 1 / namespaces.length : counts[index]! / total,
      }));
    });
};
