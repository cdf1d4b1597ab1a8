import * as z from 'zod/mini';
import { amount, count, counts, number, oneOf, share, text } from '../src/formats/documents.ts';
import type { Plan } from '../src/vocabulary/planning-documents.ts';
import type { RoutingPlan } from '../src/vocabulary/routing-plan.ts';

/**
 * The formats of documents that gpumix writes for others: no code of ours reads them by these schemas, the compiler compares
 * them.
 */

const demand = { inputTokens: amount, outputTokens: amount, arrivalRate: amount };
const shares = z.record(z.string(), share);
const shortages = [
  'stock',
  'maxReplicas',
  'budget',
  'profile',
  'paused',
  'pinned',
  'notFollowed',
  'outOfStock',
] as const satisfies readonly Plan['models'][number]['unserved'][number]['reason'][];

export const planSchema = z.object({
  status: oneOf(['optimal', 'feasible', 'infeasible']),
  cost: amount,
  bound: z.nullable(amount),
  gap: z.nullable(amount),
  servedGap: z.nullable(share),
  models: z.array(
    z.strictObject({
      name: text,
      cost: amount,
      replicas: counts,
      routing: z.array(z.strictObject({ ...demand, shares })),
      beyondSlo: z.array(z.strictObject(demand)),
      unserved: z.array(z.strictObject({ ...demand, reason: oneOf(shortages) })),
    }),
  ),
  solve: z.strictObject({ milliseconds: amount, nodes: count, work: amount }),
});

export const routingPlanSchema = z.strictObject({
  version: z.literal(1),
  model: text,
  created: number,
  expires: number,
  classes: z.array(z.strictObject({ fromTokens: amount, toTokens: z.nullable(amount), shares })).check(z.minLength(1)),
  ready: counts,
  planned: counts,
  concurrency: z.optional(z.record(z.string(), amount)),
  ttftSeconds: z.optional(amount),
});

type Mutable<Value> = Value extends object ? { -readonly [Key in keyof Value]: Mutable<Value[Key]> } : Value;
/** Compiles only where the two are one type. */
type Same<Left, Right> = [Left, Right] extends [Right, Left] ? true : never;
true satisfies Same<z.output<typeof planSchema>, Mutable<Plan>>;
type Present<Value> = { [Key in keyof Value]-?: Exclude<Value[Key], undefined> };
true satisfies Same<Present<z.output<typeof routingPlanSchema>>, Present<Mutable<RoutingPlan>>>;
