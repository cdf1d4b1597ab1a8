import type { Decision, Target } from '../../vocabulary/target.ts';
import type { PlanToKeep } from '../../workload/store.ts';
import type { BelieveMemory } from '../believe/believe.ts';
import type { Outage } from '../believe/missing-pods.ts';
import type { ProfileTrial } from '../believe/profile-trial.ts';
import type { ScalingBehaviour } from '../believe/scaling-behaviour.ts';
import { noStartups, type Startups } from '../believe/startups.ts';
import type { Strain } from '../believe/strain-from-backlog.ts';
import type { Following } from '../believe/target-following.ts';
import type { MoveMemory } from '../move/move.ts';
import type { WantedReplicas } from '../move/variant-transition.ts';
import type { ModelReport, TickOutcome } from '../report/tick-outcome.ts';
import type { PlanSummary } from './board.ts';
import { decodedWakings, encodedWakings } from './stored-wakings.ts';

/** What the leader said at one tick, for the other replicas and for whoever leads next. */
export interface StoredPlan {
  /** When the tick was (Unix s, the store's clock). */
  readonly at: number;
  readonly targets: readonly Target[];
  readonly models: readonly ModelReport[];
  readonly plan: PlanSummary | null;
  /** Last decision by `namespace/name`. */
  readonly decisions: ReadonlyMap<string, Decision>;
  readonly wanted: MoveMemory['wanted'];
  readonly forgone: MoveMemory['forgone'];
  readonly behaviours: BelieveMemory['behaviours'];
  readonly strains: BelieveMemory['strains'];
  readonly trials: BelieveMemory['trials'];
  readonly wakings: BelieveMemory['wakings'];
}

/** Of another version nothing is taken over. */
const documentVersion = 3;

/** Labels stay out: every replica watches them. */
const encoded = ({ targets, models, plan, memory: { believed, workPerRequest, moved } }: TickOutcome): string =>
  JSON.stringify({
    version: documentVersion,
    targets: targets.map(({ labels: _, ...target }) => target),
    models,
    plan: plan === null ? null : { status: plan.status, cost: plan.cost },
    decisions: [...moved.decisions],
    strains: [...believed.strains].map(([name, strain]) => [name, storedStrain(strain)]),
    trials: [...believed.trials].map(([key, { digest, workPerRequest: last, proven }]) => [
      key,
      { digest, load: workPerRequest.get(key) ?? last, proven },
    ]),
    observed: [...believed.behaviours].map(([key, behaviour]) => [key, storedBehaviour(behaviour)]),
    wakings: encodedWakings(believed.wakings),
    forgone: [...moved.forgone],
    recent: [...moved.wanted].map(([key, wanted]) => [key, wanted.flatMap(({ at, replicas }) => [at, replicas])]),
  });

const decoded = (at: number, text: string): StoredPlan | null => {
  const { version, targets, models, plan, decisions, recent, observed, strains, ...later } = JSON.parse(text);
  if (version !== documentVersion) return null;
  // Documents of earlier releases do not have them.
  const { trials = [], forgone = [], wakings = [] } = later;
  const labelled = targets.map((target: Omit<Target, 'labels'>) => ({ ...target, labels: {} }));
  return {
    at,
    targets: labelled,
    models,
    plan,
    decisions: new Map(decisions),
    strains: new Map(strains.map(([name, stored]: [string, StoredStrain]) => [name, strainOf(stored)])),
    trials: new Map(trials.map(([key, trial]: [string, StoredTrial]) => [key, trialOf(trial)])),
    behaviours: new Map(observed.map(([key, stored]: [string, StoredBehaviour]) => [key, behaviourOf(stored)])),
    wakings: decodedWakings(wakings),
    forgone: new Map(forgone),
    wanted: new Map(recent.map(([key, flat]: [string, number[]]) => [key, wantedOf(flat)])),
  };
};
/** The documents themselves are not stored. `load` is the work per request: the first version called it so. */
type StoredTrial = Pick<ProfileTrial, 'digest' | 'proven'> & { readonly load: ProfileTrial['workPerRequest'] };
const trialOf = ({ load, ...rest }: StoredTrial): ProfileTrial => ({
  ...rest,
  workPerRequest: load,
  found: null,
  heldBack: null,
});
/** `base` was the name of `steadyFactor`. */
type StoredStrain = Omit<Strain, 'steadyFactor'> & { readonly base: Strain['steadyFactor'] };
const storedStrain = ({ steadyFactor: base, ...rest }: Strain): StoredStrain => ({ ...rest, base });
const strainOf = ({ base: steadyFactor, ...rest }: StoredStrain): Strain => ({ ...rest, steadyFactor });
/** `gives` was the name of `attainable`. */
type StoredOutage = Omit<Outage, 'attainable'> & { readonly gives: Outage['attainable'] };
const storedOutage = (outage: Outage | null): StoredOutage | null => {
  if (outage === null) return null;
  const { attainable: gives, ...rest } = outage;
  return { gives, ...rest };
};
const outageOf = (stored: StoredOutage | null): Outage | null => {
  if (stored === null) return null;
  const { gives: attainable, ...rest } = stored;
  return { attainable, ...rest };
};
/** The pods that were seen are not stored: the next leader looks for itself. `fixedUntil` was the name of `unfollowedUntil`. */
interface StoredBehaviour extends Pick<Startups, 'seconds'> {
  readonly outage: StoredOutage | null;
  readonly following: (Omit<Following, 'unfollowedUntil'> & { readonly fixedUntil: Following['unfollowedUntil'] }) | null;
}
const storedBehaviour = ({ startups: { seconds }, outage: found, following }: ScalingBehaviour): StoredBehaviour => {
  const outage = storedOutage(found);
  if (following === null) return { outage, following, seconds };
  const { replicas, rising, since, unfollowedUntil: fixedUntil, spec } = following;
  return { outage, following: { replicas, rising, since, fixedUntil, spec }, seconds };
};
const behaviourOf = ({ seconds, outage: stored, following }: StoredBehaviour): ScalingBehaviour => {
  const outage = outageOf(stored);
  const startups = { ...noStartups, seconds };
  if (following === null) return { startups, outage, following };
  const { fixedUntil: unfollowedUntil, ...rest } = following;
  return { startups, outage, following: { ...rest, unfollowedUntil } };
};
/** Times and replicas in turn: there are many. */
const wantedOf = (flat: readonly number[]): readonly WantedReplicas[] =>
  flat.flatMap((at, index) => (index % 2 === 0 ? [{ at, replicas: flat[index + 1]! }] : []));

