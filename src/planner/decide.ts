import { type BelieveReading, type BelieveSettings, believe } from './believe/believe.ts';
import { type MoveSettings, move } from './move/move.ts';
import { countedPlans, type MakePlan } from './plan/counted-plans.ts';
import { type PlanReading, type PlanSettings, planGroups } from './plan/plan.ts';
import { type Memory, memoryAfter } from './remember/tick-memory.ts';
import { type ReportSettings, report } from './report/report.ts';
import { joinedReports, type TickOutcome } from './report/tick-outcome.ts';
import { problemsOf } from './report/tick-problems.ts';

/** All that was read, as of one tick; each stage declares its own part. */
export interface Reading extends BelieveReading, Omit<PlanReading, 'workload'> {}

/** Each stage's own. How much work a tick may take is no setting: the machine tells. */
export interface PlannerSettings extends BelieveSettings, Omit<PlanSettings, 'workLimit'>, MoveSettings, ReportSettings {}
export type TickSettings = PlannerSettings & Pick<PlanSettings, 'workLimit'>;

/**
 * One tick of the planner: what was read is believed, what is believed is planned for, what runs moves toward the plan, and what
 * is to be said of it is said. Pure: whoever calls it reads before and publishes after.
 * @param maker makes the plan of a snapshot; asked also for what would be
 */
export const decide = (reading: Reading, memory: Memory, settings: TickSettings, maker: MakePlan): TickOutcome => {
  const { makePlan, whatIf, asked } = countedPlans(maker, settings.workLimit);
  const tick = { reading, memory, settings, makePlan, whatIf };
  const beliefs = believe(tick);
  const groups = planGroups(beliefs.models, tick)
    .map((planned) => {
      const moved = move(planned, tick);
      return { workPerRequest: planned.workPerRequest, moved, report: report(planned, moved, tick) };
    })
    .toArray();
  const reports = joinedReports(groups.map((group) => group.report));
  return {
    ...reports,
    problems: problemsOf(reports.models, reports.snapshot),
    memory: memoryAfter(memory, beliefs.memory, groups, reading.deployments),
    unsure: beliefs.unsure,
    plansMade: asked(),
  };
};
