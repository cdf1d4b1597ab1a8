import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { type Daemon, startDaemon, waitUntil } from '../cluster/processes.ts';
import { freePorts, isFree } from '../free-ports.ts';
import { gpumixBundle } from '../gateway/processes.ts';
import { kustomization } from '../kustomization.ts';

const root = join(import.meta.dirname, '../..');

/** What every part of a peers run needs: a control plane, Redis, and gpumix with the rights of manifests/. */
export interface Stack {
  readonly folder: string;
  readonly controlPlane: ControlPlane;
  readonly redis: { readonly url: string; readonly port: number; stop(): Promise<void>; start(): Promise<void> };
  readonly apply: (...objects: readonly object[]) => Promise<void>;
  /** GET of a path of the API server; rejects unless it answers 200. */
  readonly get: <Answer>(path: string) => Promise<Answer>;
  /** A kubeconfig with a ServiceAccount's token. */
  readonly kubeconfigOf: (namespace: string, serviceAccount: string) => Promise<string>;
  /** Gives each of these models the profiles of Llama 3.1 8B. */
  readonly profilesFor: (...models: readonly string[]) => void;
  /** Starts `gpumix serve`. The one without `name` answers the metrics API; its own `/metrics` is at `port`. */
  readonly serve: (flags: readonly string[], name?: string) => Promise<Serve>;
  /** Keeps a process, to be stopped at the end. */
  readonly keep: <Kept extends { readonly stop: () => Promise<void> }>(one: Kept) => Kept;
  readonly stop: () => Promise<void>;
}

export interface Serve extends Daemon {
  readonly port: number;
}

const apiServices = ['v1beta1.custom', 'v1beta2.custom', 'v1beta1.external'].map((name) => `${name}.metrics.k8s.io`);

/** Starts them; all is gone after `stop`, and also when this process ends in another way. */
export const startStack = async (): Promise<Stack> => {
  const folder = mkdtempSync(join(tmpdir(), 'gpumix-peers-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const kept: { readonly stop: () => Promise<void> }[] = [];
  const keep: Stack['keep'] = (one) => {
    kept.push(one);
    return one;
  };
  const stop = async () => {
    for (const one of kept.splice(0).reverse()) await one.stop().catch(console.error);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const controlPlane = keep(await startControlPlane());
    const redis = await startRedis(folder);
    keep(redis);
    const apply: Stack['apply'] = async (...items) => {
      const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
      await controlPlane.kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], list);
    };
    const profiles = join(folder, 'profiles');
    mkdirSync(profiles);
    const [port = 0] = await freePorts(1);
    await install(controlPlane, apply, port);
    const kubeconfigOf: Stack['kubeconfigOf'] = async (namespace, serviceAccount) => {
      const token = await controlPlane.kubectl(['create', 'token', serviceAccount, '-n', namespace, '--duration=3h']);
      const file = join(folder, `${serviceAccount}.kubeconfig`);
      writeFileSync(file, withToken(controlPlane.kubeconfig, token.trim()));
      return file;
    };
    const kubeconfig = await kubeconfigOf('gpumix-system', 'gpumix');
    const serve: Stack['serve'] = async (flags, name = 'gpumix') => {
      const own = name === 'gpumix' ? port : ((await freePorts(1))[0] ?? 0);
      const daemon = startDaemon(folder, name, process.execPath, [
        ...['--max-semi-space-size=2', gpumixBundle(), 'serve', `--kubeconfig=${kubeconfig}`],
        ...[`--redis-url=${redis.url}`, '--bind-address=127.0.0.1', `--secure-port=${own}`, `--profiles=${profiles}`],
        ...['--service-namespace=gpumix-system', `--service-name=${name}`, `--plan-prefix=${name}:`],
        ...flags,
      ]);
      return keep({ ...daemon, port: own });
    };
    return {
      folder,
      controlPlane,
      redis,
      apply,
      get: (path) => get(controlPlane, path),
      kubeconfigOf,
      profilesFor: (...models) => {
        for (const model of models) symlinkSync(join(root, 'profiles/llama-3.1-8b'), join(profiles, model));
      },
      serve,
      keep,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
};

/** A Redis that can be stopped and started again on the same port, empty. */
const startRedis = async (folder: string): Promise<Stack['redis']> => {
  const [port = 0] = await freePorts(1);
  const program = ['redis-server', 'valkey-server'].find((name) => {
    try {
      return execFileSync(name, ['--version'], { stdio: 'pipe' }).length > 0;
    } catch {
      return false;
    }
  });
  if (program === undefined) throw new Error('hack/peers: neither redis-server nor valkey-server is on PATH');
  let daemon: Daemon | null = null;
  const start = async () => {
    daemon = startDaemon(folder, 'redis', program, ['--port', String(port), '--bind', '127.0.0.1', '--save', '']);
    await waitUntil('Redis', async () => !(await isFree(port)), daemon);
  };
  await start();
  return { url: `redis://127.0.0.1:${port}`, port, start, stop: async () => daemon?.stop() };
};

/** manifests/ as users apply them, with the API server led to a process on this host in place of the Deployment's pods. */
const install = async ({ kubectl }: ControlPlane, apply: Stack['apply'], port: number): Promise<void> => {
  await kubectl(['apply', '--server-side', '--force-conflicts', '-k', kustomization({ components: ['external-metrics'] })]);
  await kubectl(['delete', 'deployment,service', 'gpumix', '-n', 'gpumix-system']);
  await apply({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'gpumix', namespace: 'gpumix-system' },
    spec: { type: 'ExternalName', externalName: 'localhost', ports: [{ port, name: 'https' }] },
  });
  await apply(...rightToLead);
  for (const name of apiServices)
    await kubectl(['patch', 'apiservice', name, '--type=merge', '-p', `{"spec":{"service":{"port":${port}}}}`]);
};

/** A second gpumix beside the first has a Lease of its own. It may write no APIService: nobody asks it. */
const rightToLead = [
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name: 'gpumix-second', namespace: 'gpumix-system' },
    rules: [{ apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get', 'create', 'update'] }],
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'gpumix-second', namespace: 'gpumix-system' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'gpumix-second' },
    subjects: [{ kind: 'ServiceAccount', name: 'gpumix', namespace: 'gpumix-system' }],
  },
];

