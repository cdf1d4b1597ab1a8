import type { Policy } from '../../src/simulation/policy.ts';
import { createKpa, type KpaSettings } from './aibrix-kpa.ts';
import { aibrixOptimizer, type OptimizerVariant } from './aibrix-optimizer.ts';

/** AIBrix's optimizer with a PodAutoscaler per Deployment. Its gateway knows of no plan: the fewest in flight are next. */
export const aibrixPolicy = (
  name: string,
  variants: readonly OptimizerVariant[],
  initial: ReadonlyMap<string, number>,
  settings: KpaSettings,
): Policy => {
  const optimizer = aibrixOptimizer(variants, initial);
  const autoscalers = new Map(variants.map(({ key }) => [key, createKpa(settings)]));
  let values = initial;
  return {
    name,
    syncSeconds: 10,
    observe: async (record, time) => {
      values = optimizer.round(record, time).replicas;
    },
    tick: async () => {},
    sync: (view) => new Map([...autoscalers].map(([key, kpa]) => [key, kpa(view.now, values.get(key) ?? 0, view.spec(key))])),
    plan: () => null,
  };
};
