import type { Plan, Snapshot } from '../../vocabulary/planning-documents.ts';

/** The planner, as its own stages ask it what the answer to some snapshot would be. */
export type MakePlan = (snapshot: Snapshot) => Plan;

/** The one port through which a tick has plans made, its own plan among them; `asked` is how many it was so far. */
export const countedPlans = (port: MakePlan): { readonly makePlan: MakePlan; asked(): number } => {
  let asked = 0;
  return {
    makePlan: (snapshot) => {
      asked += 1;
      return port(snapshot);
    },
    asked: () => asked,
  };
};
