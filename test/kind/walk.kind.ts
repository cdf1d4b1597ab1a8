import { X509Certificate } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { builtHelm } from '../../hack/cluster/helm/helm.ts';
import { clusterName, image, kind } from '../../hack/kind/environment.ts';
import { kustomization } from '../../hack/kustomization.ts';
import { version } from '../../src/runtime/version.ts';
import { eventually, field, inNode, keepArtefacts, kubectl, readingMeanwhile, readmeBlocks, shell } from './cluster.ts';

/**
 * The README's walk on kind, block by block: our image in pods, from our manifests, as a user installs it; and what must hold
 * on the way. Each step stands on the one before.
 */
const [up = '', install = '', traffic = '', look = '', uninstall = '', down = '', ...more] = readmeBlocks('Ten minutes on kind');
const targets = '/apis/custom.metrics.k8s.io/v1beta2/namespaces/serving/deployments.apps/*/gpumix_target_replicas';
const apiServices = ['v1beta1.custom.metrics.k8s.io', 'v1beta2.custom.metrics.k8s.io'];
const pods = ['-n', 'gpumix-system', '-l', 'app.kubernetes.io/name=gpumix'];

const planned = async (): Promise<Readonly<Record<string, number>>> => {
  const { items } = JSON.parse(await kubectl(['get', '--raw', targets])) as {
    items: readonly { describedObject: { name: string }; value: string }[];
  };
  return Object.fromEntries(items.map(({ describedObject, value }) => [describedObject.name, Number(value)]));
};
const replicas = async (path: string): Promise<Readonly<Record<string, number>>> => {
  const models = '.items[?(@.metadata.labels.model\\.aibrix\\.ai/name)]';
  const line = `{range ${models}}{.metadata.name}={.${path}} {end}`;
  const pairs = (await field(line, 'deployments', '-n', 'serving')).trim().split(' ');
  return Object.fromEntries(pairs.map((pair) => [pair.split('=')[0], Number(pair.split('=')[1] || 0)]));
};
const ready = () => replicas('status.readyReplicas');
const total = (replicas: Readonly<Record<string, number>>): number =>
  Object.values(replicas).reduce((sum, count) => sum + count, 0);
const asText = (replicas: Readonly<Record<string, number>>): string =>
  Object.entries(replicas)
    .sort()
    .map(([name, count]) => `${name}=${count}`)
    .join(' ');
const holder = () => field('{.spec.holderIdentity}', 'lease', 'gpumix', '-n', 'gpumix-system');
const podNames = async () => (await field('{.items[*].metadata.name}', 'pods', ...pods)).split(' ');
/** The same image under another tag stands for the next version. */
const nextTag = '0.1.1';
const withTag = (newTag: string): string =>
  kustomization({ resources: ['manifests/samples/kind'], images: [{ name: 'gpumix', newTag }] });
const imageOf = () => field('{.spec.template.spec.containers[0].image}', 'deployment', 'gpumix', '-n', 'gpumix-system');
/** Both replicas Ready and none left that is ending. */
const bothReady = () =>
  eventually(
    'two Ready pods',
    () => field('{range .items[*]}{.status.conditions[?(@.type=="Ready")].status} {end}', 'pods', ...pods),
    (text) => text.trim() === 'True True',
    60,
  );

beforeAll(async () => {
  expect(more).toEqual([]);
  expect(down).not.toBe('');
  await shell(down); // what an earlier run may have left
});
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') console.log(`artefacts: ${await keepArtefacts()}`);
});
afterAll(async () => {
  if (process.env['KEEP_CLUSTER'] === undefined) await shell(down);
});

test('up: a cluster, its version named, the image built and loaded', async () => {
  const [version] = /kind: Kubernetes v\S+/.exec(await shell(up)) ?? [];
  expect(version).toBeDefined();
  console.log(version);
});

test('the image: runs read-only as anybody, knows its version and commands', async () => {
  const run = (flag: string) => shell(`docker run --rm --read-only --user 4711 --cap-drop ALL ${image} ${flag}`);
  expect((await run('--version')).trim()).toBe(version);
  expect(await run('--help')).toContain('usage: gpumix COMMAND');
  const size = Number(await shell(`docker image inspect --format '{{.Size}}' ${image}`));
  console.log(`image: ${(size / 1e6).toFixed(0)} MB`);
});

test('up again: nothing breaks', async () => {
  await shell(up);
  await shell(`docker tag ${image} gpumix:${nextTag} && ${kind} load docker-image --name ${clusterName} gpumix:${nextTag}`);
});

