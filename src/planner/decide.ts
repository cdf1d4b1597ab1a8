import { type BelieveReading, type BelieveSettings, believe } from './believe/believe.ts';
import { type MoveSettings, move } from './move/move.ts';
import { countedPlans, type MakePlan } from './plan/counted-plans.ts';
import { type PlanReading, type PlanSettings, planModels } from './plan/plan.ts';
import { type Memory, memoryAfter } from './remember/tick-memory.ts';
import { type ReportSettings, report } from './report/report.ts';
import { joinedReports, type TickOutcome } from './report/tick-outcome.ts';
import { problemsOf } from './report/tick-problems.ts';

/** All that was read, as of one tick; each stage declares its own part. */
export interface Reading extends BelieveReading, Omit<PlanReading, 'workload'> {}

/** Each stage's own. */
export interface PlannerSettings extends BelieveSettings, PlanSettings, MoveSettings, ReportSettings {}

/**
 * One tick of the planner: what was read is believed, what is believed is planned for, what runs moves toward the plan, and what
 * is to be said of it is said. Pure: whoever calls it reads before and publishes after.
 * @param workLimit units of work that this tick may take for its plan: no setting, as the machine tells
 * @param makePlan asked for the plan of this tick, and for what-ifs
 */
export const decide = (
  reading: Reading,
  memory: Memory,
  settings: PlannerSettings,
  workLimit: number,
  makePlan: MakePlan,
): TickOutcome => {
  const counted = countedPlans(makePlan, workLimit);
  const tick = { reading, memory, settings, workLimit, ...counted };
  const beliefs = believe(tick);
  const done = planModels(beliefs.models, tick)
    .map((planned) => {
      const moved = move(planned, tick);
      return { workPerRequest: planned.workPerRequest, moved, report: report(planned, moved, tick) };
    })
    .toArray();
  const reports = joinedReports(done.map((one) => one.report));
  return {
    ...reports,
    problems: problemsOf(reports.models, reports.snapshot),
    memory: memoryAfter(memory, beliefs.memory, done, reading.deployments),
    enginesToAsk: beliefs.enginesToAsk,
    plansMade: counted.asked(),
  };
};
