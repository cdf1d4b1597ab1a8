import { type BelieveReading, type BelieveSettings, believe } from './believe/believe.ts';
import { type MoveSettings, move } from './move/move.ts';
import { type PlanReading, type PlanSettings, plan } from './plan/plan.ts';
import { countedWhatIf, type WhatIf } from './plan/what-if.ts';
import { type ReportSettings, reported } from './publish/targets-and-reports.ts';
import { joinedParts, type Memory, memoryAfter, type PartOutcome, type TickOutcome } from './publish/tick-outcome.ts';

/** All that was read, as of one tick; each stage declares its own part. */
export interface Reading extends BelieveReading, Omit<PlanReading, 'workload'> {}

export interface PlannerSettings extends BelieveSettings, PlanSettings, MoveSettings, ReportSettings {}

/**
 * One tick of the planner: what was read is believed, what is believed is planned for, what runs moves toward the plan, and what
 * is to be said of it is said. Pure: whoever calls it reads before and publishes after.
 * @param planOf makes the plan of a snapshot; asked also for what would be
 */
export const decide = (reading: Reading, memory: Memory, settings: PlannerSettings, planOf: WhatIf): TickOutcome => {
  const { whatIf, asked } = countedWhatIf(planOf);
  const { decisions } = memory.moved;
  const beliefs = believe(reading, { decisions, ...memory.planned }, memory.believed, settings);
  const parts: PartOutcome[] = [];
  for (const planned of plan(beliefs.models, reading, decisions, settings, whatIf)) {
    const moved = move(planned, memory.moved, settings, reading.now, whatIf);
    parts.push(reported(planned, moved, decisions, reading, settings, whatIf));
  }
  return {
    ...joinedParts(parts),
    memory: memoryAfter(memory, beliefs.memory, parts, reading.deployments),
    plansMade: asked(),
  };
};
