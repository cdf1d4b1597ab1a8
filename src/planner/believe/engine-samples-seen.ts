import { together } from '../../cluster/engine-metrics.ts';
import type { ModelDeployment } from '../../cluster/variant.ts';
import type { EngineSample } from '../../vocabulary/engine-sample.ts';
import { believed } from './trusted-records.ts';
import { type NameHistory, recordOf, type Workload } from '../../workload/rates.ts';
import { keyOf, type Memory, type Reading } from './believe.ts';

/** What engines said so long ago (s) tells nothing of the records that are still read. */
const rememberedSeconds = 600;

/** What the engines of each model said of late, by model, oldest first. */
export const samplesSeen = (
  { deployments, engines, now }: Pick<Reading, 'deployments' | 'engines' | 'now'>,
  before: Memory['samples'],
): Memory['samples'] => {
  const byModel = Map.groupBy(deployments.values(), ({ model }) => model);
  const seen = [...byModel].flatMap(([model, some]) => {
    const newest = together(some.flatMap((one) => engines.get(keyOf(one)) ?? []))?.sample ?? null;
    const known = (before.get(model) ?? []).filter(({ at }) => at > now - rememberedSeconds);
    const heard = newest === null || newest.at <= (known.at(-1)?.at ?? 0) ? known : [...known, newest];
    return heard.length === 0 ? [] : [[model, heard] as const];
  });
  return new Map(seen);
};

/** The workload as far as the writers of its records can be trusted. What a model's engines say is shared by what ended under its names. */
export const believedWorkload = (
  workload: Workload,
  deployments: Iterable<ModelDeployment>,
  samples: ReadonlyMap<string, readonly EngineSample[]>,
): Workload => {
  const modelOf = new Map<string, string>();
  const ended = new Map<string, number>();
  for (const { model, aliases } of deployments)
    for (const name of [model, ...aliases]) if (!modelOf.has(name)) modelOf.set(name, model);
  if (samples.size > 0)
    for (const [name, model] of modelOf) ended.set(model, (ended.get(model) ?? 0) + endedOf(workload.names.get(name)));
  const names = [...workload.names].map(([name, history]): [string, NameHistory] => {
    const held = samples.get(modelOf.get(name) ?? '') ?? [];
    const all = ended.get(modelOf.get(name) ?? '') ?? 0;
    return [name, believed(history, held, all === 0 ? 1 : endedOf(history) / all)];
  });
  return { ...workload, names: new Map(names) };
};

const endedOf = (history: NameHistory | undefined): number =>
  (history?.intervals ?? []).reduce((sum, interval) => sum + (recordOf(interval)?.completed ?? 0), 0);
