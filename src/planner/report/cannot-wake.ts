import type { Target } from '../../vocabulary/target.ts';
import type { Conclusion } from '../believe/model-states.ts';
import { gatewayLostAfterSeconds } from '../plan/router-knowledge.ts';

/**
 * Whether a model is at zero and nothing will wake it: the gateway answers 503 then and counts no request, so no demand is
 * ever seen. A gateway of ours holds requests for a model at zero.
 * @param heartbeatAt newest heartbeat of a gateway of ours (Unix s); null = there never was one
 */
export const cannotWake = (
  { state }: Pick<Conclusion, 'state'>,
  targets: readonly Pick<Target, 'decision'>[],
  heartbeatAt: number | null,
  now: number,
): boolean =>
  state === 'idle' &&
  targets.length > 0 &&
  targets.every(({ decision }) => 'replicas' in decision && decision.replicas === 0) &&
  (heartbeatAt === null || now - heartbeatAt > gatewayLostAfterSeconds);

/** What to tell people, and what they can do. */
export const cannotWakeText = (model: string): string =>
  `model ${model} is at 0 replicas and its gateway cannot wake it: give a Deployment the label model.aibrix.ai/min_replicas "1"`;
