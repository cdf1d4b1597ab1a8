import { messageOf } from '../../vocabulary/errors.ts';
import type { RoutingPlan } from '../../vocabulary/routing-plan.ts';
import { classesForReady, type ModelRoutes } from '../report/ready-routing.ts';
import type { TickOutcome } from '../report/tick-outcome.ts';

/** What writing routing plans asks of Redis. */
export interface RoutingStore {
  write(key: string, value: string, expirySeconds: number): Promise<void>;
}

export interface RoutingPlanSettings {
  /** Before every key: `gpumix:`; a model's plan is at `<prefix>plan:<model>`. */
  readonly prefix: string;
  /** How long a plan is to be followed once nobody renews it (s). */
  readonly lifetimeSeconds: number;
}

/**
 * Tells routers each tick where requests go, for the replicas that are Ready now. A model that nothing new was planned for
 * is routed as before. What is returned says what could not be written, one line each.
 * @param ready Ready replicas by `namespace/deployment`
 */
export const routingPlanWriter = (store: RoutingStore, { prefix, lifetimeSeconds }: RoutingPlanSettings) => {
  let lastRoutes = new Map<string, ModelRoutes>();
  return async (
    { models, routes }: Pick<TickOutcome, 'models' | 'routes'>,
    ready: (key: string) => number,
    now: number,
  ): Promise<readonly string[]> => {
    for (const route of routes) lastRoutes.set(route.model, route);
    const names = new Set(models.map(({ name }) => name));
    lastRoutes = new Map([...lastRoutes].filter(([name]) => names.has(name)));
    const written = [...lastRoutes].map(async ([model, { classes, routedFor, planned, concurrency, ttftSeconds }]) => {
      const readyNow = Object.fromEntries(Object.keys(planned).map((key) => [key, ready(key)]));
      const document: RoutingPlan = {
        version: 1,
        model,
        created: now,
        expires: now + lifetimeSeconds,
        classes: classesForReady(classes, routedFor, readyNow),
        ready: readyNow,
        planned,
        concurrency,
        ...(ttftSeconds === null ? {} : { ttftSeconds }),
      };
      await store.write(`${prefix}plan:${model}`, JSON.stringify(document), lifetimeSeconds);
    });
    const failed = (await Promise.allSettled(written)).flatMap((write) =>
      write.status === 'rejected' ? messageOf(write.reason) : [],
    );
    return [...new Set(failed)].map((problem) => `routing plans are not written: ${problem}`);
  };
};
