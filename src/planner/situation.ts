import type { Bounds } from '../cluster/bounds.ts';
import { type EngineReport, together } from '../cluster/engine-metrics.ts';
import type { ModelDeployment } from '../cluster/variant.ts';
import type { Decision, Demand, Snapshot } from '../domain.ts';
import type { FoundProfile } from '../profiles/profile.ts';
import {
  arrivalRate,
  demandOf,
  mergedDemand,
  type RateSettings,
  recordOf,
  type Shape,
  type Workload,
} from '../workload/rates.ts';
import { type Offer, type OfferSources, offersOf } from './offers.ts';
import { type Conclusion, conclude, type StateSettings } from './states.ts';
import type { TransitionSettings, Wish } from './transition.ts';

/** All that was read, as of one tick. */
export interface Reading {
  /** Unix seconds by Redis' clock, estimated while it is away. */
  readonly now: number;
  /** What was last read; null = never. Its own `now` tells how old it is. */
  readonly workload: Workload | null;
  readonly deployments: ReadonlyMap<string, ModelDeployment>;
  readonly profiles: ReadonlyMap<string, FoundProfile>;
  readonly bounds: ReadonlyMap<string, Bounds>;
  /** Ready pods by Deployment. */
  readonly ready: ReadonlyMap<string, number>;
  readonly gatewayUnchangedSince: number | null;
  /** What the engines of quiet models say, by Deployment. */
  readonly engines: ReadonlyMap<string, EngineReport>;
  /** Watches that have not read their list yet. */
  readonly unsynced: readonly string[];
}

export interface DecideSettings extends RateSettings, StateSettings, TransitionSettings {
  /** A stale plan stands this long (s). */
  readonly staleAfterSeconds: number;
  readonly trustSilence: boolean;
  readonly poolNamespaces: boolean;
  readonly routing: Snapshot['routing'];
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
}
export const emptyMemory: Memory = { decisions: new Map(), recent: new Map(), shapes: new Map() };

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
}

export const keyOf = ({ namespace, name }: ModelDeployment): string => `${namespace}/${name}`;

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
  const sources: OfferSources = { ...reading, prices: settings.prices };
  const { offers, refused } = offersOf(group.deployments, sources);
  const concluded = remembered(conclusionOf(group, reading, settings), group, memory);
  const base = { ...group, offers, refused, dataAt: concluded.dataAt };
  if (concluded.conclusion.state !== 'fresh') return { ...base, conclusion: concluded.conclusion, demand: null };
  const { demand, instead } = demandNow(group, reading, memory, concluded.conclusion, settings);
  return { ...base, conclusion: instead ?? concluded.conclusion, demand: offers.length === 0 ? null : demand };
};

type Concluded = Pick<Situation, 'conclusion' | 'dataAt'>;

const conclusionOf = ({ aliases, deployments }: Group, reading: Reading, settings: DecideSettings): Concluded => {
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
  const conclusion = conclude(
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
      trustSilence: settings.trustSilence,
    },
    settings,
  );
  return { conclusion, dataAt };
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

/** Demand of a fresh model; `instead` = why there is none to plan for yet, so that what stands goes on standing. */
const demandNow = (
  group: Group,
  { workload }: Reading,
  { decisions, shapes }: Memory,
  { silentUntil }: Conclusion,
  settings: DecideSettings,
): { demand: readonly Demand[] | null; instead: Conclusion | null } => {
  const wait = (reason: string) => ({ demand: null, instead: { state: 'quiet' as const, reason, silentUntil } });
  const histories = group.aliases.flatMap((name) => {
    const history = workload?.names.get(name);
    return history === undefined ? [] : [{ name, ...history }];
  });
  const coverage = { silentUntil, lostUntil: workload?.lostUntil ?? Number.NEGATIVE_INFINITY };
  const records = histories
    .flatMap(({ intervals }) => intervals)
    .filter((interval) => recordOf(interval) !== null).length;
  const decidedBefore = group.deployments.some((deployment) => decisions.has(keyOf(deployment)));
  if (records < 2 && !decidedBefore) return wait('only one interval has been seen; the first plan waits for two');
  const demands = histories.flatMap(({ name, intervals, intervalSeconds }) => {
    const rate = arrivalRate(intervals, intervalSeconds, settings.windowSeconds, coverage);
    const shape = shapes.get(name) ?? shapes.get(group.name);
    return rate > 0 ? [shape === undefined ? null : demandOf(rate * group.share, shape, settings.headroom)] : [];
  });
  if (demands.length === 0) return wait('no request arrived of late');
  const known = demands.filter((demand) => demand !== null);
  return known.length === 0
    ? wait('requests arrive, but none has ended yet that told its size')
    : { demand: mergedDemand(known), instead: null };
};