test('install: the metrics API is available within 60 s', async () => {
  const began = Date.now();
  await shell(install);
  expect(await field('{.status.conditions[?(@.type=="Available")].status}', 'apiservice', apiServices[1]!)).toBe('True');
  console.log(`installed in ${((Date.now() - began) / 1000).toFixed(0)} s`);
  await bothReady();
});

test('install again: nothing breaks', async () => {
  await shell(install);
});

test('the serving certificate is gpumix’s own, and checked', async () => {
  for (const name of apiServices) {
    const { spec } = JSON.parse(await kubectl(['get', 'apiservice', name, '-o', 'json']));
    expect(spec.insecureSkipTLSVerify ?? false).toBe(false);
    const authority = new X509Certificate(Buffer.from(spec.caBundle, 'base64'));
    const secret = await field('{.data.tls\\.crt}', 'secret', 'gpumix-serving-certificate', '-n', 'gpumix-system');
    const serving = new X509Certificate(Buffer.from(secret, 'base64'));
    expect(serving.verify(authority.publicKey)).toBe(true);
    expect(serving.checkHost('gpumix.gpumix-system.svc')).toBe('gpumix.gpumix-system.svc');
  }
});

test('anonymous callers and foreign ServiceAccounts get 403', async () => {
  for (const who of [['--as=system:anonymous'], ['--as=system:serviceaccount:serving:default']])
    await expect(kubectl(['get', '--raw', targets, ...who])).rejects.toThrow(/Forbidden/);
  // Past kube-apiserver: the Service itself, from a pod, with that pod's own token and without one.
  const script = `
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    const token = require('fs').readFileSync('/var/run/secrets/kubernetes.io/serviceaccount/token', 'utf8');
    const ask = (headers) => fetch('https://gpumix.gpumix-system.svc${targets}', { headers }).then(({ status }) => status);
    ask({}).then(async (none) => console.log('statuses', none, await ask({ authorization: 'Bearer ' + token })));`;
  const [engine = ''] = (await field('{.items[*].metadata.name}', 'pods', '-n', 'serving', '-l', 'app=llama-l40s')).split(' ');
  const said = await kubectl(['exec', '-n', 'serving', engine, '--', 'node', '-e', script]);
  expect(said).toContain('statuses 403 403');
});

test('traffic: the HPAs move real pods to the plan', async () => {
  await shell(traffic);
  await eventually('a plan above what ran', planned, (plan) => total(plan) > 2, 60);
  const seen = await eventually(
    'Ready pods as planned',
    async () => ({ plan: asText(await planned()), ready: asText(await ready()) }),
    ({ plan, ready: now }) => plan === now && !/l40s=1$/.test(plan),
    60,
  );
  console.log(`planned and Ready: ${seen.plan}`);
  const said = await shell(look);
  expect(said).toContain('MetricValueList');
  expect(said).toContain('"msg":"target"');
});

test('applied again under traffic, both ways: no conflict, and no replica is lost', async () => {
  for (const apply of ['kubectl apply --server-side', 'kubectl apply']) {
    const before = total(await replicas('spec.replicas'));
    await shell(`${apply} -k manifests/samples/kind`);
    expect(total(await replicas('spec.replicas')), apply).toBeGreaterThanOrEqual(before - 1);
    expect(before, 'replicas that could be lost').toBeGreaterThan(3);
  }
});

test('kubectl gpumix finds the pod; explain and doctor take the flags of its serve', async () => {
  const gpumix = (command: string) => shell(`PATH="$PWD/plugin:$PATH" kubectl gpumix ${command}`);
  expect(await gpumix('show-plan')).toMatch(
    /^DEPLOYMENT +TARGET +REPLICAS\nserving\/llama-h100 +\d+ +\d+\nserving\/llama-l40s +\d+ +\d+\n$/,
  );
  await expect(gpumix('-n elsewhere doctor')).rejects.toThrow('no Ready pod of gpumix in the namespace elsewhere');
  expect(await gpumix('explain serving/llama-l40s')).toMatch(/^serving\/llama-l40s: \d+ replicas?, published \d+ s ago/);
  const found = await gpumix('doctor --verbose || true');
  for (const name of apiServices) expect(found).toContain(`ok     APIService ${name} is Available`);
  expect(found).toMatch(/^ok {5}HPA serving\/llama-l40s scales llama-l40s$/m);
});

test('idle: the label and zero, and back with traffic', async () => {
  await eventually(
    'idle',
    async () => asText(await ready()),
    (text) => text === 'llama-h100=0 llama-l40s=1',
    150,
  );
  await kubectl(['replace', '--force', '-k', 'manifests/samples/traffic']);
  await eventually(
    'back',
    async () => total(await ready()),
    (count) => count > 2,
    90,
  );
});

