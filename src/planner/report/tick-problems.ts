import type { Shortage, Snapshot } from '../../vocabulary/planning-documents.ts';
import { recordDefectText } from '../believe/record-defects.ts';
import { floorsBeyondLimits, floorText } from '../plan/floors-beyond-limits.ts';
import { cannotWakeText } from './cannot-wake.ts';
import { shortageText } from './hold-texts.ts';
import type { ModelReport } from './tick-outcome.ts';

/** What is wrong with each model, and with all of them together, one line each. */
export const problemsOf = (models: readonly ModelReport[], snapshot: Snapshot | null = null): readonly string[] => [
  ...models.flatMap(modelProblems),
  ...(snapshot === null ? [] : floorsBeyondLimits(snapshot).map(floorText)),
];

/** Without rates, which change all the time: a problem is said once. The gauges have them. */
const modelProblems = (model: ModelReport): readonly string[] => {
  const { name, unserved, beyondSlo, variants, swapBlocked, cannotWake, recordDefect } = model;
  return [
    ...(recordDefect === null ? [] : [recordDefectText(name, recordDefect)]),
    ...(Object.keys(unserved) as Shortage[]).map(
      (reason) => `model ${name}: not all demand can be served: ${shortageText(reason)}`,
    ),
    ...(cannotWake ? [cannotWakeText(name)] : []),
    ...(swapBlocked
      ? [`model ${name}: swap blocked: there is no stock for what would be given up and what would replace it at once`]
      : []),
    ...variants.flatMap(({ deployment, outOfStock, podsRefused, notFollowed, profileProblem, beyondGrid }) => [
      ...(profileProblem ? [`${deployment}: ${profileProblem}`] : []),
      ...beyondGridTexts(deployment, beyondGrid?.share ?? 0),
      ...(outOfStock ? [`${deployment}: ${podsMissingText(podsRefused)}`] : []),
      ...(notFollowed
        ? [`${deployment}: not followed: spec.replicas does not move toward the target; the others are planned around it`]
        : []),
    ]),
    ...(beyondSlo > 0 ? [`model ${name}: some requests are beyond the SLO of every variant`] : []),
  ];
};

/** @param podsRefused why Kubernetes makes no more pods of it; null = it does, and they do not come */
export const podsMissingText = (podsRefused: string | null): string =>
  `out of stock: ${podsRefused ?? 'its pods do not come within their startup time'}; planned with what it has`;

/** In steps, so that it is not said anew at each tick. */
const beyondGridTexts = (deployment: string, share: number): readonly string[] => {
  const much = share >= 0.5 ? 'half' : 'a tenth';
  return share < 0.1
    ? []
    : [
        `${deployment}: over ${much} of the demand is larger than its profile measured, and extrapolated: long prompts may be undercharged there`,
      ];
};
