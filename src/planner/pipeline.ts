import { type BelieveReading, type BelieveSettings, believe } from './believe/believe.ts';
import { type MoveSettings, move } from './move/move.ts';
import { type PlanReading, type PlanSettings, plan } from './plan/plan.ts';
import { joined } from './plan/plan-of-snapshot.ts';
import { countedWhatIf, type WhatIf } from './plan/what-if.ts';
import type { Decided, Memory } from './publish/decided.ts';
import { type ReportSettings, targetsAndReports } from './publish/targets-and-reports.ts';

/** All that was read, as of one tick; each stage declares its own part. */
export interface Reading extends BelieveReading, Omit<PlanReading, 'workload'> {}

export interface PlannerSettings extends BelieveSettings, PlanSettings, MoveSettings, ReportSettings {}

/**
 * One tick of the planner: what was read is believed, what is believed is planned for, what runs moves toward the plan, and what is to be
 * said of it is said. Pure: whoever calls it reads before and publishes after.
 * @param planOf makes the plan of a snapshot; asked also for what would be
 */
export const decide = (reading: Reading, memory: Memory, settings: PlannerSettings, planOf: WhatIf): Decided => {
  const { now, deployments } = reading;
  const { decisions } = memory.moved;
  const { whatIf, asked } = countedWhatIf(planOf);
  const beliefs = believe(reading, { decisions, ...memory.planned }, memory.believed, settings);
  const parts = [];
  for (const planned of plan(beliefs.models, reading, decisions, settings, whatIf)) {
    const moved = move(planned, memory.moved, settings, now, whatIf);
    const { targets, models, routes } = targetsAndReports(planned, moved, decisions, reading, settings, whatIf);
    const { solved, loads, together } = planned;
    const snapshot = together ? (solved?.snapshot ?? null) : null;
    parts.push({ moved, targets, models, routes, loads, snapshot, plan: solved?.plan ?? null });
  }
  const stillThere = <Value>(...all: readonly ReadonlyMap<string, Value>[]) =>
    new Map(all.flatMap((some) => [...some].filter(([key]) => deployments.has(key))));
  const plans = parts.flatMap((part) => part.plan ?? []);
  return {
    memory: {
      believed: beliefs.memory,
      planned: { loads: stillThere(memory.planned.loads, ...parts.map(({ loads }) => loads)) },
      moved: {
        decisions: stillThere(decisions, ...parts.map(({ moved }) => moved.decisions)),
        recent: stillThere(memory.moved.recent, ...parts.map(({ moved }) => moved.recent)),
      },
    },
    targets: parts.flatMap(({ targets }) => targets),
    models: parts.flatMap(({ models }) => models),
    snapshot: parts[0]?.snapshot ?? null,
    plan: plans.length > 1 ? joined(plans) : (plans[0] ?? null),
    routes: parts.flatMap(({ routes }) => routes),
    plansMade: asked(),
  };
};
