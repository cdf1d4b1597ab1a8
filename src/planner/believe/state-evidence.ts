import { activityOfAll, type EngineActivity } from '../../cluster/engine-metrics.ts';
import { deploymentKey } from '../../vocabulary/deployment-key.ts';
import type { Decision } from '../../vocabulary/target.ts';
import type { HeldRequests } from '../../workload/store.ts';
import { type NameHistory, newestRecord, type Workload } from '../../workload/workload.ts';
import type { Candidate } from './candidates.ts';
import type { ModelGroup } from './model-groups.ts';
import { type Conclusion, conclude, type StateSettings } from './model-states.ts';
import { longestSeconds } from './request-seconds.ts';

/** What tells in which state a model is, beside its own records. */
export interface StateReading {
  /** Unix seconds by Redis' clock, estimated while it is away. */
  readonly now: number;
  /** What was last read; null = never. Its own `now` tells how old it is. */
  readonly workload: Workload | null;
  readonly gatewayUnchangedSince: number | null;
  /** What the engines of quiet models say, by Deployment. */
  readonly engines: ReadonlyMap<string, EngineActivity>;
  /** Watches that have not read their list yet. */
  readonly unsynced: readonly string[];
}

/** In which state a model is, and up to when that is known. */
export interface DatedState {
  readonly conclusion: Conclusion;
  /** End of the newest record, or the newest word of requests that wait (Unix s); null = there never was one. */
  readonly dataAt: number | null;
}

/**
 * Answers in which state each model is. What concerns all of them is looked at once.
 * @param decisions what was decided last, by `namespace/name`: it stands as long as any stale plan, so nothing is missing
 */
export const stateReader = (
  reading: StateReading,
  decisions: ReadonlyMap<string, Decision>,
  settings: StateSettings & { readonly trustSilence: boolean },
): ((group: ModelGroup, candidates: readonly Candidate[]) => DatedState) => {
  const newestFirst = [...(reading.workload?.names ?? [])]
    .flatMap(([name, { lastRecordAt }]) => (lastRecordAt === null ? [] : [{ name, lastRecordAt }]))
    .sort((a, b) => b.lastRecordAt - a.lastRecordAt);
  return (group, candidates) => {
    const { aliases, deployments } = group;
    const otherModelAt = newestFirst.find(({ name }) => !aliases.includes(name))?.lastRecordAt ?? null;
    const decidedAt = newest(deployments.map((deployment) => decisions.get(deploymentKey(deployment))?.asOf ?? null));
    const byRecords = stateByRecords(group, candidates, otherModelAt, reading, decidedAt !== null, settings);
    return byRecords.conclusion.state === 'missing' && decidedAt !== null
      ? { conclusion: { ...byRecords.conclusion, state: 'stale' }, dataAt: decidedAt }
      : byRecords;
  };
};

const stateByRecords = (
  { aliases, deployments }: ModelGroup,
  candidates: readonly Candidate[],
  otherModelAt: number | null,
  { now, workload, gatewayUnchangedSince, engines, unsynced }: StateReading,
  decidedBefore: boolean,
  settings: StateSettings & { readonly trustSilence: boolean },
): DatedState => {
  if (unsynced.length > 0) return missing(unsynced.join('; '));
  if (workload === null) return missing('Redis has not been read yet');
  const nameHistories = aliases.flatMap((name) => workload.names.get(name) ?? []);
  const dataAt = newest(nameHistories.map(({ lastRecordAt }) => lastRecordAt));
  const readNow = workload.now >= now - 1;
  const held = workload.held?.filter(({ model }) => aliases.includes(model)) ?? [];
  const conclusion = conclude(
    {
      now,
      intervalsByName: nameHistories.map(({ intervals }) => intervals),
      intervalSeconds: Math.max(...nameHistories.map(({ intervalSeconds }) => intervalSeconds)),
      lastRecordAt: dataAt,
      writableSince: readNow ? workload.writableSince : null,
      heartbeatAt: workload.heartbeatAt,
      otherModelAt,
      gatewayUnchangedSince,
      engines: activityOfAll(deployments.flatMap((deployment) => engines.get(deploymentKey(deployment)) ?? [])),
      longestRequestSeconds: longestRequest(nameHistories, candidates),
      trustSilence: settings.trustSilence,
    },
    settings,
  );
  if (!readNow) return { conclusion: unread(conclusion, decidedBefore), dataAt };
  return held.length === 0 ? { conclusion, dataAt } : awaited(conclusion, dataAt, held);
};

const missing = (reason: string): DatedState => ({
  conclusion: { state: 'missing', reason, silentUntil: Number.NEGATIVE_INFINITY },
  dataAt: null,
});

/**
 * Of what was read at an earlier tick no new plan is made: there is nothing new in it, and the other replicas, which the store
 * would tell, could not know.
 */
const unread = (conclusion: Conclusion, decidedBefore: boolean): Conclusion =>
  conclusion.state === 'fresh'
    ? {
        ...conclusion,
        state: 'quiet',
        reason: `Redis was not read; ${decidedBefore ? 'the last plan stands' : 'there is no plan yet'}`,
      }
    : conclusion;

/** Only where it is not known what the last record left pending is it of use how long requests take. */
const longestRequest = (nameHistories: readonly NameHistory[], candidates: readonly Candidate[]): number | null => {
  const pendingKnown = nameHistories.every(({ intervals }) => newestRecord(intervals)?.record.pending !== null);
  return pendingKnown
    ? null
    : longestSeconds(
        nameHistories.flatMap(({ intervals }) => intervals),
        candidates,
      );
};

/** Requests that a gateway holds are demand at once, whatever the records say so far. */
const awaited = (conclusion: Conclusion, dataAt: number | null, held: readonly HeldRequests[]): DatedState => {
  const requests = held.reduce((sum, waiting) => sum + waiting.requests, 0);
  return {
    conclusion:
      conclusion.state === 'fresh'
        ? conclusion
        : { ...conclusion, state: 'fresh', reason: `${requests} requests wait in the gateway for a replica` },
    dataAt: newest([dataAt, ...held.map(({ at }) => at)]),
  };
};

const newest = (times: readonly (number | null)[]): number | null => {
  const told = times.filter((time) => time !== null);
  return told.length === 0 ? null : Math.max(...told);
};
