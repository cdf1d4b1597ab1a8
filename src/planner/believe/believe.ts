import type { Bounds } from '../../cluster/bounds.ts';
import { type EngineReport, together } from '../../cluster/engine-metrics.ts';
import type { Pace } from '../../cluster/pace.ts';
import type { Supply } from '../../cluster/stock.ts';
import type { ModelDeployment } from '../../cluster/variant.ts';
import type { Decision } from '../../vocabulary/target.ts';
import type { Demand, Routing } from '../../vocabulary/planning-documents.ts';
import type { EngineSample } from '../../vocabulary/engine-sample.ts';
import type { HeldRequests } from '../../workload/store.ts';
import type { StockSource } from '../plan/stock-limits.ts';
import type { FoundProfile } from '../../profiles/profile.ts';
import type { Forecast, History } from './forecast.ts';
import { type NameHistory, newestRecord, type RecordDefect, type Shape, type Workload } from '../../workload/rates.ts';
import { type DemandSettings, demandNow } from './demand.ts';
import { longestSeconds } from './request-seconds.ts';
import type { Observed, ObserveSettings } from './deployment-behaviour.ts';
import { type Offer, type OfferSources, offersOf } from './candidates.ts';
import type { Trial } from './profile-trial.ts';
import { longestStartup, type ReplicaPod } from './startups.ts';
import { type Conclusion, conclude, type StateSettings } from './states.ts';
import type { Strain } from './slowdown.ts';
import type { TransitionSettings, Wish } from '../move/transition.ts';

/** All that was read, as of one tick. */
export interface Reading {
  /** Unix seconds by Redis' clock, estimated while it is away. */
  readonly now: number;
  /** What was last read; null = never. Its own `now` tells how old it is. */
  readonly workload: Workload | null;
  readonly deployments: ReadonlyMap<string, ModelDeployment>;
  readonly profiles: ReadonlyMap<string, FoundProfile>;
  /** Why the newest profile of a Deployment is not followed, by `namespace/name`; absent = all are. */
  readonly profileProblems?: ReadonlyMap<string, string>;
  readonly bounds: ReadonlyMap<string, Bounds>;
  /** Ready pods by Deployment. */
  readonly ready: ReadonlyMap<string, number>;
  readonly gatewayUnchangedSince: number | null;
  /** What the engines of quiet models say, by Deployment. */
  readonly engines: ReadonlyMap<string, EngineReport>;
  /** Pods of Deployments that have not ended; absent = pods are not looked at. */
  readonly pods?: ReadonlyMap<string, readonly ReplicaPod[]>;
  /** How the autoscaler of a Deployment goes about changes; absent = it has none. */
  readonly paces?: ReadonlyMap<string, Pace>;
  /** What the cluster shows of its GPUs; absent = nothing. */
  readonly supply?: Supply;
  /** Watches that have not read their list yet. */
  readonly unsynced: readonly string[];
}

export interface DecideSettings extends DemandSettings, StateSettings, TransitionSettings, ObserveSettings {
  /** A stale plan stands this long (s). */
  readonly staleAfterSeconds: number;
  readonly trustSilence: boolean;
  readonly poolNamespaces: boolean;
  /** What the router knows of a request; `auto` = input while a gateway of ours is there, else `router`. */
  readonly routing: Routing | 'auto';
  /** What another router knows; absent = none. */
  readonly router?: Routing;
  /** Whether routers are told of the plan; absent = they are not. */
  readonly routingPlans?: boolean;
  /** What is believed of the number of GPUs; absent = none of it. */
  readonly stock?: StockSource;
  /** Money/h for all models; null = no limit. */
  readonly budget: number | null;
  readonly prices: Readonly<Record<string, number>>;
  /** Nodes of one search after which it stops with what it has. */
  readonly nodeLimit: number;
  /** Whether the tick's snapshot is wanted; with many models it is most of the memory. */
  readonly keepSnapshot: boolean;
}

