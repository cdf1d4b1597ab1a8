import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { activityOfAll, type EngineActivity } from '../../src/cluster/engine-metrics.ts';
import { readConfig } from '../../src/config/serve-config.ts';
import { standInCluster } from '../../src/planner/cluster-stand-in.ts';
import { planOf } from '../../src/planner/plan/plan-of-snapshot.ts';
import { createBoard } from '../../src/planner/publish/board.ts';
import type { ModelReport, TickOutcome } from '../../src/planner/report/tick-outcome.ts';
import { createTicker } from '../../src/planner/tick.ts';
import { profileSources } from '../../src/profiles/sources.ts';
import { memoryStore } from '../../src/workload/memory-store.ts';
import { workloadReader } from '../../src/workload/reader.ts';
import { deployment } from './deployments.ts';
import { deploymentPod } from './pods.ts';

/** A file of test/fixtures/aibrix: what a gateway wrote, what was really sent through it, what its engines said. */
interface Recording {
  readonly model: string;
  readonly gateways: number;
  readonly engines: readonly string[];
  readonly requests: readonly (readonly [at: number, seconds: number, kind: number, status: number])[];
  readonly writes: readonly (readonly [at: number, key: string, value: string])[];
  readonly engineSamples: readonly (readonly [at: number, engine: number, running: number, waiting: number, ended: number])[];
}

/** What gpumix made of it at one tick. */
export interface Tick {
  readonly now: number;
  /** Demand that was planned for, without headroom (req/s); null = there was no plan. */
  readonly planned: number | null;
  readonly report: ModelReport;
  readonly problems: readonly string[];
}

export interface Replay {
  readonly ticks: readonly Tick[];
  /** Requests per second that were really sent between two times. */
  sent(from: number, to: number): number;
  readonly firstAt: number;
  readonly lastAt: number;
  /** Of all requests, when the last one ended. */
  readonly endedAt: number;
}

const folder = resolve(import.meta.dirname, '../fixtures/aibrix');
const profiles = resolve(import.meta.dirname, '../../profiles/llama-3.1-8b');

/**
 * Lets gpumix, with its default settings, read a recording in virtual time, and goes on for some time after it.
 * @param engines whether it may ask the engines
 * @param gatewayPods whether it sees the gateway's pods, unchanged all the time
 */
export const replayRecording = async (
  name: string,
  { engines = true, gatewayPods = true, after = 0 }: { engines?: boolean; gatewayPods?: boolean; after?: number } = {},
): Promise<Replay> => {
  const recording: Recording = JSON.parse(readFileSync(resolve(folder, `${name}.json`), 'utf8'));
  const { model, requests, writes, engineSamples } = recording;
  const starts = requests.map(([at]) => at).sort((a, b) => a - b);
  const [firstAt, lastAt] = [starts[0]!, starts.at(-1)!];
  const world = { now: Math.floor(firstAt / 10) * 10 - 60 };
  const store = memoryStore(() => world.now);
  const config = readConfig([], {});
  const gpus = [...new Set(recording.engines)];
  const count = (gpu: string) => recording.engines.filter((one) => one === gpu).length;
  const deployments = new Map(
    gpus.map((gpu) => [`ns/${gpu}`, deployment(gpu, { model, gpu, replicas: count(gpu), idleReplicas: 0 })]),
  );
  const pods = new Map(
    recording.engines.map((gpu, index) => [`ns/${index}`, deploymentPod(String(index), { deployment: gpu, ip: '127.0.0.1' })]),
  );
  for (const gpu of gpus) {
    const document = { ...JSON.parse(readFileSync(resolve(profiles, `${gpu.toLowerCase()}.json`), 'utf8')), gpu };
    await store.write(`aibrix:profile_${model}_${gpu}`, JSON.stringify(document), 1e9);
  }
  const reader = workloadReader(store, { ...config, historySeconds: 300, instance: 'replay' });
  const fromRedis = profileSources((keys) => store.read(keys), null);
  /** What one engine held when it was asked last, and since when it has nothing. */
  const heard = (engine: number): EngineActivity => {
    const samples = engineSamples.filter(([at, of]) => of === engine && at <= world.now - 1);
    const last = samples.at(-1);
    const busy = samples.findLast(([, , running, waiting]) => running + waiting > 0);
    const sample = last === undefined ? null : { at: last[0], inFlight: last[2] + last[3], ended: last[4] };
    const quietFrom = samples.find(([at]) => at > (busy?.[0] ?? 0))?.[0] ?? null;
    return { quietSince: quietFrom, busyAt: busy?.[0] ?? null, sample };
  };
  const ticks: Tick[] = [];
  const board = createBoard(deployments, pods, config.staleAfterSeconds, () => world.now);
  let decided: TickOutcome | null = null;
  let problems: readonly string[] = [];
  const loop = createTicker({
    cluster: {
      ...standInCluster(deployments, pods),
      gatewayReplicas: () => recording.gateways,
      gatewayUnchangedSince: () => (gatewayPods ? firstAt - 100 : null),
    },
    readWorkload: (names) => reader.read(names),
    readProfiles: (wanted, now) => fromRedis(wanted, now),
    engines: engines
      ? { observe: () => {}, activity: (asked) => activityOfAll(asked.map(({ name: engine }) => heard(Number(engine)))) }
      : undefined,
    makePlan: planOf,
    board,
    settings: { ...config, headroom: 0, attainment: null, prices: {}, keepSnapshot: false },
    clock: () => world.now,
    onTick: (one, _, found) => {
      decided = one;
      problems = found;
    },
  });
  const pending = writes.toSorted(([a], [b]) => a - b);
  const until = lastAt + 60 + after;
  for (let boundary = world.now + 10; boundary <= until; boundary += 10) {
    while (pending[0] !== undefined && pending[0][0] <= boundary + 2) {
      const [at, key, value] = pending.shift()!;
      world.now = Math.max(world.now, at);
      await store.write(key, value, 600);
    }
    world.now = boundary + 2.2;
    await loop.tick();
    const report = decided!.models[0]!;
    ticks.push({ now: world.now, planned: report.arrivalRate, report, problems });
  }
  const sent = (from: number, to: number) => starts.filter((at) => at > from && at <= to).length / (to - from);
  return { ticks, sent, firstAt, lastAt, endedAt: Math.max(...requests.map(([at, seconds]) => at + seconds)) };
};