const withToken = (administrator: string, token: string): string => {
  const document = parse(readFileSync(administrator, 'utf8'));
  for (const { cluster } of document.clusters) {
    cluster['certificate-authority-data'] = readFileSync(cluster['certificate-authority'], 'base64');
    delete cluster['certificate-authority'];
  }
  document.users = document.users.map(({ name }: { name: string }) => ({ name, user: { token } }));
  return JSON.stringify(document);
};

const get = <Answer>({ server, pki }: ControlPlane, path: string): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const tls = {
      ca: readFileSync(pki.cluster.certificate),
      cert: readFileSync(pki.admin.certificate),
      key: readFileSync(pki.admin.privateKey),
      timeout: 3000,
    };
    const sending = request(`${server}${path}`, tls, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece) => (text += piece));
      response.on('error', reject).on('end', () => {
        if (response.statusCode === 200) resolve(JSON.parse(text) as Answer);
        else reject(new Error(`${path}: ${response.statusCode} ${text.slice(0, 300)}`));
      });
    });
    sending.on('timeout', () => sending.destroy(new Error(`${path}: no answer`)));
    sending.on('error', reject).end();
  });

/** A Deployment of one model on one GPU type, as gpumix and AIBrix know it by its labels. */
export const engineDeployment = (
  namespace: string,
  name: string,
  model: string,
  product: string,
  replicas: number,
  podLabels: Readonly<Record<string, string>> = {},
  labels: Readonly<Record<string, string>> = {},
  podAnnotations: Readonly<Record<string, string>> = {},
) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace, labels: { 'model.aibrix.ai/name': model, ...labels } },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name, 'model.aibrix.ai/name': model, ...podLabels }, annotations: podAnnotations },
      spec: {
        nodeSelector: { 'nvidia.com/gpu.product': product },
        tolerations: [{ operator: 'Exists' }],
        containers: [{ name: 'engine', image: 'engine:none', resources: { limits: { 'nvidia.com/gpu': '1' } } }],
      },
    },
  },
});

/** What gpumix wants of each Deployment of a namespace. */
export const targets = async (stack: Stack, namespace: string): Promise<ReadonlyMap<string, number>> => {
  const path = `/apis/custom.metrics.k8s.io/v1beta2/namespaces/${namespace}/deployments.apps/*/gpumix_target_replicas`;
  const { items } = await stack.get<{
    readonly items: readonly { readonly describedObject: { readonly name: string }; readonly value: string }[];
  }>(path);
  return new Map(items.map(({ describedObject, value }) => [describedObject.name, Number(value)]));
};

/** spec.replicas of each Deployment of a namespace. */
export const specReplicas = async (stack: Stack, namespace: string): Promise<ReadonlyMap<string, number>> => {
  const { items } = await stack.get<{
    readonly items: readonly {
      readonly metadata: { readonly name: string };
      readonly spec: { readonly replicas: number };
    }[];
  }>(`/apis/apps/v1/namespaces/${namespace}/deployments`);
  return new Map(items.map(({ metadata, spec }) => [metadata.name, spec.replicas]));
};
