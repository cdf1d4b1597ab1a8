import type { Profile } from '../profiles/profile-document.ts';
import { servedByProfile } from '../profiles/served-demand.ts';
import type { DemandRow, Model, Plan, RouterKnowledge, Snapshot } from '../vocabulary/planning-documents.ts';
import type { SimulatedVariant } from './replicas.ts';

/** The replicas that carry demand, and what each of them can. */
export interface ServingFleet {
  readonly variants: readonly SimulatedVariant[];
  readonly profiles: ReadonlyMap<string, Profile>;
  readonly routerKnowledge: RouterKnowledge;
  readonly solve: (snapshot: Snapshot) => Plan;
  /** Ready replicas by `namespace/deployment`. */
  readonly ready: (key: string) => number;
}

/** The snapshot of a demand, with these bounds for each variant. */
export const snapshotFor = (
  demand: readonly DemandRow[],
  { variants, profiles, routerKnowledge }: Pick<ServingFleet, 'variants' | 'profiles' | 'routerKnowledge'>,
  bounds: (key: string) => Pick<Model['variants'][number], 'minReplicas' | 'maxReplicas'> = () => ({
    minReplicas: 0,
    maxReplicas: null,
  }),
  stock: Snapshot['stock'] = {},
): Snapshot => ({
  now: null,
  models: [
    {
      name: 'simulated',
      priority: 0,
      demand,
      variants: variants.map(({ key, gpu, gpusPerReplica, price }) => ({
        name: key,
        gpu,
        gpusPerReplica,
        price,
        running: null,
        ready: null,
        ...bounds(key),
        ...servedByProfile(profiles.get(key)!, demand),
      })),
      previous: null,
    },
  ],
  stock,
  budget: null,
  routing: routerKnowledge,
});

/** Share of the demand that what is Ready cannot carry by the profiles; 0 = it carries all, to 1 %. */
export const capacityGap = (demand: readonly DemandRow[], capacity: ServingFleet): number => {
  const { ready, solve } = capacity;
  if (demand.every(({ arrivalRate }) => arrivalRate === 0)) return 0;
  const snapshot = snapshotFor(demand, capacity, (key) => ({ minReplicas: ready(key), maxReplicas: ready(key) }));
  const [model] = snapshot.models;
  const carries = (scale: number): boolean => {
    const scaled = demand.map((row) => ({ ...row, arrivalRate: row.arrivalRate * scale }));
    const { status } = solve({ ...snapshot, models: [{ ...model!, demand: scaled }] });
    return status === 'optimal' || status === 'feasible';
  };
  if (carries(1)) return 0;
  let [low, high] = [0, 1];
  while (high - low > 0.01) {
    const middle = (low + high) / 2;
    if (carries(middle)) low = middle;
    else high = middle;
  }
  return 1 - low;
};