test('the gateway in pods: a request through it reaches an engine, streamed, and is counted', async () => {
  const rendered = await kubectl(['kustomize', 'manifests/gateway']);
  const objects = parseAllDocuments(rendered.replace(/redis:\/\/[^\s"]+/, 'redis://redis.serving.svc.cluster.local:6379'));
  await kubectl(['apply', '--server-side', '-f', '-'], {
    apiVersion: 'v1',
    kind: 'List',
    items: objects.map((document) => document.toJS()),
  });
  const selector = { 'model.aibrix.ai/name': 'llama-3.1-8b' };
  const metadata = { name: 'llama', namespace: 'serving' };
  const spec = { selector, ports: [{ port: 8000 }] };
  await kubectl(['apply', '-f', '-'], { apiVersion: 'v1', kind: 'Service', metadata, spec });
  const gateway = ['deployment/gpumix-gateway', '-n', 'gpumix-system'];
  await kubectl(['rollout', 'status', ...gateway, '--timeout=60s']);
  const call = `fetch('http://gpumix-gateway.gpumix-system/v1/completions', { method: 'POST', body: JSON.stringify({
    model: 'llama-3.1-8b', prompt: 'x'.repeat(4000), max_tokens: 4, stream: true }) }).then(async (answer) => {
      let text = '', reads = 0;
      for await (const chunk of answer.body) { text += Buffer.from(chunk); reads += 1; }
      console.log(answer.status, reads, text);
    })`;
  const answer = await eventually(
    'an answer',
    () => kubectl(['exec', ...gateway, '--', 'node', '-e', call]),
    (text) => text.startsWith('200 '),
    30,
  );
  expect(answer.match(/" word"/g)).toHaveLength(4);
  expect(answer).toMatch(/data: \[DONE\]\s*$/);
  expect(Number(answer.split(' ')[1]), 'token by token').toBeGreaterThan(3);
  const redis = ['exec', 'deployment/redis', '-n', 'serving', '--', 'redis-cli'];
  const records = async (): Promise<string> => {
    const keys = (await kubectl([...redis, '--raw', 'keys', 'aibrix:llama-3.1-8b_request_trace_*'])).trim().split('\n');
    return await kubectl([...redis, '--raw', 'mget', ...keys]);
  };
  await eventually('the record of it', records, (text) => /"100:20":1/.test(text) && /meta_by_gpumix-gateway-/.test(text), 40);
  await kubectl(['delete', '-k', 'manifests/gateway']);
  await kubectl(['delete', 'service', 'llama', '-n', 'serving']);
});

test('50 reads a second: the leader deleted, a drain, an upgrade and back: 0 failed', async () => {
  const step = async (what: string, work: () => Promise<unknown>) => {
    const { count, failures } = await readingMeanwhile(targets, 50, async () => {
      await work();
      await bothReady();
    });
    console.log(`${what}: ${count} reads, ${failures.length} failed`);
    expect(failures.slice(0, 5)).toEqual([]);
  };
  await step('kubectl delete pod of the leader', async () => {
    const leader = (await holder()).split('_')[0]!;
    expect(await podNames()).toContain(leader);
    await kubectl(['delete', 'pod', '-n', 'gpumix-system', leader]);
    await eventually('another leader', holder, (now) => now !== '' && !now.startsWith(leader), 30);
  });
  await step('kubectl drain', async () => {
    // The one node: its second eviction waits for ever, as the disruption budget has it.
    const drain = kubectl([
      ...['drain', `${clusterName}-control-plane`, '--pod-selector=app.kubernetes.io/name=gpumix'],
      ...['--ignore-daemonsets', '--delete-emptydir-data', '--timeout=8s'],
    ]);
    await expect(drain).rejects.toThrow(/disruption budget|timed out|timeout/i);
    await kubectl(['uncordon', `${clusterName}-control-plane`]);
  });
  const rolledOut = () => kubectl(['rollout', 'status', 'deployment/gpumix', '-n', 'gpumix-system', '--timeout=90s']);
  await step('an upgrade by kustomize', async () => {
    await kubectl(['apply', '--server-side', '-k', withTag(nextTag)]);
    await rolledOut();
    expect(await imageOf()).toBe(`gpumix:${nextTag}`);
  });
  await step('and back', async () => {
    await kubectl(['apply', '--server-side', '-k', 'manifests/samples/kind']);
    await rolledOut();
    expect(await imageOf()).toBe(image);
  });
});

test('kill -9 of a replica: failures for at most 2 s', async () => {
  const { count, failures } = await readingMeanwhile(targets, 50, async () => {
    const [container = ''] = inNode('crictl', 'ps', '--quiet', '--name', '^gpumix$').split('\n');
    const process = inNode('crictl', 'inspect', '--output=go-template', '--template={{.info.pid}}', container).trim();
    inNode('kill', '-9', process);
    await sleep(1000);
    await bothReady();
  });
  const [first, last] = [failures[0]?.at ?? 0, failures.at(-1)?.at ?? 0];
  console.log(`${count} reads, ${failures.length} failed within ${last - first} ms: ${failures[0]?.what ?? ''}`);
  expect(last - first).toBeLessThanOrEqual(2000);
});

test('the node restarts: nothing has fallen, and with traffic the HPAs follow again', async () => {
  const before = await replicas('spec.replicas');
  await shell(`docker restart ${clusterName}-control-plane`);
  await eventually(
    'the metrics API',
    () => kubectl(['get', '--raw', targets]),
    () => true,
    120,
  );
  await bothReady();
  // Redis came back empty and the gateway not at all: nobody knows anything, so nothing falls. What the HPAs had not
  // followed yet may still rise.
  const now = await replicas('spec.replicas');
  for (const [name, count] of Object.entries(before)) expect(now[name], name).toBeGreaterThanOrEqual(count);
  await eventually(
    'Ready pods',
    async () => ({ asked: asText(await replicas('spec.replicas')), pods: asText(await ready()) }),
    ({ asked, pods }) => asked === pods,
    90,
  );
  await kubectl(['replace', '--force', '-k', 'manifests/samples/traffic']);
  const active = '{range .items[*]}{.status.conditions[?(@.type=="ScalingActive")].status} {end}';
  await eventually(
    'the HPAs read again',
    () => field(active, 'hpa', '-n', 'serving'),
    (text) => text.trim() === 'True True',
    60,
  );
});

/** What is in the cluster of us, and whether namespaces still delete. */
const expectNothingLeft = async (): Promise<void> => {
  const left = await kubectl([
    ...['get', 'clusterroles,clusterrolebindings,apiservices,rolebindings,roles,leases,secrets,namespaces', '-A'],
    ...['-o', 'name'],
  ]);
  const ours = left.split('\n').filter((name) => /gpumix|custom\.metrics|serving$/.test(name));
  expect(ours.filter((name) => !name.endsWith(`${clusterName}-control-plane`))).toEqual([]); // the node's own Lease
  const policies = await kubectl(['get', 'validatingadmissionpolicies,validatingadmissionpolicybindings', '-o', 'name']);
  expect(policies).not.toContain('gpumix');
  await kubectl(['create', 'namespace', 'after']);
  await kubectl(['delete', 'namespace', 'after', '--timeout=30s']);
};

test('uninstall: nothing is left, and namespaces still delete', async () => {
  await shell(uninstall);
  await expectNothingLeft();
});

test('Helm, 50 reads a second: upgrade and rollback: 0 failed; a second installation is refused; uninstall leaves nothing', async () => {
  const helm = builtHelm();
  const release = 'gpumix charts/gpumix -n gpumix-system';
  await shell(`${helm} install ${release} --create-namespace --wait --timeout 90s`);
  await kubectl(['wait', '--for=condition=Available', `apiservice/${apiServices[1]}`, '--timeout=60s']);
  const { count, failures } = await readingMeanwhile(targets, 50, async () => {
    await shell(`${helm} upgrade ${release} --set image.tag=${nextTag} --wait --timeout 90s`);
    expect(await imageOf()).toBe(`gpumix:${nextTag}`);
    const second = shell(`${helm} install second charts/gpumix -n second --create-namespace`);
    await expect(second).rejects.toThrow(/leads to gpumix-system\/gpumix: a second installation says apiService\.enabled=false/);
    const plain = kustomization({ namespace: 'second', transformers: ['manifests/names'] });
    await expect(kubectl(['apply', '--server-side', '--force-conflicts', '-k', plain])).rejects.toThrow(
      /leads to the gpumix of gpumix-system\/gpumix/,
    );
    await shell(`${helm} rollback gpumix -n gpumix-system --wait --timeout 90s`);
    expect(await imageOf()).toBe(image);
    await bothReady();
  });
  console.log(`helm upgrade, two second installations, helm rollback: ${count} reads, ${failures.length} failed`);
  expect(failures.slice(0, 5)).toEqual([]);
  await shell(`${helm} uninstall gpumix -n gpumix-system --wait`);
  const rest = kustomization({ resources: ['manifests/base'], namespace: 'second', transformers: ['manifests/names'] });
  await kubectl(['delete', '-k', rest, '--ignore-not-found', '--timeout=60s']);
  await kubectl(['delete', 'clusterrole,clusterrolebinding', '-l', 'app.kubernetes.io/name=gpumix']);
  await kubectl(['delete', 'namespace', 'gpumix-system', '--timeout=60s']);
  await expectNothingLeft();
});
