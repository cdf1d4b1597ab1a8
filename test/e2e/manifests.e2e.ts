import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { components } from '../../hack/chart/sources.ts';
import { kustomization } from '../../hack/kustomization.ts';
import { readGatewayConfig } from '../../src/config/gateway-config.ts';
import { readConfig } from '../../src/config/serve-config.ts';
import { eventually, field, kubectl } from './cluster.ts';

/** Everything that users apply, applied. */
const root = resolve(import.meta.dirname, '../..');
const crds = join(root, 'test/fixtures/crds');
const folders = ['manifests', 'apiservice']
  .flatMap((folder) => readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path)))
  .filter((path) => path.endsWith('kustomization.yaml'))
  .map((path) => path.slice(0, -'/kustomization.yaml'.length))
  .sort();

/** What is for other kustomizations to take is nothing to apply. */
const appliable = folders.filter((folder) => !/components\/|\/keep-one$|\/names$/.test(folder));

/** The objects of a folder, as kubectl renders them. */
// biome-ignore lint/suspicious/noExplicitAny: objects of many kinds
type KubernetesObject = any;
const rendered = async (folder: string): Promise<KubernetesObject[]> =>
  parseAllDocuments(await kubectl(['kustomize', folder])).map((document) => document.toJS());

const strict = ['apply', '--server-side', '--validate=strict', '--field-manager=e2e'];

beforeAll(async () => {
  await kubectl(['apply', '--server-side', '-f', crds]);
  await kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s']);
  // What a dry run makes is not there for the next object.
  await kubectl(['create', 'namespace', 'gpumix-second']);
});

afterAll(async () => {
  await kubectl(['delete', '-k', kustomization({ components: ['upstream'] }), '--ignore-not-found']);
  for (const folder of ['custom', 'external'])
    await kubectl(['delete', '-k', join(root, 'manifests/samples/aibrix', folder), '--ignore-not-found']);
  await kubectl(['delete', '-f', crds, '--ignore-not-found', '--wait=false']);
  await kubectl(['delete', 'namespace', 'gpumix-second', '--wait=false']);
});

test('every folder of manifests/ and apiservice/ is known', () => {
  expect(folders).toEqual([
    'apiservice',
    'apiservice/external',
    'manifests',
    'manifests/base',
    ...components.map((name) => `manifests/components/${name}`).sort(),
    'manifests/gateway',
    'manifests/names',
    'manifests/samples/aibrix/custom',
    'manifests/samples/aibrix/engines',
    'manifests/samples/aibrix/external',
    'manifests/samples/aibrix/hpa',
    'manifests/samples/hpa',
    'manifests/samples/hpa-keep-one',
    'manifests/samples/ingress',
    'manifests/samples/keep-one',
    'manifests/samples/kind',
    'manifests/samples/kind-keep-one',
    'manifests/samples/second',
    'manifests/samples/traffic',
    'manifests/samples/wrapper',
  ]);
});

test('manifests apply for real, and the namespace enforces the restricted pod security standard', async () => {
  await kubectl([...strict, '-k', join(root, 'manifests')]);
  const admitted = () =>
    field('{.status.conditions[?(@.type=="Progressing")].reason}', 'deployment', 'gpumix', '-n', 'gpumix-system');
  // a pod that breaks the standard would be refused: ReplicaSetCreateError, FailedCreate
  await eventually('pod of gpumix admitted', () => field('{.items[*].metadata.name}', 'pods', '-n', 'gpumix-system'), /^gpumix-/);
  expect(await admitted()).not.toMatch(/Error|Failed/);
});

test('the samples apply for real; the cluster keeps the tolerance of 0 and the minimum of 0', async () => {
  for (const folder of ['external', 'custom'])
    await kubectl([...strict, '--force-conflicts', '-k', join(root, 'manifests/samples/aibrix', folder)]);
  await kubectl([...strict, '-k', join(root, 'manifests/samples/hpa')]);
  for (const name of ['llama-8b-h100', 'llama-8b-l40s']) {
    const seen = await field(
      '{.spec.minReplicas} {.spec.behavior.scaleUp.tolerance} {.spec.behavior.scaleDown.tolerance}',
      'hpa',
      name,
      '-n',
      'serving',
    );
    expect(seen).toBe('0 0 0');
  }
});

