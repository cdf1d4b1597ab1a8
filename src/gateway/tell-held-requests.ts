import { messageOf } from '../vocabulary/errors.ts';
import type { HeldRequests } from '../workload/store.ts';
import type { Held } from './proxy.ts';

/**
 * Tells the planner of requests that wait for a model without a replica: at once, again while they wait, and when they no
 * longer do.
 * @param clock Unix s
 */
export const tellHeldRequests = (
  held: (model: string) => Held | null,
  write: (model: string, held: HeldRequests | null) => Promise<void>,
  clock: () => number,
  onProblem: (problem: string) => void,
) => {
  const told = new Set<string>();
  const tell = async (model: string): Promise<void> => {
    const now = held(model);
    try {
      await write(model, now === null ? null : { model, at: clock(), ...now });
      if (now === null) told.delete(model);
    } catch (error) {
      onProblem(`requests held for ${model} cannot be told of: ${messageOf(error)}`);
    }
  };
  return {
    /** A request has begun to wait. */
    began: (model: string): void => {
      if (told.has(model)) return;
      told.add(model);
      // Once those that came with it wait too.
      setImmediate(() => void tell(model));
    },
    renew: async (): Promise<void> => {
      await Promise.all([...told].map(tell));
    },
  };
};
