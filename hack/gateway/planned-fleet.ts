import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { settings } from '../../src/config/serve-config.ts';
import { planOf } from '../../src/planner/plan/plan-of-snapshot.ts';
import { profileOf } from '../../src/profiles/profile-document.ts';
import { servedByProfile } from '../../src/profiles/served-demand.ts';
import type { RouterKnowledge, Variant } from '../../src/vocabulary/planning-documents.ts';
import { bucketIndex, tokensOf } from '../../src/workload/bucket-index.ts';
import type { TraceRequest } from '../../src/workload/gateway-records.ts';
import type { VariantInCluster } from './adapter-cluster.ts';

/** As `gpumix serve` plans by default. */
const headroom = Number(settings.headroom.default);

/**
 * Replicas of each variant that the plan for a whole trace wants, headroom included.
 * @param profiles a folder of `<model>/<GPU>.json`
 * @param seconds that the trace takes
 */
export const plannedFleet = (
  model: string,
  variants: readonly VariantInCluster[],
  profiles: string,
  trace: readonly TraceRequest[],
  seconds: number,
  routing: RouterKnowledge,
): readonly number[] => {
  const sizes = Map.groupBy(trace, (one) => `${bucketIndex(one.inputTokens)}:${bucketIndex(one.outputTokens)}`);
  const demand = [...sizes].map(([name, all]) => {
    const [input = 0, output = 0] = name.split(':').map(Number);
    const arrivalRate = ((1 + headroom) * all.length) / seconds;
    return { inputTokens: tokensOf(input, 10), outputTokens: tokensOf(output, 10), arrivalRate };
  });
  const measured = variants.map(({ gpu, price, maxReplicas = null }): Variant => {
    const file = join(profiles, model, `${gpu}.json`);
    const served = servedByProfile(profileOf(JSON.parse(readFileSync(file, 'utf8')), file), demand);
    const limits = { minReplicas: 0, maxReplicas, running: null, ready: null };
    return { name: gpu, gpu, gpusPerReplica: 1, price, ...limits, ...served };
  });
  const models = [{ name: model, priority: 0, demand, variants: measured, previous: null }];
  const plan = planOf({ now: null, stock: {}, budget: null, routing, models });
  return variants.map(({ gpu }) => plan.models[0]?.replicas[gpu] ?? 0);
};
