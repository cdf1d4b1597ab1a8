import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort, type RedisServer, startRedis } from '../helpers/redis.ts';
import { apply, eventually, field, kubectl, ownCluster } from './cluster.ts';
import { gpumix, kubeconfigWithToken, type Running, serveFlags } from './gpumix-process.ts';
import { installOnHost, uninstall } from './install.ts';

/**
 * Two replicas of `gpumix serve` with the rights of manifests/, a real Lease, a real Redis between them. Each is asked at
 * its own plain HTTP port, so that it shows which of them says what.
 */
const { ours, kubeconfig } = ownCluster;
const namespace = 'e2e-replicas';
const folder = mkdtempSync(join(tmpdir(), 'gpumix-replicas-'));
const azure = join(import.meta.dirname, '../../src/cli/demo/azure-conversation-10min.csv');

interface Replica extends Running {
  readonly port: number;
}
let redis: RedisServer;
const replicas = new Set<Replica>();
const others: Running[] = [];

const start = async (): Promise<Replica> => {
  const [secure, port] = [await freePort(), await freePort()];
  const running = gpumix([
    'serve',
    ...serveFlags(join(folder, 'kubeconfig'), redis.url, secure),
    ...[`--profiles=${join(import.meta.dirname, '../../profiles')}`, `--plain-metrics-port=${port}`],
    ...['--interval-seconds=1', '--settle-seconds=0.3', '--window-seconds=10', '--shape-window-seconds=20'],
    ...['--hold-down-seconds=0', '--switch-savings=0'],
    ...['--redis-timeout-seconds=1', '--drain-seconds=3'],
  ]);
  const replica = { ...running, port };
  replicas.add(replica);
  await eventually('answers', () => answerOf(replica).then(String, String), /^\d+$/);
  return replica;
};
const end = async (replica: Replica, how: 'kill' | 'terminate'): Promise<void> => {
  replicas.delete(replica);
  await replica[how]();
};
/** What a PodAutoscaler would read there: 0 or 100 N - 50. */
const answerOf = async ({ port }: Replica): Promise<number> => {
  const answer = await fetch(`http://127.0.0.1:${port}/metrics/${namespace}/llama-l40s`);
  return Number((await answer.text()).trim().split(' ').at(-1));
};
const holder = () => field('{.spec.holderIdentity}', 'lease', 'gpumix', '-n', 'gpumix-system');
const leader = async (): Promise<Replica> => {
  const said = [...replicas].filter((one) => isLeading(one));
  expect(said).toHaveLength(1);
  return said[0]!;
};
const isLeading = ({ output }: Replica): boolean =>
  output().lastIndexOf('"leading"') > output().lastIndexOf('"no longer leading"');

/** What each replica says over some seconds, and when it was asked. */
const observed = async (asked: readonly Replica[], seconds: number) => {
  const samples = asked.map((): { readonly at: number; readonly value: number }[] => []);
  for (const deadline = Date.now() + seconds * 1000; Date.now() < deadline; await sleep(100))
    await Promise.all(
      asked.map(async (one, index) => samples[index]!.push({ at: Date.now() / 1000, value: await answerOf(one) })),
    );
  return samples;
};

type Sample = { readonly at: number; readonly value: number };
/** What one said the other had said within the two seconds before, or the look of a tenth of a second. */
const agree = (one: readonly Sample[], other: readonly Sample[]): void => {
  for (const { at, value } of other) {
    const said = one.filter((sample) => sample.at > at - 2.5 && sample.at <= at + 0.3);
    expect(said.map((sample) => sample.value)).toContain(value);
  }
};

