import type { ModelDeployment } from '../../cluster/variant.ts';
import { deploymentKey } from '../../vocabulary/deployment-key.ts';

/** One model in one namespace (or in all of them, pooled). */
export interface ModelGroup {
  readonly name: string;
  readonly deployments: readonly ModelDeployment[];
  readonly aliases: readonly string[];
  /** Share of the arrivals under the model's names that is this group's. */
  readonly share: number;
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
    .flatMap(([model, all]) => {
      const aliases = [...new Set([model, ...all.flatMap((deployment) => deployment.aliases)])];
      const namespaces = [...Map.groupBy(all, ({ namespace }) => namespace)];
      if (namespaces.length === 1 || poolNamespaces) return [{ name: model, deployments: all, aliases, share: 1 }];
      const counts = namespaces.map(([, some]) =>
        some.reduce((sum, deployment) => sum + (ready.get(deploymentKey(deployment)) ?? 0), 0),
      );
      const total = counts.reduce((sum, count) => sum + count, 0);
      return namespaces.map(([namespace, some], index) => ({
        name: `${model} (${namespace})`,
        deployments: some,
        aliases,
        share: total === 0 ? 1 / namespaces.length : counts[index]! / total,
      }));
    });
};
