import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startRedis } from '../helpers/redis.ts';
import { autoscaler } from './autoscaler.ts';
import { apply, eventually, field, kubectl, ownCluster } from './cluster.ts';
import { type Fleet, startFleet, total } from './fleet.ts';
import { steadyTrace } from './gpumix-process.ts';

/**
 * Faults on real parts, under a steady load: nothing falls while one lasts, and once it is over half of the load takes
 * replicas away within the hold-down. In virtual time, with default settings, there are more: test/planner/tick.faults.test.ts.
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

describe.runIf(ownCluster.ours)('faults', () => {
  let fleet: Fleet;
  let client: Redis;
  let [steady, half] = ['', ''];
  /** Replicas that the steady load takes. */
  let full = 0;

  beforeAll(async () => {
    const windows = [`--window-seconds=${window}`, `--shape-window-seconds=${2 * window}`];
    const settings = [...windows, `--hold-down-seconds=${holdDown}`, '--grow-at-once=1000'];
    fleet = await startFleet(namespace, [
      ...settings,
      '--idle-after-seconds=30',
      '--stale-after-seconds=12',
      '--follow-after-seconds=30',
    ]);
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
    for (const gpu of ['l40s', 'a100-80', 'h100']) await client.set(`aibrix:profile_llama-3.1-8b_llama-${gpu}`, slower(gpu, 0.8));
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

  const key = (gpu: string) => `aibrix:profile_llama-3.1-8b_llama-${gpu}`;

  test('fault: profiles of zeros', async () => {
    for (const gpu of ['l40s', 'a100-80', 'h100']) await client.set(key(gpu), slower(gpu, 0));
    await fleet.neverFalls(10);
    expect(fleet.now.adapter.output()).toMatch(/llama-l40s: every cell of tputs is 0/);
    for (const gpu of ['l40s', 'a100-80', 'h100']) await client.del(key(gpu));
    await fallsAgain();
  });

  test('fault: a profile of a hundred times the throughput, until it is confirmed', async () => {
    await client.set(key('l40s'), slower('l40s', 100));
    await fleet.neverFalls(10);
    const said = /gpumix\.io\/profile-confirmed: \\"([0-9a-f]{8})\\"/;
    const [, digest] = said.exec(fleet.now.adapter.output()) ?? [];
    const confirm = `gpumix.io/profile-confirmed=${digest}`;
    await kubectl(['annotate', 'deployment', '-n', namespace, 'llama-l40s', confirm]);
    await eventually(
      'fewer replicas',
      async () => String(((await fleet.specReplicas())['llama-l40s'] ?? 0) < full),
      'true',
      fallsWithin,
    );
    await client.del(key('l40s'));
    await kubectl(['annotate', 'deployment', '-n', namespace, 'llama-l40s', 'gpumix.io/profile-confirmed-']);
  });

  test('fault: an HPA that runs to its maximum', async () => {
    const exact = autoscaler(namespace, 'llama-l40s');
    const broken = structuredClone(exact) as { spec: { metrics: { object: { target: object } }[] } };
    broken.spec.metrics[0]!.object.target = { type: 'Value', value: '1' };
    await apply(broken);
    await eventually('its maximum', async () => String((await fleet.specReplicas())['llama-l40s']), '40');
    await eventually('said', async () => fleet.now.adapter.output(), /llama-l40s: not followed/, 90);
    expect((await fleet.published())['llama-l40s']).toBeLessThan(20);
    await apply(exact);
    await eventually(
      'as wanted',
      async () => String((await fleet.specReplicas())['llama-l40s'] === (await fleet.published())['llama-l40s']),
      'true',
    );
    expect((await fleet.specReplicas())['llama-l40s']).toBeGreaterThan(0);
  });

  test('fault: pods that a ResourceQuota refuses', async () => {
    const pods = total(await fleet.specReplicas());
    await apply({
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'pods', namespace },
      spec: { hard: { pods: String(pods) } },
    });
    await fleet.endTraffic();
    fleet.replay(steadyTrace(join(fleet.folder, 'double.csv'), 120, 900), '--seconds-per-token', '0');
    const refused = /out of stock: exceeded quota: pods, requested: pods=1/;
    await eventually('said', async () => fleet.now.adapter.output(), refused, 90);
    await fleet.neverFalls(5);
    await kubectl(['delete', 'resourcequota', 'pods', '-n', namespace]);
    await eventually('more pods', async () => String(Number(await readyPods()) > pods), 'true', 90);
  });

  const readyPods = () => field('{.status.readyReplicas}', 'deployment', 'llama-l40s', '-n', namespace);

  test('fault: a pod that takes long to end counts no more', async () => {
    const [pod = ''] = (await kubectl(['get', 'pods', '-n', namespace, '-l', 'app=llama-l40s', '-o', 'name'])).split('\n');
    const finalizers = (all: readonly string[]) => JSON.stringify({ metadata: { finalizers: all } });
    await kubectl(['patch', pod, '-n', namespace, '--type=merge', '-p', finalizers(['example.com/hold'])]);
    await kubectl(['delete', pod, '-n', namespace, '--wait=false']);
    await eventually(
      'as many Ready as there are to be',
      async () => (await fleet.beside(['explain', `${namespace}/llama-l40s`])).output,
      /it has (\d+), \1 of them Ready/,
    );
    expect(
      Number(await kubectl(['get', pod, '-n', namespace, '-o', 'jsonpath={.metadata.deletionGracePeriodSeconds}'])),
    ).toBeGreaterThanOrEqual(0);
    await kubectl(['patch', pod, '-n', namespace, '--type=merge', '-p', finalizers([])]);
  });

  test('fault: a label that cannot be read, on a model that is idle', async () => {
    const label = (value: string) =>
      kubectl(['label', 'deployment', 'llama-l40s', '-n', namespace, '--overwrite', `model.aibrix.ai/min_replicas${value}`]);
    await label('=two');
    await fleet.endTraffic();
    // The gateway goes on, and says that nothing comes.
    fleet.replay(steadyTrace(join(fleet.folder, 'last.csv'), 2, 2), '--seconds-per-token', '0', '--linger', '300');
    await eventually('no answer', async () => JSON.stringify(await fleet.published()), /^(?!.*llama-l40s).*llama-h100/, 90);
    await fleet.neverFalls(5);
    await label('=0');
    await eventually('idle', async () => String(total(await fleet.specReplicas())), '0', 60);
    await label('-');
  });
});
