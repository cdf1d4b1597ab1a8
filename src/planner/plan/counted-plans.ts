import type { Plan, Snapshot } from '../../vocabulary/planning-documents.ts';
import type { PlanDetail } from './plan-of-snapshot.ts';

/**
 * The planner, as its own stages ask it what the answer to some snapshot would be.
 * @param detail absent = where each row of demand goes is wanted as far as anybody asked for it
 */
export type MakePlan = (snapshot: Snapshot, detail?: PlanDetail) => Plan;

/** All the ways in which a tick has plans made. */
export interface CountedPlans {
  /** Plans that are followed. */
  readonly makePlan: MakePlan;
  /**
   * Plans that decide something and are not followed. All of a tick share a limit; a late one is still answered, with what is
   * seen at once.
   */
  readonly whatIf: MakePlan;
  /** How many plans it was so far. */
  asked(): number;
}

/** Work of all that later stages ask, over that of the plan. */
const whatIfShare = 0.3;

/** What one question may take of what is left of that; and what it may in any case. */
const shareOfRest = 0.1;
const leastWorkOfQuestion = 2_000;

/** @param workLimit units that a tick may take for its plan; all its questions together may take a share of that more */
export const countedPlans = (makePlan: MakePlan, workLimit: number): CountedPlans => {
  let [asked, left] = [0, whatIfShare * workLimit];
  const counted: MakePlan = (snapshot, detail) => {
    asked += 1;
    return makePlan(snapshot, detail);
  };
  return {
    makePlan: counted,
    whatIf: (snapshot, detail) => {
      const most = Math.max(leastWorkOfQuestion, Math.floor(shareOfRest * left));
      const plan = counted({ ...snapshot, workLimit: Math.min(snapshot.workLimit ?? most, most) }, detail);
      left = Math.max(0, left - plan.solve.work);
      return plan;
    },
    asked: () => asked,
  };
};
