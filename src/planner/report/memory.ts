import { type BelieveMemory, nothingBelieved } from '../believe/believe.ts';
import { type MoveMemory, nothingMoved } from '../move/move.ts';
import type { Planned } from '../plan/plan.ts';

/** What the stages remember from tick to tick. */
export interface Memory {
  readonly believed: BelieveMemory;
  /** What a request takes of a replica of each variant, by the demand that was last planned for (replica-seconds). */
  readonly workPerRequest: Planned['workPerRequest'];
  readonly moved: MoveMemory;
}
export const emptyMemory: Memory = { believed: nothingBelieved, workPerRequest: new Map(), moved: nothingMoved };

/** What to remember: what was decided newly, and of Deployments that are still there what was before. */
export const memoryAfter = (
  { workPerRequest, moved }: Memory,
  believed: BelieveMemory,
  reports: readonly (Pick<Planned, 'workPerRequest'> & { readonly moved: MoveMemory })[],
  deployments: ReadonlyMap<string, unknown>,
): Memory => {
  const stillThere = <Value>(...maps: readonly ReadonlyMap<string, Value>[]) =>
    new Map(maps.flatMap((map) => [...map].filter(([key]) => deployments.has(key))));
  return {
    believed,
    workPerRequest: stillThere(workPerRequest, ...reports.map((report) => report.workPerRequest)),
    moved: {
      decisions: stillThere(moved.decisions, ...reports.map((report) => report.moved.decisions)),
      recent: stillThere(moved.recent, ...reports.map((report) => report.moved.recent)),
      forgone: new Map(reports.flatMap((report) => [...report.moved.forgone])),
    },
  };
};

/** What an earlier leader remembered, as far as it is stored. */
export type StoredMemory = MoveMemory & Pick<BelieveMemory, 'behaviours' | 'strains' | 'trials' | 'wakings'>;

/** The same memory with what is stored. What was decided then may not be followed yet, or no longer: it is marked as restored. */
export const memoryFrom = (
  memory: Memory,
  { decisions, recent, forgone, behaviours, strains, trials, wakings }: StoredMemory,
): Memory => ({
  ...memory,
  believed: { ...memory.believed, behaviours, strains, trials, wakings },
  moved: { decisions: new Map([...decisions].map(([key, decision]) => [key, { ...decision, restored: true }])), recent, forgone },
});
