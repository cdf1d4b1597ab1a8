import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { engineFleet } from '../../hack/gateway/engine-fleet.ts';
import { openLoop } from '../../hack/gateway/load.ts';
import { type Started, startGateway, startInstantEngine } from '../../hack/gateway/processes.ts';
import type { RoutingPlan } from '../../src/domain.ts';
import { apply, eventually, field, kubectl } from './cluster.ts';
import { type Fleet, names, startFleet, total } from './fleet.ts';
import { kubeconfigWithToken, savedPlans } from './gpumix-process.ts';

/**
 * The whole loop on a real control plane: gateways count into a real Redis, `gpumix serve` plans, the HPA controller scales, and
 * requests go where the plan says. Pods are fake (kwok), so that an instant engine on this host stands for each that is Ready.
 */
const namespace = 'e2e-gateway';
const model = 'llama-3.1-8b';
const root = join(import.meta.dirname, '../..');
let fleet: Fleet;
let gateway: Awaited<ReturnType<typeof startGateway>>;
let engines: ReturnType<typeof engineFleet>;
let unfollow: () => Promise<void>;
let client: Redis;

const followPods = (): (() => Promise<void>) => {
  let stopped = false;
  const following = (async () => {
    while (!stopped) {
      const path = 'jsonpath={range .items[*]}{.metadata.name}={.status.readyReplicas}{"\\n"}{end}';
      const text = await kubectl(['get', 'deployments', '-n', namespace, '-o', path]).catch(() => '');
      const counts = text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => line.split('='));
      await engines.resize(
        Object.fromEntries(counts.map(([name, count]) => [`${namespace}/${name}`, Math.min(2, Number(count || 0))])),
      );
      await sleep(200);
    }
  })();
  return async () => {
    stopped = true;
    await following;
  };
};

beforeAll(async () => {
  fleet = await startFleet(namespace, [
    '--idle-after-seconds=4',
    '--hold-down-seconds=5',
    '--routing-plans',
    '--startup-seconds=5',
  ]);
  const variants = Object.fromEntries(names.map((name) => [`${namespace}/${name}`, 'instant']));
  engines = engineFleet(model, variants, (): Promise<Started> => startInstantEngine(4, 1));
  gateway = await startGateway(fleet.now.redis.url, engines.file, '--interval-seconds', '1');
  client = new Redis(fleet.now.redis.url);
  unfollow = followPods();
});
afterAll(async () => {
  await unfollow();
  client.disconnect();
  await gateway.stop();
  await fleet.stop();
  await engines.stop();
});

const ask = async (characters = 4000): Promise<number> => {
  const body = JSON.stringify({ model, prompt: 'x'.repeat(characters), max_tokens: 100, stream: true });
  const answer = await fetch(`${gateway.url}/v1/completions`, { method: 'POST', body });
  await answer.text();
  return answer.status;
};

test('a model that is idle goes to zero; 200 requests that come then are held, wake it, and are all served', async () => {
  await eventually('idle', async () => String(total(await fleet.specReplicas())), '0', 90);
  await eventually('no engine', async () => String(engines.origins().length), '0');
  const start = performance.now();
  const after = (): string => `${((performance.now() - start) / 1000).toFixed(1)} s`;
  const answers = Array.from({ length: 200 }, () => ask());
  await eventually('target', async () => String(total(await fleet.published())), /[1-9]/);
  const target = after();
  await eventually('spec.replicas', async () => String(total(await fleet.specReplicas())), /[1-9]/);
  const scaled = after();
  const first = await Promise.race(answers);
  console.log(`from zero: target after ${target}, spec.replicas after ${scaled}, first answer after ${after()}`);
  expect(first).toBe(200);
  expect(await Promise.all(answers)).toEqual(Array(200).fill(200));
});

test('what the gateway counts keeps the model at work, and requests go by the shares of the plan', async () => {
  const body = JSON.stringify({ model, prompt: 'x'.repeat(4000), max_tokens: 100, stream: true });
  const loading = openLoop(gateway.url, 12, 20, body);
  await sleep(8_000);
  await eventually('engines', async () => String(engines.origins().length), /[1-9]/);
  const plan = JSON.parse((await client.get(`gpumix:plan:${model}`)) ?? 'null') as RoutingPlan;
  expect(plan.classes[0]).toMatchObject({ fromTokens: 0 });
  expect((await loading).filter(({ ok }) => !ok)).toEqual([]);
  const metrics = await (await fetch(`${gateway.admin}/metrics`)).text();
  const chosen = (by: string): number =>
    [...metrics.matchAll(new RegExp(`requests_total\\{[^}]*chosen_by="${by}",result="200"\\} (\\d+)`, 'g'))].reduce(
      (sum, [, count]) => sum + Number(count),
      0,
    );
  expect(chosen('plan')).toBeGreaterThan(150);
  const shared = Object.keys(plan.classes[0]!.shares);
  const served = [...metrics.matchAll(/variant="([^"]+)",input_from="[^"]*",chosen_by="plan"/g)].map(
    ([, name]) => name,
  );
  for (const name of shared) expect(served).toContain(name);
});

test('routing is by input size while the gateway is heard', () => {
  const { snapshot } = savedPlans(fleet.snapshots).at(-1)!;
  expect(JSON.parse(readFileSync(snapshot, 'utf8')).routing).toBe('input');
});

test.runIf(inject('cluster').ours)(
  'pods are found by EndpointSlices, with the rights of manifests/gateway',
  async () => {
    await kubectl(['apply', '--server-side', '-k', join(root, 'manifests/gateway')]);
    await kubectl(['delete', 'deployment', 'gpumix-gateway', '-n', 'gpumix-system']);
    await apply({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'llama', namespace },
      spec: { selector: { 'model.aibrix.ai/name': model }, ports: [{ port: 80, targetPort: 8000 }] },
    });
    const token = (await kubectl(['create', 'token', 'gpumix-gateway', '-n', 'gpumix-system'])).trim();
    const kubeconfig = join(fleet.folder, 'gateway-kubeconfig');
    kubeconfigWithToken(inject('cluster').kubeconfig, token, kubeconfig);
    const watching = await startGateway(fleet.now.redis.url, '', '--kubeconfig', kubeconfig, '--instance', 'watching');
    const seen = async (): Promise<string> => {
      const metrics = await (await fetch(`${watching.admin}/metrics`)).text();
      const pods = [...metrics.matchAll(/gpumix_gateway_ready_pods\{variant="([^"]+)"\} (\d+)/g)];
      return pods
        .map(([, name, count]) => `${name}=${count}`)
        .sort()
        .join(' ');
    };
    const ready = async (): Promise<string> => {
      const counts = await Promise.all(
        names.map(async (name) => [
          name,
          (await field('{.status.readyReplicas}', 'deployment', name, '-n', namespace)) || '0',
        ]),
      );
      return counts
        .map(([name, count]) => `${namespace}/${name}=${count}`)
        .sort()
        .join(' ');
    };
    const loading = openLoop(gateway.url, 12, 12, JSON.stringify({ model, prompt: 'x'.repeat(4000), max_tokens: 100 }));
    await eventually(
      'pods',
      async () => `${(await seen()) === (await ready())} ${/=[1-9]/.test(await seen())}`,
      'true true',
    );
    expect((await fetch(`${watching.admin}/readyz`)).status).toBe(200);
    await loading;
    await watching.stop();
    await kubectl(['delete', '-k', join(root, 'manifests/gateway'), '--ignore-not-found']);
  },
);
