import type { Decision } from '../../vocabulary/target.ts';
import type { Candidate } from './candidates.ts';
import type { RatedName } from './rated-names.ts';
import type { TrustedWorkload } from './record-defects.ts';
import { meanOfAll } from './request-work.ts';
import type { ReplicaPod } from './startups.ts';

/** A replica that is asked for. */
export interface DecidedReplica {
  /** Until it serves; 0 = it does (s). */
  readonly readyInSeconds: number;
  /** What it carries by its profile (req/s). */
  readonly rate: number;
}

/** What is known where requests wait. */
export interface Waiting {
  /** Requests that wait beyond what is normal. */
  readonly backlog: number;
  /** That comes meanwhile (req/s). */
  readonly rate: number;
  /** Extra demand that is planned for on top; 0.1 = 10 %. */
  readonly headroom: number;
  readonly replicas: readonly DecidedReplica[];
  readonly startupSeconds: number;
  readonly backlogSeconds: number;
}

/** What remains when a replica that is asked for now is Ready is late already, and may take so much longer. */
const timesLonger = 1.5;

/**
 * What to plan for beyond what arrives, so that what waits is worked off (req/s). By what waits now it would be a replica after the
 * other while the backlog grows, and they become Ready when most of it is gone. So no more is asked for than what runs and starts
 * already, unless something remains when a new replica would be Ready. What runs and starts is kept as long as what waits now needs
 * it. Where nothing is asked for yet there is nothing that could work it off.
 */
export const rateForBacklog = ({ backlog, rate, headroom, replicas, startupSeconds, backlogSeconds }: Waiting): number => {
  const atOnce = backlog / backlogSeconds;
  if (replicas.length === 0) return atOnce;
  const workedOff = replicas.reduce(
    (sum, one) => sum + one.rate * Math.max(0, startupSeconds - one.readyInSeconds),
    -rate * startupSeconds,
  );
  const forRemaining = Math.max(0, backlog - workedOff) / (timesLonger * backlogSeconds);
  const carried = replicas.reduce((sum, one) => sum + one.rate, 0) / (1 + headroom);
  return Math.min(atOnce, Math.max(forRemaining, carried - rate));
};

/** Where replicas and their pods are known. */
export interface DecidedSources {
  readonly candidates: readonly Candidate[];
  /** What was decided last, by `namespace/name`. */
  readonly decisions: ReadonlyMap<string, Decision>;
  /** Pods of Deployments that have not ended; absent = pods are not looked at. */
  readonly pods?: ReadonlyMap<string, readonly ReplicaPod[]> | undefined;
}

/**
 * The replicas of all variants that were decided last.
 * @param works what a request takes of a replica of each candidate (replica-seconds)
 */
export const decidedReplicas = (
  { candidates, decisions, pods }: DecidedSources,
  works: readonly number[],
  startupSeconds: number,
  now: number,
): readonly DecidedReplica[] =>
  candidates.flatMap(({ key, replicas, ready }, index) => {
    const starting = (pods?.get(key) ?? []).filter((pod) => !pod.ready).map((pod) => readyIn(pod, startupSeconds, now));
    const comes = [...Array<number>(ready).fill(0), ...starting.sort((a, b) => a - b)];
    const rate = 1 / works[index]!;
    return Array.from({ length: decisions.get(key)?.replicas ?? replicas }, (_, replica) => ({
      readyInSeconds: comes[replica] ?? startupSeconds,
      rate,
    }));
  });

/** One that is late will be as late again; one that finds no place starts when it has found one (s). */
const readyIn = ({ createdAt, unschedulable }: ReplicaPod, startupSeconds: number, now: number): number =>
  unschedulable ? startupSeconds : Math.min(startupSeconds, Math.abs(createdAt + startupSeconds - now));

interface BacklogSources extends DecidedSources {
  readonly workload: Pick<TrustedWorkload, 'now'> | null;
  /** Share of the arrivals under these names that is this group's. */
  readonly arrivalShare: number;
}

type BacklogSettings = Pick<Waiting, 'startupSeconds' | 'backlogSeconds'>;

/**
 * What to plan for beyond the arrivals under each name, so that what waits is worked off (req/s). Names share the replicas as they
 * share the work.
 */
export const backlogRates = (
  arriving: readonly RatedName[],
  sources: BacklogSources,
  { startupSeconds, backlogSeconds }: BacklogSettings,
): ReadonlyMap<string, number> => {
  const loadOf = ({ ahead, growthOfWork, backlog, strain, works }: RatedName): number =>
    works === null ? 0 : (ahead.rate * growthOfWork + backlog / backlogSeconds) * strain.factor * meanOfAll(works);
  const load = arriving.reduce((sum, rated) => sum + loadOf(rated), 0);
  return new Map(
    arriving.map((rated) => {
      const { name, ahead, growthOfWork, backlog, strain, headroom, works } = rated;
      if (backlog === 0 || works === null) return [name, 0];
      // A model that lives elsewhere too has its replicas for its own share of the requests.
      const perReplica = (strain.factor * sources.arrivalShare * load) / loadOf(rated);
      const replicas = decidedReplicas(
        sources,
        works.means.map((work) => work * perReplica),
        startupSeconds,
        sources.workload?.now ?? 0,
      );
      const rate = ahead.rate * growthOfWork;
      return [name, rateForBacklog({ backlog, rate, headroom, replicas, startupSeconds, backlogSeconds })];
    }),
  );
};
