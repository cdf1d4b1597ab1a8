import type { Bounds } from '../../cluster/bounds.ts';
import { fixedReplicas } from '../../cluster/variant.ts';
import type { Demand, Plan } from '../../vocabulary/planning-documents.ts';
import { beyondGrid, extrapolatedShare } from '../../profiles/served.ts';
import { isFixed } from '../believe/following.ts';
import { type Observed, observe, type Sight, type VariantReport, variantReport } from '../believe/deployment-behaviour.ts';
import type { Offer } from '../believe/candidates.ts';
import { mostOf } from '../believe/missing-pods.ts';
import { type DecideSettings, keyOf, type Memory, type Reading, type Situation } from '../believe/believe.ts';

/** What was seen of every Deployment up to this tick. */
export const observedNow = (reading: Reading, memory: Memory, settings: DecideSettings): Memory['observed'] =>
  new Map(
    [...reading.deployments.keys()].map((key) => [
      key,
      observe(memory.observed.get(key), sightOf(key, reading, memory), settings, reading.now),
    ]),
  );

const sightOf = (key: string, { deployments, pods, paces, now }: Reading, { decisions }: Memory): Sight => {
  const deployment = deployments.get(key)!;
  const last = decisions.get(key);
  return {
    pods: pods === undefined ? null : (pods.get(key) ?? []),
    replicas: deployment.replicas,
    last: last === undefined || last.restored === true ? null : last,
    pace: paces?.get(key) ?? null,
    refused: deployment.podsRefused,
    fixed: fixedReplicas(deployment, now) !== null,
  };
};

/** A situation whose offers are bound by what was seen: no more than what runs or still comes where pods do not come. */
export const withSeen = (situation: Situation, observed: Memory['observed'], now: number): Situation => ({
  ...situation,
  offers: situation.offers.map((offer) => boundBySeen(offer, observed.get(offer.key), now)),
});

const boundBySeen = (offer: Offer, seen: Observed | undefined, now: number): Offer => {
  if (seen === undefined) return offer;
  const most = mostOf(seen.outage, now);
  if (most === null) return offer;
  const { minReplicas, maxReplicas } = offer.bounds;
  const capped = Math.max(minReplicas, Math.min(maxReplicas ?? most, most));
  return { ...offer, bounds: { minReplicas, maxReplicas: capped } };
};

/** Bounds that those would have which are bound to what runs or still comes. */
export const cappedBounds = (
  situations: readonly Situation[],
  observed: Memory['observed'],
  now: number,
): ReadonlyMap<string, Bounds> => {
  const isCapped = (seen: Observed | undefined) =>
    seen !== undefined && !isFixed(seen.following) && mostOf(seen.outage, now) !== null;
  const capped = situations.flatMap(({ offers }) => offers).filter(({ key }) => isCapped(observed.get(key)));
  return new Map(capped.map(({ key, bounds }) => [key, bounds]));
};

/** Of Deployments whose targets are not followed, what the plan wants of them, by `namespace/name`. */
export const unfollowedWishes = (
  situations: readonly Situation[],
  observed: Memory['observed'],
  plan: Plan | null,
): ReadonlyMap<string, number> => {
  const planned: Readonly<Record<string, number>> = Object.assign(
    {},
    ...(plan?.models ?? []).map((one) => one.replicas),
  );
  const keys = situations.flatMap(({ offers }) => offers.map(({ key }) => key));
  return new Map(
    keys.flatMap((key) =>
      isFixed(observed.get(key)?.following ?? null) && planned[key] !== undefined ? [[key, planned[key]]] : [],
    ),
  );
};

/** A situation in which Deployments that have less than is wished of them, and do not follow, stay as they are. */
export const withUnfollowed = (situation: Situation, wishes: ReadonlyMap<string, number>): Situation => ({
  ...situation,
  offers: situation.offers.map((offer) =>
    lacks(offer, wishes) ? { ...offer, bounds: { minReplicas: offer.running, maxReplicas: offer.running } } : offer,
  ),
});

export const lacks = ({ key, running }: Offer, wishes: ReadonlyMap<string, number>): boolean =>
  running < (wishes.get(key) ?? 0);

const sizeText = ({ inputTokens, outputTokens }: Demand): string =>
  `${Math.round(inputTokens)} + ${Math.round(outputTokens)} tokens`;

/** What was published of these Deployments is not what they go by: a plan starts from what runs. */
export const withoutUnfollowed = (memory: Memory): Memory => {
  const followed = <Value>(known: ReadonlyMap<string, Value>) =>
    new Map([...known].filter(([key]) => !isFixed(memory.observed.get(key)?.following ?? null)));
  return { ...memory, decisions: followed(memory.decisions), recent: followed(memory.recent) };
};

export const variantReports = (
  { deployments, offers, demand }: Situation,
  reading: Reading,
  memory: Memory,
  settings: DecideSettings,
): readonly VariantReport[] =>
  deployments.flatMap((deployment) => {
    const key = keyOf(deployment);
    const seen = memory.observed.get(key);
    if (seen === undefined) return [];
    const profile = offers.find((offer) => offer.key === key)?.profile;
    const known = profile !== undefined && demand !== null;
    const beyond = known ? beyondGrid(profile, demand) : null;
    const judged = {
      extrapolatedShare: known ? extrapolatedShare(profile, demand) : null,
      beyondGrid: beyond && { share: beyond.share, largest: sizeText(beyond.largest) },
      profileProblem: reading.profileProblems?.get(key) ?? null,
    };
    return [variantReport(key, seen, sightOf(key, reading, memory), judged, settings, reading.now)];
  });