/** Who is leading: the Lease, when it was created (Unix s), and how often it has changed hands. */
export interface LeaderTerm {
  readonly uid: string;
  readonly createdAt: number;
  readonly transitions: number;
}

/** What keeping plans asks of Redis. */
export interface PlanStore {
  time(): Promise<number>;
  readFields(key: string, names: readonly string[]): Promise<Readonly<Record<string, string>>>;
  keepPlan(key: string, plan: PlanToKeep, expirySeconds: number): Promise<'kept' | 'later' | 'other'>;
}

/** A stored plan, and how long ago its tick was (s). */
export interface AgedPlan {
  readonly plan: StoredPlan;
  readonly ageSeconds: number;
}

/** The plan that all replicas of one installation share, under one key of the store. */
export interface StoredPlans {
  /**
   * What was stored under this Lease, or an older one of the installation, since the last time that it was asked for; null =
   * nothing new.
   * @throws what the store throws
   */
  news(term: LeaderTerm): Promise<AgedPlan | null>;
  /** What is stored, under whichever Lease; null = nothing that can be read. @throws what the store throws */
  last(): Promise<AgedPlan | null>;
  /**
   * `later`: a later leader, or a later tick, is there already. `other`: another installation lives under this key, or one of the
   * same name in another cluster.
   * @param at the store's clock (Unix s)
   * @throws what the store throws
   */
  keep(decided: TickOutcome, at: number, term: LeaderTerm): Promise<'kept' | 'later' | 'other'>;
}

/** A plan outlives its leader as memory for so long (s). */
const lifetimeSeconds = 86_400;

/** @param installation `namespace/name` of its Service */
export const storedPlans = (store: PlanStore, key: string, installation: string): StoredPlans => {
  let seen = '';
  let sequence = 0;
  const last = async (): Promise<AgedPlan | null> => {
    const { at, document } = await store.readFields(key, ['at', 'document']);
    const plan = decoded(Number(at), document ?? '{}');
    return plan === null ? null : { plan, ageSeconds: (await store.time()) - Number(at) };
  };
  return {
    last,
    news: async ({ uid, createdAt }) => {
      const names = ['installation', 'lease', 'leaseCreatedAt', 'transitions', 'sequence'];
      const stamp = await store.readFields(key, names);
      const stampText = JSON.stringify(stamp);
      // A Lease that was deleted is made anew: what the installation stored under the old one is its plan until there is another.
      const earlier = stamp['installation'] === installation && Number(stamp['leaseCreatedAt']) <= createdAt;
      if (!(stamp['lease'] === uid || earlier) || stampText === seen) return null;
      const news = await last();
      seen = stampText;
      return news;
    },
    keep: async (decided, at, { uid, createdAt, transitions }) => {
      sequence += 1;
      const order = { installation, lease: uid, leaseCreatedAt: createdAt, transitions, sequence };
      return await store.keepPlan(key, { ...order, at, document: encoded(decided) }, lifetimeSeconds);
    },
  };
};
