import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePorts, isFree } from '../free-ports.ts';
import { makePki, type PairFiles, type Pki } from './pki.ts';
import { type Daemon, startDaemon, waitUntil } from './processes.ts';

/**
 * A real Kubernetes control plane on loopback: etcd, kube-apiserver with its aggregator, the controllers (the HPA's
 * among them), the scheduler, and kwok, which makes the pods on fake nodes Ready. No container ever runs.
 */
export interface ControlPlane {
  /** File that names the administrator. */
  readonly kubeconfig: string;
  readonly server: string;
  /** Where its keys, data and logs are, until it is stopped. */
  readonly folder: string;
  readonly pki: Pki;
  readonly kubectl: (args: readonly string[], input?: string) => Promise<string>;
  /** Stops kube-apiserver, runs `between` while it is away, and starts it again on the same port and data. */
  readonly restartApiServer: (between?: () => Promise<void>) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/**
 * Builds the binaries when they are not in the cache, and starts everything; about six seconds once they are built.
 * @param apiServer flags of kube-apiserver beside its usual ones
 */
export const startControlPlane = async (apiServer: readonly string[] = []): Promise<ControlPlane> => {
  const binaries = await builtBinaries();
  const folder = mkdtempSync(join(tmpdir(), 'gpumix-cluster-'));
  const daemons = new Map<string, Daemon>();
  const start = (name: string, args: readonly string[]): Daemon => {
    const daemon = startDaemon(folder, name, join(binaries, name), args);
    daemons.set(name, daemon);
    return daemon;
  };
  const stop = async () => {
    const lastFirst = [...daemons.values()].reverse();
    for (const daemon of lastFirst) await daemon.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    return { ...(await started(folder, binaries, start, daemons, apiServer)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
};

type Start = (name: string, args: readonly string[]) => Daemon;

const started = async (
  folder: string,
  binaries: string,
  start: Start,
  daemons: Map<string, Daemon>,
  apiServer: readonly string[],
): Promise<Omit<ControlPlane, 'stop'>> => {
  const [etcdPort = 0, peerPort = 0, apiPort = 0] = await freePorts(3);
  const pki = makePki(folder);
  const server = `https://127.0.0.1:${apiPort}`;
  const kubeconfig = writeKubeconfig(folder, 'admin', server, pki, pki.admin);
  start('etcd', etcdFlags(folder, etcdPort, peerPort));
  const startApiServer = async () => {
    const daemon = start('kube-apiserver', [...apiServerFlags(pki, etcdPort, apiPort), ...apiServer]);
    await waitUntil('kube-apiserver', () => answers(`${server}/readyz`, pki), daemon);
  };
  await startApiServer();
  const kubectl = kubectlOf(binaries, kubeconfig);
  start('kube-controller-manager', controllerManagerFlags(folder, server, pki));
  start('kube-scheduler', schedulerFlags(folder, server, pki));
  start('kwok', kwokFlags(kubeconfig));
  await waitUntil('the namespace default and its ServiceAccount', async () =>
    (await kubectl(['get', 'serviceaccount', 'default', '-n', 'default', '-o', 'name'])).includes('default'),
  );
  const restartApiServer = async (between = async () => {}) => {
    await daemons.get('kube-apiserver')?.stop();
    // It was killed; its socket goes a moment later.
    await waitUntil('port of kube-apiserver', () => isFree(apiPort));
    await between();
    await startApiServer();
  };
  return { kubeconfig, server, folder, pki, kubectl, restartApiServer };
};

const etcdFlags = (folder: string, port: number, peerPort: number) => [
  `--data-dir=${join(folder, 'etcd')}`,
  `--listen-client-urls=http://127.0.0.1:${port}`,
  `--advertise-client-urls=http://127.0.0.1:${port}`,
  `--listen-peer-urls=http://127.0.0.1:${peerPort}`,
  `--initial-advertise-peer-urls=http://127.0.0.1:${peerPort}`,
  `--initial-cluster=default=http://127.0.0.1:${peerPort}`,
  '--unsafe-no-fsync', // the data live as long as the processes
];

const apiServerFlags = (pki: Pki, etcdPort: number, port: number) => [
  `--etcd-servers=http://127.0.0.1:${etcdPort}`,
  `--secure-port=${port}`,
  '--bind-address=127.0.0.1',
  '--service-cluster-ip-range=10.0.0.0/24',
  `--tls-cert-file=${pki.apiServer.certificate}`,
  `--tls-private-key-file=${pki.apiServer.privateKey}`,
  `--client-ca-file=${pki.cluster.certificate}`,
  '--service-account-issuer=https://kubernetes.default.svc',
  `--service-account-key-file=${pki.serviceAccountKey}`,
  `--service-account-signing-key-file=${pki.serviceAccountKey}`,
  '--authorization-mode=RBAC',
  `--requestheader-client-ca-file=${pki.frontProxy.certificate}`,
  '--requestheader-allowed-names=front-proxy-client',
  '--requestheader-extra-headers-prefix=X-Remote-Extra-',
  '--requestheader-group-headers=X-Remote-Group',
  '--requestheader-username-headers=X-Remote-User',
  `--proxy-client-cert-file=${pki.frontProxyClient.certificate}`,
  `--proxy-client-key-file=${pki.frontProxyClient.privateKey}`,
  '--shutdown-delay-duration=0s',
];

const controllerManagerFlags = (folder: string, server: string, pki: Pki) => {
  const kubeconfig = writeKubeconfig(folder, 'controller-manager', server, pki, pki.controllerManager);
  return [
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    '--use-service-account-credentials',
    `--service-account-private-key-file=${pki.serviceAccountKey}`,
    `--root-ca-file=${pki.cluster.certificate}`,
    '--leader-elect=false',
    '--secure-port=0',
    '--horizontal-pod-autoscaler-sync-period=2s', // 15 s by default
    // 50 s by default. kwok's heartbeat comes after 20 to 45 s, and each change of the Node puts it off: a Node that a test
    // cordons and labels would be lost, and its pods not Ready again.
    '--node-monitor-grace-period=1h',
  ];
};

const schedulerFlags = (folder: string, server: string, pki: Pki) => {
  const kubeconfig = writeKubeconfig(folder, 'scheduler', server, pki, pki.scheduler);
  return [`--kubeconfig=${kubeconfig}`, '--leader-elect=false', '--secure-port=0'];
};

const kwokFlags = (kubeconfig: string) => [
  `--kubeconfig=${kubeconfig}`,
  `--config=${join(import.meta.dirname, 'stages.yaml')}`,
  '--manage-all-nodes=false',
  '--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake',
  '--enable-crds=', // the Stages come from the file
];

const writeKubeconfig = (folder: string, name: string, server: string, pki: Pki, user: PairFiles): string => {
  const file = join(folder, `${name}.kubeconfig`);
  const content = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'gpumix-test',
    clusters: [{ name: 'gpumix-test', cluster: { server, 'certificate-authority': pki.cluster.certificate } }],
    contexts: [{ name: 'gpumix-test', context: { cluster: 'gpumix-test', user: name } }],
    users: [{ name, user: { 'client-certificate': user.certificate, 'client-key': user.privateKey } }],
  };
  writeFileSync(file, JSON.stringify(content, null, 2), { mode: 0o600 }); // JSON is YAML
  return file;
};

const answers = (url: string, pki: Pki): Promise<boolean> =>
  new Promise((resolve, reject) => {
    const tls = {
      ca: readFileSync(pki.cluster.certificate),
      cert: readFileSync(pki.admin.certificate),
      key: readFileSync(pki.admin.privateKey),
      agent: false as const,
    };
    request(url, tls, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    })
      .on('error', reject)
      .end();
  });

const kubectlOf =
  (binaries: string, kubeconfig: string) =>
  async (args: readonly string[], input?: string): Promise<string> => {
    const running = promisify(execFile)(join(binaries, 'kubectl'), ['--kubeconfig', kubeconfig, ...args], {
      maxBuffer: 64 * 1024 * 1024,
      env: { ...process.env, HOME: tmpdir() },
    });
    if (input !== undefined) running.child.stdin?.end(input);
    return (await running).stdout;
  };

/** The folder with the binaries; the build's progress goes to our standard error. */
export const builtBinaries = (): Promise<string> =>
  new Promise((resolve, reject) => {
    const build = spawn(join(import.meta.dirname, 'binaries/build.sh'), { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    build.stdout.on('data', (chunk) => {
      output += chunk;
    });
    build.once('error', reject);
    build.once('close', (code) =>
      code === 0 ? resolve(output.trim().split('\n').at(-1) ?? '') : reject(new Error('hack/cluster: the build failed')),
    );
  });

/** A Node that kwok keeps Ready, with `gpus` GPUs of `product` (a value of the label nvidia.com/gpu.product). */
export const gpuNode = (name: string, product: string, gpus: number) => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {
    name,
    annotations: { 'kwok.x-k8s.io/node': 'fake' },
    labels: { 'nvidia.com/gpu.product': product, 'kubernetes.io/hostname': name, type: 'kwok' },
  },
  status: {
    allocatable: { cpu: '256', memory: '2Ti', pods: '1000', 'nvidia.com/gpu': String(gpus) },
    capacity: { cpu: '256', memory: '2Ti', pods: '1000', 'nvidia.com/gpu': String(gpus) },
  },
});