describe.runIf(ours)('two replicas of gpumix', () => {
  beforeAll(async () => {
    redis = await startRedis();
    const installed = await installOnHost();
    kubeconfigWithToken(kubeconfig, installed.token, join(folder, 'kubeconfig'));
    await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    await apply({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'llama-l40s', namespace, labels: { 'model.aibrix.ai/name': 'llama-3.1-8b' } },
      spec: {
        replicas: 1,
        selector: { matchLabels: { app: 'llama' } },
        template: {
          metadata: { labels: { app: 'llama' } },
          spec: {
            nodeSelector: { 'nvidia.com/gpu.product': 'NVIDIA-L40S' },
            containers: [{ name: 'engine', image: 'engine:none', resources: { limits: { 'nvidia.com/gpu': '1' } } }],
          },
        },
      },
    });
    others.push(
      gpumix([
        'replay',
        '--trace',
        azure,
        '--model',
        'llama-3.1-8b',
        '--redis-url',
        redis.url,
        '--interval',
        '1',
        '--speed',
        '5',
      ]),
    );
  });

  afterAll(async () => {
    for (const running of [...replicas, ...others]) await running.kill();
    await uninstall(async () => {});
    await kubectl(['delete', 'namespace', namespace, '--ignore-not-found']);
    await redis?.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  test('one leads, and the other says the same within two seconds', async () => {
    const [one, two] = [await start(), await start()];
    await eventually('leader', async () => String(isLeading(one) || isLeading(two)), 'true');
    const leading = await leader();
    expect(await holder()).toMatch(/_/);
    const [first, second] = await observed([leading, leading === one ? two : one], 25);
    const values = new Set(first!.map(({ value }) => value));
    expect(values.size).toBeGreaterThan(2);
    const settled = second!.slice(25);
    agree(first!, settled);
    console.log(`the leader said ${values.size} different numbers; ${settled.length} samples of the other agree`);
  });

  test('fault: the Lease is deleted: the replicas go on saying the same', async () => {
    const leading = await leader();
    const other = [...replicas].find((one) => one !== leading)!;
    const before = await field('{.metadata.uid}', 'lease', 'gpumix', '-n', 'gpumix-system');
    const seen = observed([leading, other], 20);
    await kubectl(['delete', 'lease', 'gpumix', '-n', 'gpumix-system']);
    await eventually(
      'made anew',
      async () => String((await field('{.metadata.uid}', 'lease', 'gpumix', '-n', 'gpumix-system')) !== before),
      'true',
    );
    const [first, second] = await seen;
    // Whoever leads now may be the other one, so each is held against both.
    agree(first!.concat(second!), second!.slice(25));
    agree(second!.concat(first!), first!.slice(25));
    await eventually('one leads', async () => String([...replicas].filter(isLeading).length), '1');
    expect(new Set(second!.slice(-60).map(({ value }) => value)).size).toBeGreaterThan(0);
  });

  test('fault: a leader that is asked to end is followed within five seconds, and answers until it has ended', async () => {
    const leading = await leader();
    const other = [...replicas].find((one) => one !== leading)!;
    const began = Date.now();
    const ended = end(leading, 'terminate');
    await eventually('leads', async () => String(isLeading(other)), 'true', 10);
    const seconds = (Date.now() - began) / 1000;
    expect(seconds).toBeLessThan(5);
    await ended;
    expect(leading.output()).toContain('"stopped"');
    console.log(`followed within ${seconds.toFixed(1)} s`);
  });

  test('fault: a leader that is killed is followed within 20 s; until then the last plan stands', async () => {
    await start();
    const leading = await leader();
    const other = [...replicas].find((one) => one !== leading)!;
    await eventually('has the plan', async () => String((await answerOf(other)) === (await answerOf(leading))), 'true');
    await end(leading, 'kill');
    await sleep(1500); // it may have stored a plan that the other has not looked at yet
    const before = await answerOf(other);
    const began = Date.now();
    while (!isLeading(other)) {
      expect(await answerOf(other)).toBe(before);
      expect(Date.now() - began).toBeLessThan(20_000);
      await sleep(200);
    }
    console.log(`followed within ${((Date.now() - began) / 1000).toFixed(1)} s`);
    await eventually('new plans', async () => String((await answerOf(other)) !== before), 'true', 40);
  });

  test('fault: with Redis away a leader that ends takes nothing along: the next one stands by the last plan', async () => {
    const fresh = await start();
    const leading = await leader();
    for (const traffic of others) await traffic.kill(); // so that no plan is made between two looks
    await sleep(5000); // what has been counted is planned for until it is older than three intervals
    await eventually('the same', async () => String((await answerOf(fresh)) === (await answerOf(leading))), 'true');
    await redis.kill();
    await sleep(1500);
    const before = await answerOf(fresh);
    expect(before).toBe(await answerOf(leading));
    await end(leading, 'terminate');
    await eventually('leads', async () => String(isLeading(fresh)), 'true', 10);
    const [samples] = await observed([fresh], 6);
    expect([...new Set(samples!.map(({ value }) => value))]).toEqual([before]);
  });

  test('fault: with Redis away a pin counts at every replica within two seconds', async () => {
    const pinned = 650;
    const [one] = [...replicas];
    const two = await start();
    await kubectl(['annotate', 'deployment', 'llama-l40s', '-n', namespace, 'gpumix.io/pin=7']);
    const saidBy = new Map<Replica, number>();
    for (const deadline = Date.now() + 20_000; saidBy.size < 2 && Date.now() < deadline; await sleep(50))
      for (const replica of [one!, two])
        if (!saidBy.has(replica) && (await answerOf(replica)) === pinned) saidBy.set(replica, Date.now());
    expect(saidBy.size).toBe(2);
    expect(Math.abs(saidBy.get(one!)! - saidBy.get(two)!)).toBeLessThan(2000);
  });
});
