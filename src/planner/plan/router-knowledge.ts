import type { RouterKnowledge } from '../../vocabulary/planning-documents.ts';
import type { Workload } from '../../workload/workload.ts';

export interface RouterReading {
  /** Unix seconds by Redis' clock. */
  readonly now: number;
  readonly workload: Pick<Workload, 'heartbeatAt'> | null;
}

export interface RouterSettings {
  /** What the router knows of a request; `auto` = input while a gateway of ours is there, else what another router knows. */
  readonly routerKnowledge: RouterKnowledge | 'auto';
  /** What another router knows; absent = none. */
  readonly otherRouterKnowledge?: RouterKnowledge;
}

/** A gateway of ours that was last heard longer ago is lost (s): it neither routes nor wakes a model. */
export const gatewayLostAfterSeconds = 600;

/** What the router in front knows of a request. */
export const routerKnowledgeNow = (
  { routerKnowledge, otherRouterKnowledge = 'none' }: RouterSettings,
  { now, workload }: RouterReading,
): RouterKnowledge => {
  if (routerKnowledge !== 'auto') return routerKnowledge;
  const heartbeatAt = workload?.heartbeatAt ?? null;
  return heartbeatAt !== null && now - heartbeatAt < gatewayLostAfterSeconds ? 'input' : otherRouterKnowledge;
};
