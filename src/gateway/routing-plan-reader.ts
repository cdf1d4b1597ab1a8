import { messageOf } from '../vocabulary/errors.ts';
import type { RoutingPlan } from '../vocabulary/routing-plan.ts';
import { readRoutingPlan } from '../vocabulary/routing-plan.ts';

/** The documents of these models as they are now, null where there is none. */
export type ReadPlans = (models: readonly string[]) => Promise<readonly (string | null)[]>;

export interface Plans {
  /** What is followed now; null = there is none, or it has expired. @param now Unix s by the clock of the planner */
  current(model: string, now: number): RoutingPlan | null;
  /** Reads them again. Where that fails those that are known stand until they expire. */
  refresh(models: readonly string[]): Promise<void>;
  /** What is wrong, one line each. */
  problems(models: readonly string[], now: number): readonly string[];
}

export const watchPlans = (read: ReadPlans): Plans => {
  const plans = new Map<string, RoutingPlan>();
  const broken = new Map<string, string>();
  let unreadable: string | null = null;
  const current = (model: string, now: number): RoutingPlan | null => {
    const plan = plans.get(model);
    return plan !== undefined && now < plan.expires ? plan : null;
  };
  return {
    current,
    refresh: async (models) => {
      let texts: readonly (string | null)[];
      try {
        texts = await read(models);
      } catch (error) {
        unreadable = `routing plans cannot be read: ${messageOf(error)}`;
        return;
      }
      unreadable = null;
      for (const [index, model] of models.entries()) {
        const text = texts[index] ?? null;
        const plan = text === null ? null : readRoutingPlan(text);
        broken.delete(model);
        if (typeof plan === 'string') broken.set(model, `the routing plan of ${model} ${plan}`);
        else if (plan !== null) plans.set(model, plan);
      }
      for (const model of plans.keys()) if (!models.includes(model)) plans.delete(model);
    },
    problems: (models, now) => [
      ...(unreadable === null ? [] : [unreadable]),
      ...broken.values(),
      ...models.flatMap((model) => {
        if (current(model, now) !== null || broken.has(model)) return [];
        const state = plans.has(model) ? 'has expired' : 'is missing';
        return [`the routing plan of ${model} ${state}: its requests go to the pods with the least outstanding work`];
      }),
    ],
  };
};
