import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { startRedis } from '../helpers/redis.ts';
import { eventually, kubectl } from './cluster.ts';
import { type Fleet, startFleet, total } from './fleet.ts';
import { steadyTrace } from './gpumix-process.ts';

/**
 * Faults on real parts, under a steady load: nothing falls while one lasts, and once it is over half of the load takes
 * replicas away within the hold-down. In virtual time, with default settings, there are more: test/planner/faults.test.ts.
 */
const namespace = 'e2e-faults';
const [window, holdDown] = [5, 4];
/** Windows of rates, the hold-down, and syncs, on a busy machine (s). */
const fallsWithin = window + holdDown + 30;
const profileOf = (gpu: string) =>
  JSON.parse(readFileSync(join(import.meta.dirname, `../../profiles/llama-3.1-8b/${gpu}.json`), 'utf8'));
const slower = (gpu: string, factor: number): string => {
  const profile = profileOf(gpu);
  const tputs = profile.tputs.map((row: number[]) => row.map((rate) => factor * rate));
  return JSON.stringify({ ...profile, gpu: `llama-${gpu}`, tputs });
};

describe.runIf(inject('cluster').ours)('faults', () => {
  let fleet: Fleet;
  let client: Redis;
  let [steady, half] = ['', ''];
  /** Replicas that the steady load takes. */
  let full = 0;

  beforeAll(async () => {
    const windows = [`--window-seconds=${window}`, `--shape-window-seconds=${2 * window}`];
    const settings = [...windows, `--hold-down-seconds=${holdDown}`, '--grow-at-once=1000'];
    fleet = await startFleet(namespace, [...settings, '--idle-after-seconds=30', '--stale-after-seconds=12']);
    // One type alone, so that no mix of others hides what falls.
    await kubectl(['annotate', 'deployment', '-n', namespace, 'llama-l40s', 'gpumix.io/price=0.1']);
    steady = steadyTrace(join(fleet.folder, 'steady.csv'), 60, 900);
    half = steadyTrace(join(fleet.folder, 'half.csv'), 20, 900);
    client = new Redis(fleet.now.redis.url);
    client.on('error', () => {});
    fleet.replay(steady, '--seconds-per-token', '0');
    await fleet.settled();
    full = total(await fleet.specReplicas());
  });

  beforeEach(async () => {
    await fleet.endTraffic();
    fleet.replay(steady, '--seconds-per-token', '0');
    await eventually('the steady load', async () => String(total(await fleet.specReplicas()) >= full), 'true');
    await fleet.settled(6);
  });

  afterAll(async () => {
    client?.disconnect();
    await fleet?.stop();
  });

  /** After a fault: with half of the traffic fewer replicas are asked for. */
  const fallsAgain = async (): Promise<void> => {
    const before = total(await fleet.specReplicas());
    await fleet.endTraffic();
    fleet.replay(half, '--seconds-per-token', '0');
    await eventually(
      'fewer replicas',
      async () => {
        const now = total(await fleet.specReplicas());
        return now < before ? 'yes' : `still ${now}, and gpumix said:\n${fleet.now.adapter.output().slice(-3000)}`;
      },
      'yes',
      fallsWithin,
    );
  };

  test('fault: Redis restarts empty', async () => {
    const watched = fleet.neverFalls(10);
    await fleet.now.redis.kill();
    await sleep(2000);
    fleet.now.redis = await startRedis([], fleet.now.redis.port);
    await watched;
    await fallsAgain();
  });

  test('fault: Redis is slow', async () => {
    const watched = fleet.neverFalls(10);
    for (let paused = 0; paused < 3; paused += 1) {
      await client.client('PAUSE', 2000, 'ALL');
      await sleep(2800);
    }
    await watched;
    await fallsAgain();
  });

  test('fault: Redis takes no writes', async () => {
    await client.replicaof('127.0.0.1', 1);
    await fleet.neverFalls(10);
    expect(fleet.now.adapter.output()).toMatch(/READONLY/);
    await client.replicaof('NO', 'ONE');
    await fallsAgain();
  });

  test('fault: broken records', async () => {
    const watched = fleet.neverFalls(10);
    for (let written = 0; written < 9; written += 1) {
      const next = Math.floor(Date.now() / 1000) + 1;
      await sleep(1150 - (Date.now() % 1000));
      await client.set(`aibrix:llama-3.1-8b_request_trace_${next}`, '{"meta_v":4,"meta_total_reqs":', 'EX', 600);
    }
    await watched;
    expect(fleet.now.adapter.output()).toMatch(/request_trace_\d+/);
    await fallsAgain();
  });

  test('fault: a broken profile', async () => {
    await client.set('aibrix:profile_llama-3.1-8b_llama-h100', '{"gpu":"llama-h100","tputs":[[');
    await fleet.neverFalls(10);
    expect(fleet.now.adapter.output()).toMatch(/aibrix:profile_llama-3.1-8b_llama-h100/);
    await client.del('aibrix:profile_llama-3.1-8b_llama-h100');
    await fallsAgain();
  });

  test('fault: profiles that serve less, mid-flight', async () => {
    for (const gpu of ['l40s', 'a100-80', 'h100'])
      await client.set(`aibrix:profile_llama-3.1-8b_llama-${gpu}`, slower(gpu, 0.8));
    await fleet.neverFalls(10);
    for (const gpu of ['l40s', 'a100-80', 'h100']) await client.del(`aibrix:profile_llama-3.1-8b_llama-${gpu}`);
    await fallsAgain();
  });

  test('fault: every pod has to start again, as after a drain', async () => {
    const watched = fleet.neverFalls(10);
    await kubectl(['delete', 'pods', '--all', '-n', namespace, '--wait=false']);
    await watched;
    await fallsAgain();
  });

  test('fault: no node takes a pod', async () => {
    const nodes = fleet.nodes.map(({ metadata }) => metadata.name);
    await kubectl(['cordon', ...nodes]);
    await kubectl(['delete', 'pods', '--all', '-n', namespace, '--wait=false', '--grace-period=0', '--force']);
    await fleet.neverFalls(10);
    await kubectl(['uncordon', ...nodes]);
    await fallsAgain();
  });
});
