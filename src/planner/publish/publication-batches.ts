import type { Target } from '../../vocabulary/target.ts';
import type { ModelReport } from '../report/tick-outcome.ts';
import type { PlanSummary, Publication } from './board.ts';

/** Some of what is said after a tick: of a large fleet it is told in batches, as each takes the thread that answers a moment. */
export interface PublicationBatch {
  /** Without labels: who answers watches them. */
  readonly targets: readonly Omit<Target, 'labels'>[];
  readonly models: readonly ModelReport[];
}

/** @param most entries of one batch */
export const batchesOf = ({ targets, models }: Publication, most: number): readonly PublicationBatch[] =>
  Array.from({ length: Math.ceil(Math.max(targets.length, models.length) / most) }, (_, batch) => ({
    targets: targets.slice(batch * most, (batch + 1) * most).map(({ labels: _, ...target }) => target),
    models: models.slice(batch * most, (batch + 1) * most),
  }));

/** What was said in batches, as one again; labels are left to who answers. */
export const publicationOf = (batches: readonly PublicationBatch[], plan: PlanSummary | null): Publication => ({
  targets: batches.flatMap(({ targets }) => targets.map((target) => ({ ...target, labels: {} }))),
  models: batches.flatMap(({ models }) => models),
  plan,
});
