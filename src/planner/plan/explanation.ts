import { costWithOnly, sensitivity } from '../../solver/sensitivity.ts';
import { defaultOptions, solve } from '../../solver/solve.ts';
import { element } from '../../vocabulary/list-element.ts';
import {
  type Hold,
  holdFromAbove,
  holdFromBelow,
  type RouterKnowledge,
  routerKnowledges,
  type Snapshot,
  servesAll,
} from '../../vocabulary/planning-documents.ts';
import { fleetOfSnapshot, planOf, searchLimitsOf } from './plan-of-snapshot.ts';

/** What stands behind a plan, and what would change it. Costs and savings are money/h. */
export interface Explanation {
  /** Per GPU type that is short: what so many more GPUs would save. */
  readonly stock: readonly { readonly gpu: string; readonly gpus: number; readonly saves: number }[];
  /** Bounds that cost something: what moving them by one replica would save, the other models as they are. */
  readonly bounds: readonly {
    readonly variant: string;
    readonly bound: 'minReplicas' | 'maxReplicas';
    /** What has set it; absent = its autoscaler. */
    readonly heldBy?: Hold;
    readonly saves: number;
  }[];
  /** Cost under each router; null where not all can be served. What a better router is worth. */
  readonly routing: Readonly<Record<RouterKnowledge, number | null>>;
  /** Cost with one GPU type alone, floors aside; null where it does not carry the demand. */
  readonly singleType: readonly { readonly gpu: string; readonly cost: number | null }[];
  /** Per model the next best mix; null = there is none. */
  readonly runnersUp: readonly {
    readonly model: string;
    readonly replicas: Readonly<Record<string, number>>;
    readonly cost: number;
  }[];
}

export const explanationOf = (snapshot: Snapshot): Explanation => {
  const { fleet, models, pools } = fleetOfSnapshot(snapshot);
  const options = { ...defaultOptions, ...searchLimitsOf(snapshot) };
  const outcome = solve(fleet, options);
  const served = servesAll(outcome);
  const answers = served ? sensitivity(fleet, outcome, options) : { stock: [], bounds: [], runnersUp: [] };
  const variantOf = (m: number, g: number) => element(element(models, m).model.variants, g);
  const gpus = [...new Set(models.flatMap(({ model }) => model.variants.map(({ gpu }) => gpu)))].sort();
  return {
    stock: answers.stock.map(({ pool, ...rest }) => ({ gpu: element(pools, pool).name, ...rest })),
    bounds: answers.bounds.map(({ model, variant, bound, saves }) => {
      const bounded = variantOf(model, variant);
      const heldBy = bound === 'upper' ? holdFromAbove(bounded) : holdFromBelow(bounded);
      const hold = heldBy === null ? {} : { heldBy };
      return { variant: bounded.name, bound: bound === 'upper' ? 'maxReplicas' : 'minReplicas', ...hold, saves };
    }),
    routing: Object.fromEntries(
      routerKnowledges.map((routerKnowledge) => [routerKnowledge, costUnder(snapshot, routerKnowledge)]),
    ) as Explanation['routing'],
    singleType: gpus.map((gpu) => ({
      gpu,
      cost: costWithOnly(fleet, (_, m, g) => variantOf(m, g).gpu === gpu, options),
    })),
    runnersUp: answers.runnersUp.flatMap((mix, m) => {
      if (mix === null) return [];
      const { name, variants } = element(models, m).model;
      const replicas = Object.fromEntries(variants.map((variant, g) => [variant.name, element(mix, g)]));
      return [{ model: name, replicas, cost: variants.reduce((sum, { price }, g) => sum + price * element(mix, g), 0) }];
    }),
  };
};

const costUnder = (snapshot: Snapshot, routerKnowledge: RouterKnowledge): number | null => {
  const models = snapshot.models.map((model) => ({ ...model, routing: routerKnowledge }));
  const plan = planOf({ ...snapshot, models });
  return servesAll(plan) ? plan.cost : null;
};