/** What the planner remembers from tick to tick. */
export interface Memory {
  /** Last decision per Deployment, by `namespace/name`. */
  readonly decisions: ReadonlyMap<string, Decision>;
  /** What the plans of the hold-down time wanted, by `namespace/name`. */
  readonly recent: ReadonlyMap<string, readonly Wish[]>;
  /** Last known shape per name. */
  readonly shapes: ReadonlyMap<string, Shape>;
  /** Arrival rates so far, by name. */
  readonly histories: ReadonlyMap<string, History>;
  /** What was seen of each Deployment's pods and replicas, by `namespace/name`. */
  readonly observed: ReadonlyMap<string, Observed>;
  /** What was learned of the engines, by name. */
  readonly strains: ReadonlyMap<string, Strain>;
  /** Which profile each Deployment is planned by, by `namespace/name`. */
  readonly trials: ReadonlyMap<string, Trial>;
  /** What its engines said of late, by model, oldest first. */
  readonly samples: ReadonlyMap<string, readonly EngineSample[]>;
}
export const emptyMemory: Memory = {
  decisions: new Map(),
  recent: new Map(),
  shapes: new Map(),
  histories: new Map(),
  observed: new Map(),
  strains: new Map(),
  trials: new Map(),
  samples: new Map(),
};

/** One model in one namespace (or in all of them, pooled). */
export interface Group {
  readonly name: string;
  readonly deployments: readonly ModelDeployment[];
  readonly aliases: readonly string[];
  /** Share of the arrivals under the model's names that is this group's. */
  readonly share: number;
}

export interface Situation extends Group {
  readonly conclusion: Conclusion;
  readonly offers: readonly Offer[];
  readonly refused: ReadonlyMap<string, string>;
  /** What to plan for; null = there is no plan to make. */
  readonly demand: readonly Demand[] | null;
  readonly dataAt: number | null;
  /** Why what the gateway counts is not believed; null = it is. */
  readonly recordDefect: RecordDefect | null;
  readonly histories: ReadonlyMap<string, History>;
  readonly strains: ReadonlyMap<string, Strain>;
  readonly forecast: Forecast | null;
}

export const keyOf = ({ namespace, name }: Pick<ModelDeployment, 'namespace' | 'name'>): string =>
  `${namespace}/${name}`;

/** A model that lives in several namespaces has its arrivals split by Ready replicas, as its records do not tell them apart. */
export const groupsOf = ({ deployments, ready }: Reading, poolNamespaces: boolean): readonly Group[] => {
  const byModel = Map.groupBy(deployments.values(), ({ model }) => model);
  return [...byModel]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([model, all]) => {
      const aliases = [...new Set([model, ...all.flatMap((deployment) => deployment.aliases)])];
      const namespaces = [...Map.groupBy(all, ({ namespace }) => namespace)];
      if (namespaces.length === 1 || poolNamespaces) return [{ name: model, deployments: all, aliases, share: 1 }];
      const counts = namespaces.map(([, some]) =>
        some.reduce((sum, deployment) => sum + (ready.get(keyOf(deployment)) ?? 0), 0),
      );
      const total = counts.reduce((sum, count) => sum + count, 0);
      return namespaces.map(([namespace, some], index) => ({
        name: `${model} (${namespace})`,
        deployments: some,
        aliases,
        share: total === 0 ? 1 / namespaces.length : counts[index]! / total,
      }));
    });
};

/** What is known of one group and what follows from it: its state, what its Deployments offer, and what to plan for. */
export const situationOf = (group: Group, reading: Reading, memory: Memory, settings: DecideSettings): Situation => {
  const offerSources: OfferSources = { ...reading, prices: settings.prices };
  const { offers, refused } = offersOf(group.deployments, offerSources);
  const concluded = remembered(conclusionOf(group, offers, reading, settings), group, memory);
  const { conclusion, dataAt } = concluded;
  const nothing = { demand: null, histories: new Map(), strains: new Map(), forecast: null };
  const defects = group.aliases.flatMap((name) => reading.workload?.names.get(name)?.defect ?? []);
  const base = { ...group, offers, refused, dataAt, recordDefect: defects[0] ?? null };
  if (conclusion.state !== 'fresh') return { ...base, ...nothing, conclusion };
  const decidedBefore = group.deployments.some((deployment) => memory.decisions.has(keyOf(deployment)));
  const { silentUntil } = conclusion;
  const sources = { ...memory, ...group, workload: reading.workload, offers, silentUntil, decidedBefore };
  const startups = offers.flatMap(({ key }) => memory.observed.get(key)?.startups ?? []);
  const ahead = longestStartup(startups, settings.startupSeconds);
  const { demand, wait, ...seen } = demandNow(sources, { ...settings, startupSeconds: ahead });
  return {
    ...base,
    conclusion: wait === null ? conclusion : { state: 'quiet', reason: wait, silentUntil },
    demand: offers.length === 0 ? null : demand,
    ...seen,
  };
};

