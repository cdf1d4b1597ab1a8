import type { DeploymentPod } from '../../src/cluster/pods.ts';
import type { ModelDeployment } from '../../src/cluster/variant.ts';
import { readConfig } from '../../src/config/serve-config.ts';
import { standInCluster } from '../../src/planner/cluster-stand-in.ts';
import { leaderOrFollower, tellingReplicas } from '../../src/planner/leader-or-follower.ts';
import { planOf } from '../../src/planner/plan/plan-of-snapshot.ts';
import { type Board, createBoard } from '../../src/planner/publish/board.ts';
import { storedPlans } from '../../src/planner/publish/stored-plan.ts';
import { createTicker } from '../../src/planner/tick.ts';
import { profileSources } from '../../src/profiles/sources.ts';
import { faultyStore, type StoreState } from '../../src/simulation/faulty-store.ts';
import { memoryStore } from '../../src/workload/memory-store.ts';
import { workloadReader } from '../../src/workload/reader.ts';
import { deployment } from './deployments.ts';
import { deploymentPod } from './pods.ts';
import { recordText } from './records.ts';
import { type GatewayState, virtualGateway } from './virtual-gateway.ts';

/**
 * One model on two GPU types in virtual time, second by second: a gateway that writes records, a store, gpumix with its
 * default settings, an HPA that syncs every 15 s, and pods that take a minute to start. The store, HPA and pods are
 * models; the reader, profiles, planner, stored plan and board are those that `serve` runs.
 * @param gateway `hand` = records as AIBrix's gateway writes them; `served`, `queued` = the parts of our own, before engines that
 *   answer at once, or no more than the Ready pods carry
 */
export const virtualFleet = (
  throughput: Readonly<Record<string, number>> = { h100: 8, l40s: 2 },
  gateway: 'hand' | 'served' | 'queued' = 'hand',
) => {
  const world = {
    now: 100_000,
    /** Requests per second. */
    rate: 12,
    gatewayLives: true,
    /** Of our own gateway. */
    gateway: 'runs' as GatewayState,
    redis: 'up' as StoreState,
    /** Of Redis and of gpumix' host, against the gateway's (s). */
    redisClock: 0,
    hostClock: 0,
    podsStart: true,
    /** What gpumix has not read of the cluster. */
    unsynced: [] as string[],
  };
  let inner = memoryStore(() => world.now + world.redisClock);
  const store = faultyStore(
    () => inner,
    () => world.redis,
    () => world.now,
  );
  const deployments = new Map<string, ModelDeployment>(
    Object.keys(throughput).map((name) => [`ns/${name}`, deployment(name, { gpu: name.toUpperCase() })]),
  );
  const pods = new Map<string, DeploymentPod>();
  const instances = new Set<Instance>();
  const profile = (name: string, rate: number | string) =>
    inner.write(
      `aibrix:profile_m_${name}`,
      typeof rate === 'string'
        ? rate
        : JSON.stringify({ gpu: name, cost: 1, indexes: [[64], [1024]], tputs: [[rate]], created: world.now }),
      1e9,
    );

  const start = (transitions: number): Instance => {
    const term = { uid: 'lease', createdAt: 0, transitions };
    const leadership = () => ({ leads: true, term });
    const hostNow = () => world.now + world.hostClock;
    const config = readConfig([], {});
    const board = createBoard(deployments, pods, config.staleAfterSeconds, hostNow);
    const stored = storedPlans(store, 'gpumix:plans', 'gpumix-system/gpumix');
    const reader = workloadReader(store, { ...config, historySeconds: 600, instance: `instance-${transitions}` });
    const profiles = profileSources((keys) => store.read(keys), null);
    const problems: { now: readonly string[] } = { now: [] };
    const loop = createTicker({
      cluster: { ...standInCluster(deployments, pods), unsynced: () => world.unsynced },
      readWorkload: (names) => reader.read(names),
      readProfiles: (wanted, now) => profiles(wanted, now),
      makePlan: planOf,
      board,
      settings: { ...config, headroom: 0.1, attainment: null, prices: { H100: 5, L40S: 1 }, keepSnapshot: false },
      clock: hostNow,
      tellReplicas: tellingReplicas(stored, leadership),
      onTick: (_decided, _reading, found) => {
        problems.now = found;
      },
    });
    const turn = leaderOrFollower({ leadership, stored, ticker: loop, board, clock: hostNow, onProblem: () => {} });
    const instance = { turn, board, problems: () => problems.now };
    instances.add(instance);
    return instance;
  };

  const writeRecord = async () => {
    if (!world.gatewayLives || world.now % 10 !== 0 || world.redis === 'away' || world.redis === 'read-only') return;
    const arrivals = Math.round(world.rate * 10);
    await inner.write(`aibrix:m_request_trace_${world.now}`, recordText(arrivals, { '100:60': arrivals }), 600);
  };
  const autoscale = () => {
    if (world.now % 15 !== 0) return;
    const serving = [...instances].at(-1);
    for (const [key, one] of deployments) {
      const decision = serving?.board.target('ns', one.name)?.decision;
      if (decision !== undefined && 'replicas' in decision) deployments.set(key, { ...one, replicas: decision.replicas });
    }
  };
  const runPods = () => {
    for (const { name, replicas } of deployments.values()) {
      const mine = [...pods.values()].filter((pod) => pod.deployment === name);
      for (const { name: pod } of mine.slice(replicas)) pods.delete(`ns/${pod}`);
      for (let index = mine.length; index < replicas; index += 1) {
        const pod = `${name}-${world.now}-${index}`;
        pods.set(`ns/${pod}`, deploymentPod(pod, { deployment: name, ready: false, createdAt: world.now }));
      }
    }
    for (const [key, pod] of pods)
      if (!pod.ready && world.podsStart && world.now - pod.createdAt >= 60)
        pods.set(key, { ...pod, ready: true, readinessAt: world.now });
  };

  const capacity = () =>
    [...pods.values()].reduce((sum, { ready, deployment: name }) => sum + (ready ? (throughput[name] ?? 0) : 0), 0);
  const ours = virtualGateway(store, world, () => (gateway === 'queued' ? capacity() : Number.POSITIVE_INFINITY));

  const second = async () => {
    world.now += 1;
    if (gateway === 'hand') await writeRecord();
    else await ours.second();
    for (const { turn } of instances) await turn();
    autoscale();
    runPods();
  };
  const replicas = () => Object.fromEntries([...deployments.values()].map((one) => [one.name, one.replicas]));
  return {
    world,
    deployments,
    start,
    kill: (instance: Instance) => instances.delete(instance),
    profile,
    replicas,
    /** Requests per second that the Ready pods carry. */
    capacity,
    /** Requests that our own gateway has not answered. */
    waiting: ours.waiting,
    /** Every pod has to start again, as after a drain of its node. */
    replacePods: () => {
      for (const [key, pod] of pods) pods.set(key, { ...pod, ready: false, createdAt: world.now, readinessAt: null });
    },
    emptyRedis: () => {
      inner = memoryStore(() => world.now + world.redisClock);
    },
    poisonRecord: (text: string) => inner.write(`aibrix:m_request_trace_${Math.ceil(world.now / 10) * 10}`, text, 600),
    run: async (seconds: number, each: () => void | Promise<void> = () => {}) => {
      for (let passed = 0; passed < seconds; passed += 1) {
        await second();
        await each();
      }
    },
  };
};

export type VirtualFleet = ReturnType<typeof virtualFleet>;
interface Instance {
  readonly turn: () => Promise<boolean>;
  readonly board: Board;
  readonly problems: () => readonly string[];
}