/** What the API server has taken, as JSON: most objects are the same in many folders. */
const taken = new Set<string>();
/** The objects of a folder, each of which the API server takes. */
const validated = async (folder: string): Promise<readonly KubernetesObject[]> => {
  const objects = await rendered(folder);
  const items = objects.filter((object) => !taken.has(JSON.stringify(object)));
  if (items.length === 0) return objects;
  const list = { apiVersion: 'v1', kind: 'List', items };
  const out = await kubectl([...strict, '--force-conflicts', '--dry-run=server', '-f', '-'], list);
  expect(out.trim().split('\n')).toHaveLength(items.length);
  for (const object of items) taken.add(JSON.stringify(object));
  return objects;
};

test.each(appliable)('%s: valid for the API server, strictly', async (folder) => {
  await validated(join(root, folder));
});

test('a wrapper names the image of everything that runs gpumix; nothing that is shipped has to be edited', async () => {
  const images = async (folder: string): Promise<readonly string[]> =>
    (await rendered(folder)).flatMap(
      ({ spec }) => spec?.template?.spec?.containers?.map(({ image }: { image: string }) => image) ?? [],
    );
  expect(await images(join(root, 'manifests/samples/wrapper'))).toEqual(['registry.example.com/gpumix:0.1.0']);
  const named = [{ name: 'gpumix', newName: 'registry.example.com/gpumix', newTag: '9.9.9' }];
  for (const resources of [['manifests/samples/traffic'], ['manifests', 'manifests/gateway'], ['manifests/samples/kind']]) {
    const ours = (await images(kustomization({ resources, images: named }))).filter((image) => image.includes('gpumix'));
    expect(new Set(ours)).toEqual(new Set(['registry.example.com/gpumix:9.9.9']));
  }
});

test('no sample that an autoscaler scales names its replicas: applying it again would take them', async () => {
  for (const folder of appliable.filter((one) => one.includes('/samples/'))) {
    const objects = await rendered(join(root, folder));
    const scaled = new Set(objects.filter(({ spec }) => spec?.scaleTargetRef).map(({ spec }) => spec.scaleTargetRef.name));
    const engines = objects.filter(({ kind, metadata }) => kind === 'Deployment' && metadata.namespace === 'serving');
    for (const { metadata, spec } of engines)
      expect({ folder, name: metadata.name, replicas: spec.replicas }).toEqual({
        folder,
        name: metadata.name,
        replicas: undefined,
      });
    for (const name of scaled) expect(engines.length === 0 || engines.some(({ metadata }) => metadata.name === name)).toBe(true);
  }
});

/** Each component by itself, and each pair. */
const combinations = components.flatMap((one, index) => [[one], ...components.slice(index + 1).map((other) => [one, other])]);

