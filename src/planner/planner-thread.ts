import type { ClusterObjects, WatchState } from '../cluster/cluster-view.ts';
import { changesIn, mirror, type ObjectChanges } from '../cluster/object-changes.ts';
import type { Drift } from '../profiles/drift.ts';
import type { Remote } from '../runtime/thread-calls.ts';
import type { Leading } from './leader-or-follower.ts';
import type { Board, PlanSummary } from './publish/board.ts';
import { batchesOf, type PublicationBatch, publicationOf } from './publish/publication-batches.ts';
import type { ModelReport } from './report/tick-outcome.ts';

/** A model that nothing will wake, and its Deployments. */
export type ModelThatCannotWake = Pick<ModelReport, 'name' | 'deployments'>;

/**
 * What the thread that serves, and watches the cluster, does for the one that plans. Each call takes it a moment only: what is
 * large comes in batches.
 */
export type ServingThread = {
  /** Called every second: the other thread lives. */
  alive(): void;
  leadership(): Leading;
  /** The next of the changes in the cluster; null = that is all for now. */
  nextChanges(): ObjectChanges | null;
  watches(): Readonly<Record<keyof WatchState, readonly string[]>>;
  sendBatch(batch: PublicationBatch): void;
  /** What the batches add up to is said from now on. */
  publish(plan: PlanSummary | null, at: number): void;
  /** Said after a tick of our own: models that nothing will wake, and how far profiles are from what is served. */
  note(cannotWake: readonly ModelThatCannotWake[], drifts: ReadonlyMap<string, Drift>): void;
};

/** Objects, or entries of a publication, that are copied in one turn. */
const batchSize = 500;

export interface ServingParts {
  readonly objects: ClusterObjects;
  readonly watches: WatchState;
  readonly board: Pick<Board, 'publish'>;
  leadership(): Leading;
  onNotes(cannotWake: readonly ModelThatCannotWake[], drifts: ReadonlyMap<string, Drift>): void;
}

/** The calls of one thread that plans; the next one is told everything anew. */
export const servingThread = ({ objects, watches, board, leadership, onNotes }: ServingParts): ServingThread => {
  const changes = changesIn(objects, batchSize);
  let untold: ObjectChanges[] | null = null;
  let batches: PublicationBatch[] = [];
  return {
    alive: () => {},
    leadership,
    nextChanges: () => {
      untold ??= [...changes()];
      const next = untold.shift() ?? null;
      if (next === null) untold = null;
      return next;
    },
    watches: () => ({ unsynced: watches.unsynced(), problems: watches.problems() }),
    sendBatch: (batch) => void batches.push(batch),
    publish: (plan, at) => {
      board.publish(publicationOf(batches, plan), at);
      batches = [];
    },
    note: onNotes,
  };
};

/** The cluster and the board, as the thread that plans has them from the one that serves. */
export const servedBy = (serving: Remote<ServingThread>) => {
  const { objects, apply } = mirror();
  let seen: Awaited<ReturnType<typeof serving.watches>> = { unsynced: ['the cluster has not been read yet'], problems: [] };
  return {
    objects,
    watches: { unsynced: () => seen.unsynced, problems: () => seen.problems } satisfies WatchState,
    update: async (): Promise<void> => {
      // In this order: what is said to have been read is here.
      seen = await serving.watches();
      for (let next = await serving.nextChanges(); next !== null; next = await serving.nextChanges()) apply(next);
    },
    board: {
      publish: async (...[publication, at]: Parameters<Board['publish']>): Promise<void> => {
        for (const batch of batchesOf(publication, batchSize)) await serving.sendBatch(batch);
        await serving.publish(publication.plan && { status: publication.plan.status, cost: publication.plan.cost }, at);
      },
    },
  };
};
