import type { Target } from '../../vocabulary/target.ts';
import type { ModelReport } from '../report/tick-outcome.ts';
import type { PlanSummary, Publication } from './board.ts';

/** Some of what is said after a tick: of a large fleet it is told in parts, as each takes the thread that answers a moment. */
export interface PublicationPart {
  /** Without labels: who answers watches them. */
  readonly targets: readonly Omit<Target, 'labels'>[];
  readonly models: readonly ModelReport[];
}

/** @param most entries of one part */
export const partsOf = ({ targets, models }: Publication, most: number): readonly PublicationPart[] =>
  Array.from({ length: Math.ceil(Math.max(targets.length, models.length) / most) }, (_, part) => ({
    targets: targets.slice(part * most, (part + 1) * most).map(({ labels: _, ...target }) => target),
    models: models.slice(part * most, (part + 1) * most),
  }));

/** What was said in parts, as one again; labels are left to who answers. */
export const publicationOf = (parts: readonly PublicationPart[], plan: PlanSummary | null): Publication => ({
  targets: parts.flatMap(({ targets }) => targets.map((target) => ({ ...target, labels: {} }))),
  models: parts.flatMap(({ models }) => models),
  plan,
});
