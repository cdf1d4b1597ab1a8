import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
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

const strict = ['apply', '--server-side', '--validate=strict', '--field-manager=e2e'];

beforeAll(async () => {
  await kubectl(['apply', '--server-side', '-f', crds]);
  await kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s']);
});

afterAll(async () => {
  await kubectl(['delete', '-k', join(root, 'manifests/overlays/upstream'), '--ignore-not-found']);
  for (const folder of ['custom', 'external'])
    await kubectl(['delete', '-k', join(root, 'manifests/samples/aibrix', folder), '--ignore-not-found']);
  await kubectl(['delete', '-f', crds, '--ignore-not-found', '--wait=false']);
});

test('every folder of manifests/ and apiservice/ is known', () => {
  expect(folders).toEqual([
    'apiservice',
    'apiservice/external',
    'manifests',
    'manifests/base',
    'manifests/gateway',
    'manifests/overlays/cert-manager',
    'manifests/overlays/external-metrics',
    'manifests/overlays/external-redis',
    'manifests/overlays/gateway',
    'manifests/overlays/network-policy',
    'manifests/overlays/openshift',
    'manifests/overlays/upstream',
    'manifests/samples/aibrix/custom',
    'manifests/samples/aibrix/engines',
    'manifests/samples/aibrix/external',
    'manifests/samples/aibrix/hpa',
    'manifests/samples/hpa',
    'manifests/samples/ingress',
    'manifests/samples/kind',
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

test.each(folders)('%s: valid for the API server, strictly', async (folder) => {
  const objects = parseAllDocuments(await kubectl(['kustomize', join(root, folder)])).length;
  const out = await kubectl([...strict, '--dry-run=server', '-k', join(root, folder)]);
  expect(out.trim().split('\n')).toHaveLength(objects);
});

/** The objects of a folder, as kubectl renders them. */
// biome-ignore lint/suspicious/noExplicitAny: objects of many kinds
const rendered = async (folder: string): Promise<any[]> =>
  parseAllDocuments(await kubectl(['kustomize', join(root, folder)])).map((document) => document.toJS());
const podTemplate = async (folder: string) =>
  (await rendered(folder)).find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'gpumix').spec.template;

describe('overlays', () => {
  const overlays = folders.filter((folder) => folder.startsWith('manifests/overlays/'));
  const containerOf = async (folder: string) => (await podTemplate(folder)).spec.containers[0];
  const createPod = (spec: object) =>
    kubectl(['create', '--dry-run=server', '-f', '-'], {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'gpumix-e2e', namespace: 'gpumix-system' },
      spec,
    });

  test.each(overlays)('%s: says who needs it, and its pods pass the restricted pod security standard', async (folder) => {
    expect(readFileSync(join(root, folder, 'kustomization.yaml'), 'utf8')).toMatch(/^# For /);
    const { spec } = await podTemplate(folder);
    expect(await createPod(spec)).toContain('created');
    const container = { ...spec.containers[0], securityContext: {} };
    await expect(createPod({ ...spec, containers: [container] })).rejects.toThrow(/violates PodSecurity "restricted/);
  });

  test.each(overlays)('%s: each file that a flag names is in a volume', async (folder) => {
    const { args, volumeMounts = [] } = await containerOf(folder);
    const files = args.flatMap((flag: string) => /^--[a-z-]+-file=(.*)\/[^/]+$/.exec(flag)?.[1] ?? []);
    expect(new Set(files)).toEqual(new Set(volumeMounts.map(({ mountPath }: { mountPath: string }) => mountPath)));
  });

  /** The files of a pod's volumes are not here: one that is stands for each. */
  const onThisHost = (flags: readonly string[]): string[] =>
    flags.map((flag) => flag.replace(/^(--[a-z-]+-file=).*/, `$1${import.meta.filename}`));

  test.each(overlays)('%s: gpumix takes its flags', async (folder) => {
    const [command, ...flags] = (await containerOf(folder)).args;
    expect(command).toBe('serve');
    expect(() => readConfig(onThisHost(flags), {})).not.toThrow();
  });

  test('openshift: the cluster chooses user and group', async () => {
    expect((await podTemplate('manifests/overlays/openshift')).spec.securityContext).toEqual({
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    });
  });

  test('external-redis: TLS, and no password in the manifests', async () => {
    const { args, env } = await containerOf('manifests/overlays/external-redis');
    const config = readConfig(onThisHost(args.slice(1)), {});
    expect(config.redisUrl).toMatch(/^rediss:\/\/[^@]+$/);
    expect(env.map(({ name }: { name: string }) => name).sort()).toEqual(['REDIS_PASSWORD', 'REDIS_USERNAME']);
    for (const { valueFrom } of env) expect(valueFrom.secretKeyRef.name).toBe('gpumix-redis');
  });

  test('cert-manager: its Certificate is what the pods mount and the APIServices trust; gpumix has no right to either', async () => {
    const objects = await rendered('manifests/overlays/cert-manager');
    const named = (kind: string, name: string) => objects.find((object) => object.kind === kind && object.metadata.name === name);
    const { spec } = named('Certificate', 'gpumix');
    const [volume] = (await podTemplate('manifests/overlays/cert-manager')).spec.volumes;
    expect(volume.secret.secretName).toBe(spec.secretName);
    expect(spec.dnsNames).toContain('gpumix.gpumix-system.svc');
    const authority = named('Certificate', 'gpumix-ca');
    expect(named('Issuer', spec.issuerRef.name).spec.ca.secretName).toBe(authority.spec.secretName);
    expect(named('Issuer', authority.spec.issuerRef.name).spec).toEqual({ selfSigned: {} });
    const apiServices = objects.filter(({ kind }) => kind === 'APIService');
    expect(apiServices).toHaveLength(2);
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
    await kubectl([...strict, '--force-conflicts', '-k', join(root, 'manifests/overlays/upstream')]);
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
