import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { engineFleet } from '../../hack/gateway/engine-fleet.ts';
import { openLoop } from '../../hack/gateway/load.ts';
import { type Started, startGateway, startInstantEngine } from '../../hack/gateway/processes.ts';
import type { RoutingPlan } from '../../src/vocabulary/routing-plan.ts';
import { apply, eventually, field, kubectl, ownCluster } from './cluster.ts';
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
  const served = [...metrics.matchAll(/variant="([^"]+)",input_from="[^"]*",chosen_by="plan"/g)].map(([, name]) => name);
  for (const name of shared) expect(served).toContain(name);
});

test('routing is by input size while the gateway is heard', () => {
  const { snapshot } = savedPlans(fleet.snapshots).at(-1)!;
  expect(JSON.parse(readFileSync(snapshot, 'utf8')).routing).toBe('input');
});

describe.runIf(ownCluster.ours)('a gateway that watches Kubernetes, with the rights of manifests/gateway', () => {
  let watching: Started & { readonly admin: string };

  beforeAll(async () => {
    await kubectl(['apply', '--server-side', '-k', join(root, 'manifests/gateway')]);
    await kubectl(['delete', 'deployment', 'gpumix-gateway', '-n', 'gpumix-system']);
    const token = (await kubectl(['create', 'token', 'gpumix-gateway', '-n', 'gpumix-system'])).trim();
    const kubeconfig = join(fleet.folder, 'gateway-kubeconfig');
    kubeconfigWithToken(ownCluster.kubeconfig, token, kubeconfig);
    watching = await startGateway(fleet.now.redis.url, '', '--kubeconfig', kubeconfig, '--instance', 'watching');
  });
  afterAll(async () => {
    await watching?.stop();
    await kubectl(['delete', '-k', join(root, 'manifests/gateway'), '--ignore-not-found']);
  });

  test('finds pods by EndpointSlices', async () => {
    await apply({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'llama', namespace },
      spec: { selector: { 'model.aibrix.ai/name': model }, ports: [{ port: 80, targetPort: 8000 }] },
    });
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
        names.map(async (name) => [name, (await field('{.status.readyReplicas}', 'deployment', name, '-n', namespace)) || '0']),
      );
      return counts
        .map(([name, count]) => `${namespace}/${name}=${count}`)
        .sort()
        .join(' ');
    };
    const loading = openLoop(gateway.url, 12, 12, JSON.stringify({ model, prompt: 'x'.repeat(4000), max_tokens: 100 }));
    await eventually('pods', async () => `${(await seen()) === (await ready())} ${/=[1-9]/.test(await seen())}`, 'true true');
    expect((await fetch(`${watching.admin}/readyz`)).status).toBe(200);
    await loading;
  });

  test('says of a model without a Service what is missing, and goes to its pods by their port label', async () => {
    const askBare = async (): Promise<string> => {
      const body = JSON.stringify({ model: 'bare', prompt: 'hello', max_tokens: 10 });
      const answer = await fetch(`${watching.url}/v1/completions`, { method: 'POST', body });
      return `${answer.status} ${await answer.text()}`;
    };
    const missing = /Deployment e2e-gateway\/bare of model bare has 1 Ready pod that requests cannot be sent to: no Service/;
    await apply(bareDeployment({}));
    await eventually('refusal', askBare, new RegExp(`^503 .*${missing.source}`));
    await eventually('log', async () => watching.said(), missing);
    const engine = await startInstantEngine(4, 1);
    try {
      await apply(bareDeployment({ 'model.aibrix.ai/port': new URL(engine.url).port }));
      await eventually('pod of the new template', setAddressOfBare, 'done');
      await eventually('served', askBare, /^200 /);
      await eventually('log', async () => watching.said(), /Ready pod that requests[^\n]*"msg":"problem gone"/);
    } finally {
      await engine.stop();
    }
  });
});

/** A model of one Deployment that no Service selects. @param labels of its pods */
const bareDeployment = (labels: Readonly<Record<string, string>>) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'bare', namespace, labels: { 'model.aibrix.ai/name': 'bare' } },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: 'bare' } },
    template: {
      metadata: { labels: { app: 'bare', ...labels } },
      spec: { tolerations: [{ operator: 'Exists' }], containers: [{ name: 'engine', image: 'engine:none' }] },
    },
  },
});

/** Gives the pod that has the port label this host's address, where the engine that stands for it is. */
const setAddressOfBare = async (): Promise<string> => {
  const selector = 'app=bare,model.aibrix.ai/port';
  const pod = await field('{.items[?(@.status.phase=="Running")].metadata.name}', 'pods', '-l', selector, '-n', namespace);
  if (pod === '') return 'no pod yet';
  const status = { podIP: '127.0.0.1', podIPs: [{ ip: '127.0.0.1' }] };
  await kubectl(['patch', 'pod', pod, '-n', namespace, '--subresource=status', '--type=merge', '-p', JSON.stringify({ status })]);
  return 'done';
};
