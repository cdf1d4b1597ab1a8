import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { kubernetes as connectKubernetes, type Kubernetes, type KubernetesRequest } from '../cluster/kubernetes-connection.ts';
import { type Cluster, watchCluster } from '../cluster/watch.ts';
import { type Config, historySeconds, readConfig, stockConfigName } from '../config/serve-config.ts';
import type { Environment } from '../config/settings.ts';
import { priceTable } from '../planner/believe/candidates.ts';
import { planOf } from '../planner/plan/plan-of-snapshot.ts';
import { createBoard } from '../planner/publish/board.ts';
import { type AgedPlan, storedPlans } from '../planner/publish/stored-plan.ts';
import type { TickOutcome } from '../planner/report/tick-outcome.ts';
import { createTicker } from '../planner/tick.ts';
import type { Profiles } from '../profiles/profile-document.ts';
import { profileSources } from '../profiles/sources.ts';
import { GpumixError } from '../vocabulary/errors.ts';
import { workloadReader } from '../workload/reader.ts';
import { redisStore } from '../workload/redis.ts';
import type { Store } from '../workload/store.ts';
import { refusal } from './kubernetes-answer.ts';

/** A fleet as of one look, with the eyes of `gpumix serve`. */
export interface ClusterLook {
  readonly cluster: Cluster;
  readonly kubernetes: KubernetesRequest;
  readonly profiles: Profiles;
  /** What would be decided now; nothing of it is published. */
  readonly decided: TickOutcome;
  /** What `serve` would warn of, one line each. */
  readonly problems: readonly string[];
  /** What is read as something near it, and works all the same, one line each. */
  readonly notes: readonly string[];
  /** What a `serve` has stored last; null = nothing, or Redis cannot be read. */
  readonly stored: AgedPlan | null;
}

/** How long a cluster may take to be read (s). */
const longestRead = 15;

/**
 * Reads the cluster, Redis and profiles once, decides as the next tick of the running `serve` would, and hands that on.
 * @throws GpumixError BAD_SETTING, KUBERNETES_UNAVAILABLE, FORBIDDEN where the cluster cannot be read
 */
export const lookOnce = async <Seen>(config: Config, see: (look: ClusterLook) => Promise<Seen> | Seen): Promise<Seen> => {
  const kubernetes = connectKubernetes(config.kubeconfig);
  await answers(kubernetes);
  const store = onlyRead(redisStore(config, () => {}));
  const stockConfig = stockConfigName(config, kubernetes.namespace);
  const cluster = watchCluster(kubernetes, { ...config, stockConfig });
  try {
    await synced(cluster);
    // Where Redis is away, the tick says so.
    const stored = await storedPlans(store, `${config.planPrefix}plans`, '')
      .last()
      .catch(() => null);
    const clock = () => Date.now() / 1000;
    const reader = workloadReader(store, { ...config, historySeconds: historySeconds(config), instance: 'look' });
    const sources = profileSources((keys) => store.read(keys), config.profiles);
    let profiles: Profiles = { found: new Map(), problems: [] };
    let seen: Pick<ClusterLook, 'decided' | 'problems'> | null = null;
    const loop = createTicker({
      cluster,
      readWorkload: (names) => reader.read(names),
      readProfiles: async (wanted, now) => {
        profiles = await sources(wanted, now);
        return profiles;
      },
      makePlan: (snapshot, detail) => planOf(snapshot, detail, () => performance.now()),
      // Nobody reads what is published here.
      board: createBoard(cluster.deployments, cluster.pods, config.staleAfterSeconds, clock),
      settings: { ...config, prices: priceTable(config.prices), keepSnapshot: true },
      clock,
      onTick: (decided, _, problems) => {
        seen = { decided, problems };
      },
    });
    if (stored !== null) loop.restore(stored.plan);
    await loop.tick();
    const notes = [...(config.routerNote === null ? [] : [config.routerNote]), ...cluster.notes()];
    return await see({ cluster, kubernetes: kubernetes.request, profiles, stored, notes, ...seen! });
  } finally {
    cluster.stop();
    await store.close();
  }
};

/**
 * A look leaves nothing behind. What `serve` writes to learn whether Redis takes writes tells nothing the first time, and more
 * times than once nobody looks here.
 */
const onlyRead = (store: Store): Store => ({ ...store, write: async () => {} });

/** A leader that has not planned for so many intervals, and what it takes to plan (s), is gone. */
const [intervalsOfLife, longestTick] = [3, 15];

/** Whether who stored a plan so long ago (s) is still there. */
export const isAlive = (ageSeconds: number, { intervalSeconds }: Pick<Config, 'intervalSeconds'>): boolean =>
  ageSeconds < intervalsOfLife * intervalSeconds + longestTick;

/** A server that is away, or that does not know us, is found by one question rather than by every watch. */
const answers = async (kubernetes: Kubernetes): Promise<void> => {
  const { status, body } = await kubernetes.request('GET', '/version');
  if (status === 401)
    throw new GpumixError(
      'KUBERNETES_UNAVAILABLE',
      `the API server does not know these credentials: ${refusal({ status, body })}`,
    );
};

/** What a `serve` has stored last; null = nothing, or Redis cannot be read. */
export const lastPlan = async (config: Config): Promise<AgedPlan | null> => {
  const store = redisStore(config, () => {});
  const stored = await storedPlans(store, `${config.planPrefix}plans`, '')
    .last()
    .catch(() => null);
  await store.close();
  return stored;
};

const synced = async (cluster: Cluster): Promise<void> => {
  for (let waited = 0; cluster.unsynced().length > 0; waited += 0.1) {
    const unread = [...new Set(cluster.unsynced())];
    if (unread.every((problem) => problem.startsWith('may not '))) {
      // What else there is can be looked at all the same; that this may not be read is among its problems.
      if (cluster.deployments.size > 0) return;
      throw new GpumixError('FORBIDDEN', unread.join('; '));
    }
    if (waited > longestRead)
      throw new GpumixError('KUBERNETES_UNAVAILABLE', `not read within ${longestRead} s: ${unread.join('; ')}`);
    await sleep(100);
  }
};

/**
 * The settings of a command that looks at what `serve` does: in the container of a `serve` (kubectl exec) they are those
 * that it was started with, unless flags say otherwise.
 * @throws GpumixError BAD_SETTING, BAD_USAGE
 */
export const configBesideServe = (argv: readonly string[], environment: Environment): Config =>
  readConfig([...flagsOfServe(commandLineOfFirst()), ...argv], environment);

/** @param commandLine as in /proc: arguments that each end with NUL */
export const flagsOfServe = (commandLine: string): readonly string[] => {
  const words = commandLine.replace(/\0$/, '').split('\0');
  const program = words.findIndex((word) => word.endsWith('gpumix.js'));
  return program >= 0 && words[program + 1] === 'serve' ? words.slice(program + 2) : [];
};

const commandLineOfFirst = (): string => {
  try {
    return readFileSync('/proc/1/cmdline', 'utf8');
  } catch {
    return '';
  }
};
