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

/** What was done for models that were planned for together, as far as it is remembered. */
export interface Done {
  readonly workPerRequest: Planned['workPerRequest'];
  readonly moved: MoveMemory;
}

/** What to remember: what was decided newly, and of Deployments that are still there what was before. */
export const memoryAfter = (
  { workPerRequest, moved }: Memory,
  believed: BelieveMemory,
  done: readonly Done[],
  deployments: ReadonlyMap<string, unknown>,
): Memory => {
  const stillThere = <Value>(...maps: readonly ReadonlyMap<string, Value>[]) =>
    new Map(maps.flatMap((map) => [...map].filter(([key]) => deployments.has(key))));
  return {
    believed,
    workPerRequest: stillThere(workPerRequest, ...done.map((one) => one.workPerRequest)),
    moved: {
      decisions: stillThere(moved.decisions, ...done.map((one) => one.moved.decisions)),
      wanted: stillThere(moved.wanted, ...done.map((one) => one.moved.wanted)),
      forgone: new Map(done.flatMap((one) => [...one.moved.forgone])),
      unwanted: new Map(done.flatMap((one) => [...(one.moved.unwanted ?? [])])),
    },
  };
};

/** What an earlier leader remembered, as far as it is stored. */
export type StoredMemory = MoveMemory & Pick<BelieveMemory, 'behaviours' | 'strains' | 'trials' | 'wakings'>;

/** The same memory with what is stored. What was decided then may not be followed yet, or no longer: it is marked as restored. */
export const memoryFrom = (
  memory: Memory,
  { decisions, wanted, forgone, behaviours, strains, trials, wakings }: StoredMemory,
): Memory => ({
  ...memory,
  believed: { ...memory.believed, behaviours, strains, trials, wakings },
  moved: { decisions: new Map([...decisions].map(([key, decision]) => [key, { ...decision, restored: true }])), wanted, forgone },
});