type Concluded = Pick<Situation, 'conclusion' | 'dataAt'>;

const conclusionOf = (
  { aliases, deployments }: Group,
  offers: readonly Offer[],
  reading: Reading,
  settings: DecideSettings,
): Concluded => {
  const missing = (reason: string) => ({
    conclusion: { state: 'missing' as const, reason, silentUntil: Number.NEGATIVE_INFINITY },
    dataAt: null,
  });
  const { workload } = reading;
  if (reading.unsynced.length > 0) return missing(reading.unsynced.join('; '));
  if (workload === null) return missing('Redis has not been read yet');
  const histories = aliases.flatMap((name) => workload.names.get(name) ?? []);
  const dataAt = newest(histories.map(({ lastRecordAt }) => lastRecordAt));
  const others = [...workload.names]
    .filter(([name]) => !aliases.includes(name))
    .map(([, history]) => history.lastRecordAt);
  const readNow = workload.now >= reading.now - 1;
  const held = workload.held?.filter(({ model }) => aliases.includes(model)) ?? [];
  const concluded = conclude(
    {
      now: reading.now,
      names: histories.map(({ intervals }) => intervals),
      intervalSeconds: Math.max(...histories.map(({ intervalSeconds }) => intervalSeconds)),
      lastRecordAt: dataAt,
      writableSince: readNow ? workload.writableSince : null,
      heartbeatAt: workload.heartbeatAt,
      otherModelAt: newest(others),
      gatewayUnchangedSince: reading.gatewayUnchangedSince,
      engines: together(deployments.flatMap((one) => reading.engines.get(keyOf(one)) ?? [])),
      longestRequestSeconds: longestRequest(histories, offers),
      trustSilence: settings.trustSilence,
    },
    settings,
  );
  if (!readNow) return { conclusion: unread(concluded), dataAt };
  return held.length === 0 ? { conclusion: concluded, dataAt } : awaited(concluded, dataAt, held);
};

/**
 * Of what was read at an earlier tick no new plan is made: there is nothing new in it, and the other replicas, which the store would tell,
 * could not know.
 */
const unread = (conclusion: Conclusion): Conclusion =>
  conclusion.state === 'fresh'
    ? { ...conclusion, state: 'quiet', reason: 'Redis was not read; the last plan stands' }
    : conclusion;

/** Only where it is not known what the last record left pending is it of use how long requests take. */
const longestRequest = (histories: readonly NameHistory[], offers: readonly Offer[]): number | null => {
  const pendingKnown = histories.every(({ intervals }) => newestRecord(intervals)?.record.pending !== null);
  return pendingKnown
    ? null
    : longestSeconds(
        histories.flatMap(({ intervals }) => intervals),
        offers,
      );
};

/** Requests that a gateway holds are demand at once, whatever the records say so far. */
const awaited = (conclusion: Conclusion, dataAt: number | null, held: readonly HeldRequests[]): Concluded => {
  const requests = held.reduce((sum, one) => sum + one.requests, 0);
  return {
    conclusion:
      conclusion.state === 'fresh'
        ? conclusion
        : { ...conclusion, state: 'fresh', reason: `${requests} requests wait in the gateway for a replica` },
    dataAt: newest([dataAt, ...held.map(({ at }) => at)]),
  };
};

/** Of a model that was decided before nothing is missing: what was decided stands as long as any stale plan. */
const remembered = (concluded: Concluded, { deployments }: Group, { decisions }: Memory): Concluded => {
  const { conclusion } = concluded;
  const dataAt = newest(deployments.map((deployment) => decisions.get(keyOf(deployment))?.asOf ?? null));
  if (conclusion.state !== 'missing' || dataAt === null) return concluded;
  return { conclusion: { ...conclusion, state: 'stale' }, dataAt };
};

const newest = (times: readonly (number | null)[]): number | null => {
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : Math.max(...known);
};