describe('components', () => {
  const deployed = (objects: readonly KubernetesObject[], name = 'gpumix') =>
    objects.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === name)?.spec.template;
  const podOf = async (...names: readonly string[]) => deployed(await rendered(kustomization({ components: names })));
  const createPod = (spec: object) =>
    kubectl(['create', '--dry-run=server', '-f', '-'], {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'gpumix-e2e', namespace: 'gpumix-system' },
      spec,
    });
  // biome-ignore lint/suspicious/noExplicitAny: a container
  const environmentOf = ({ env }: any): Record<string, string> =>
    Object.fromEntries(
      env.flatMap(({ name, value }: { name: string; value?: string }) => (value === undefined ? [] : [[name, value]])),
    );
  /** The files of a pod's volumes are not here: one that is stands for each. */
  const onThisHost = (environment: Record<string, string>): Record<string, string> =>
    Object.fromEntries(
      Object.entries(environment).map(([name, value]) => [name, /_FILE$|PROFILES$/.test(name) ? import.meta.filename : value]),
    );

  test.each(combinations.map((names) => ({ names, title: names.join(' + ') })))(
    '$title: builds, is valid, and gpumix and the gateway take their settings and have their files',
    async ({ names }) => {
      const objects = await validated(kustomization({ components: names }));
      for (const name of ['gpumix', 'gpumix-gateway']) {
        const template = deployed(objects, name);
        if (template === undefined) continue;
        const [{ args, volumeMounts = [], ...container }] = template.spec.containers;
        const environment = environmentOf(container);
        const read = name === 'gpumix' ? readConfig : readGatewayConfig;
        expect(() => read(args.slice(1), onThisHost(environment))).not.toThrow();
        const files = Object.entries(environment).flatMap(([key, value]) =>
          key.endsWith('_FILE') ? [value.replace(/\/[^/]+$/, '')] : [],
        );
        expect(new Set(files)).toEqual(new Set(volumeMounts.map(({ mountPath }: { mountPath: string }) => mountPath)));
      }
      const seen = objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`);
      expect(seen).toHaveLength(new Set(seen).size);
    },
  );

  test.each(components)('%s: says who needs it, and its pods pass the restricted pod security standard', async (name) => {
    expect(readFileSync(join(root, 'manifests/components', name, 'kustomization.yaml'), 'utf8')).toMatch(/^# For /);
    const { spec } = await podOf(name);
    expect(await createPod(spec)).toContain('created');
    const container = { ...spec.containers[0], securityContext: {} };
    await expect(createPod({ ...spec, containers: [container] })).rejects.toThrow(/violates PodSecurity "restricted/);
  });

  test('openshift: the cluster chooses user and group, also of the gateway', async () => {
    const objects = await rendered(kustomization({ components: ['gateway', 'openshift'] }));
    for (const name of ['gpumix', 'gpumix-gateway'])
      expect(deployed(objects, name).spec.securityContext).toEqual({
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      });
  });

  test('external-redis: TLS for gpumix and the gateway, and no password in the manifests', async () => {
    const objects = await rendered(kustomization({ components: ['gateway', 'external-redis'] }));
    for (const name of ['gpumix', 'gpumix-gateway']) {
      const [{ env }] = deployed(objects, name).spec.containers;
      expect(environmentOf({ env })['REDIS_URL']).toMatch(/^rediss:\/\/[^@]+$/);
      const secret = env.filter(({ valueFrom }: { valueFrom?: object }) => valueFrom !== undefined);
      expect(secret.map(({ name }: { name: string }) => name).sort()).toEqual(['REDIS_PASSWORD', 'REDIS_USERNAME']);
      for (const { valueFrom } of secret) expect(valueFrom.secretKeyRef.name).toBe('gpumix-redis');
    }
  });

  test('network-policy: what pods listen on is let in, and DNS, API server, Redis and engines are let out', async () => {
    const objects = await rendered(kustomization({ components: ['gateway', 'network-policy'] }));
    for (const name of ['gpumix', 'gpumix-gateway']) {
      const { spec } = objects.find(({ kind, metadata }) => kind === 'NetworkPolicy' && metadata.name === name);
      const template = deployed(objects, name);
      expect(template.metadata.labels).toMatchObject(spec.podSelector.matchLabels);
      const ports = (rules: readonly { ports: readonly { port: number | string }[] }[]) =>
        new Set(rules.flatMap((rule) => rule.ports.map(({ port }) => port)));
      expect(ports(spec.ingress)).toEqual(new Set(template.spec.containers[0].ports.map(({ name }: { name: string }) => name)));
      expect(ports(spec.egress)).toEqual(new Set([53, 5353, 443, 6443, 8443, 6379, 8000]));
    }
  });

  test('cert-manager: its Certificate is what the pods mount and the APIServices trust; gpumix has no right to either', async () => {
    const objects = await rendered(kustomization({ components: ['external-metrics', 'cert-manager'] }));
    const named = (kind: string, name: string) => objects.find((object) => object.kind === kind && object.metadata.name === name);
    const { spec } = named('Certificate', 'gpumix');
    const [volume] = deployed(objects).spec.volumes;
    expect(volume.secret.secretName).toBe(spec.secretName);
    expect(spec.dnsNames).toContain('gpumix.gpumix-system.svc');
    const authority = named('Certificate', 'gpumix-ca');
    expect(named('Issuer', spec.issuerRef.name).spec.ca.secretName).toBe(authority.spec.secretName);
    expect(named('Issuer', authority.spec.issuerRef.name).spec).toEqual({ selfSigned: {} });
    const apiServices = objects.filter(({ kind }) => kind === 'APIService');
    expect(apiServices).toHaveLength(3);
    for (const { metadata } of apiServices)
      expect(metadata.annotations).toEqual({ 'cert-manager.io/inject-ca-from': 'gpumix-system/gpumix' });
    expect(named('Secret', 'gpumix-serving-certificate')).toBeUndefined();
    const resources = objects.flatMap(({ rules = [] }) => rules).flatMap((rule) => rule.resources);
    expect(resources).toContain('leases');
    expect(resources).not.toContain('secrets');
    expect(resources).not.toContain('apiservices');
  });

  test('upstream: takes the APIServices over from an adapter whose certificate nobody verified', async () => {
    const name = 'v1beta1.custom.metrics.k8s.io';
    const theirs = {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name },
      spec: {
        group: 'custom.metrics.k8s.io',
        version: 'v1beta1',
        groupPriorityMinimum: 100,
        versionPriority: 100,
        insecureSkipTLSVerify: true,
        service: { name: 'prometheus-adapter', namespace: 'monitoring', port: 443 },
      },
    };
    await kubectl(['delete', 'apiservice', name]);
    await kubectl(['create', '--field-manager=helm', '-f', '-'], theirs);
    await kubectl([...strict, '--force-conflicts', '-k', kustomization({ components: ['upstream'] })]);
    const { spec } = JSON.parse(await kubectl(['get', 'apiservice', name, '-o', 'json']));
    expect(spec.service).toEqual({ name: 'gpumix', namespace: 'gpumix-system', port: 443 });
    expect(spec.insecureSkipTLSVerify ?? false).toBe(false);
  });
});

test('gpumix may do what it must, and nothing that it need not', async () => {
  const may = async (verb: string, resource: string, ...more: string[]) => {
    const as = '--as=system:serviceaccount:gpumix-system:gpumix';
    const out = await kubectl(['auth', 'can-i', verb, resource, as, ...more]).catch(
      (error: { stdout?: string }) => error.stdout ?? '',
    );
    return out.trim();
  };
  const needed = [
    ['watch', 'deployments.apps', '-A'],
    ['watch', 'pods', '-A'],
    ['list', 'horizontalpodautoscalers.autoscaling', '-A'],
    ['list', 'podautoscalers.autoscaling.aibrix.ai', '-A'],
    ['update', 'secrets/gpumix-serving-certificate', '-n', 'gpumix-system'],
    ['update', 'apiservices.apiregistration.k8s.io/v1beta2.custom.metrics.k8s.io'],
    ['create', 'subjectaccessreviews.authorization.k8s.io'],
    ['create', 'tokenreviews.authentication.k8s.io'],
    ['get', 'configmaps/extension-apiserver-authentication', '-n', 'kube-system'],
    ['update', 'leases.coordination.k8s.io/gpumix', '-n', 'gpumix-system'],
    ['create', 'leases.coordination.k8s.io', '-n', 'gpumix-system'],
  ];
  const needless = [
    ['update', 'deployments.apps', '-n', 'serving'],
    ['delete', 'pods', '-n', 'serving'],
    ['get', 'pods', '-n', 'serving'],
    ['patch', 'apiservices.apiregistration.k8s.io/v1beta2.custom.metrics.k8s.io'],
    ['list', 'secrets', '-n', 'gpumix-system'],
    ['create', 'secrets', '-n', 'gpumix-system'],
    ['get', 'secrets/other', '-n', 'gpumix-system'],
    ['update', 'apiservices.apiregistration.k8s.io/v1.apps'],
    ['update', 'leases.coordination.k8s.io/other', '-n', 'gpumix-system'],
    ['create', 'leases.coordination.k8s.io', '-n', 'kube-system'],
  ];
  const answers = (list: string[][]) =>
    Promise.all(list.map(async ([verb = '', what = '', ...more]) => `${verb} ${what}: ${await may(verb, what, ...more)}`));
  expect(await answers(needed)).toEqual(needed.map(([verb, what]) => `${verb} ${what}: yes`));
  expect(await answers(needless)).toEqual(needless.map(([verb, what]) => `${verb} ${what}: no`));
});

test('whoever may view a namespace may read the targets in it, and no others', async () => {
  await kubectl([...strict, '--force-conflicts', '-k', join(root, 'manifests')]);
  await kubectl(['create', 'rolebinding', 'e2e-viewer', '--clusterrole=view', '--user=e2e-viewer', '-n', 'default']);
  const may = async (namespace: string, resource: string, subresource: string): Promise<string> => {
    const resourceAttributes = { group: 'custom.metrics.k8s.io', verb: 'get', namespace, resource, subresource };
    const review = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: { user: 'e2e-viewer', resourceAttributes },
    };
    return await kubectl(['create', '-f', '-', '-o', 'jsonpath={.status.allowed}'], review);
  };
  await eventually('aggregated', () => may('default', 'deployments.apps', 'gpumix_target_replicas'), 'true');
  expect(await may('default', 'pods', 'gpumix_target_centi')).toBe('true');
  expect(await may('default', 'pods', 'of_others')).toBe('false');
  expect(await may('kube-system', 'deployments.apps', 'gpumix_target_replicas')).toBe('false');
  await kubectl(['delete', 'rolebinding', 'e2e-viewer', '-n', 'default']);
});
