import { type BelieveReading, type BelieveSettings, believe } from './believe/believe.ts';
import { type MoveSettings, move } from './move/move.ts';
import { countedPlans, type MakePlan } from './plan/counted-plans.ts';
import { type PlanReading, type PlanSettings, plan } from './plan/plan.ts';
import { type ReportSettings, report } from './publish/targets-and-reports.ts';
import { joinedParts, type Memory, memoryAfter, type TickOutcome } from './publish/tick-outcome.ts';

/** All that was read, as of one tick; each stage declares its own part. */
export interface Reading extends BelieveReading, Omit<PlanReading, 'workload'> {}

export interface PlannerSettings extends BelieveSettings, PlanSettings, MoveSettings, ReportSettings {}

/**
 * One tick of the planner: what was read is believed, what is believed is planned for, what runs moves toward the plan, and what
 * is to be said of it is said. Pure: whoever calls it reads before and publishes after.
 * @param port makes the plan of a snapshot; asked also for what would be
 */
export const decide = (reading: Reading, memory: Memory, settings: PlannerSettings, port: MakePlan): TickOutcome => {
  const { makePlan, asked } = countedPlans(port);
  const known = { reading, last: memory.moved, settings, makePlan };
  const earlier = { decisions: memory.moved.decisions, loads: memory.planned.loads };
  const beliefs = believe(reading, earlier, memory.believed, settings);
  // One part after the other: only one is in memory at a time.
  const parts = plan(beliefs.models, known)
    .map((planned) => {
      const moved = move(planned, known);
      return report(planned, moved, known);
    })
    .toArray();
  return {
    ...joinedParts(parts),
    memory: memoryAfter(memory, beliefs.memory, parts, reading.deployments),
    plansMade: asked(),
  };
};
