import { benchProgress } from '../bench/bench-progress.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import { cpuSeconds, rssMiB, startBundled } from './bundled-server.ts';
import { exchange, open, type Target } from './exchange.ts';
import { startPeer } from './peer.ts';
import { servingTarget } from './serving-target.ts';

/**
 * Our API server and the Go test-adapter in turns, by one load generator, with the same certificates and identity, both
 * asking the same kube-apiserver who may: requests per second of the server's own CPU time, latency, memory.
 *   node hack/api/bench.ts [SECONDS PER RUN]
 */
const seconds = Number(process.argv[2] ?? 5);

interface Subject {
  readonly name: string;
  readonly pid: number;
  readonly target: Target;
  readonly path: (index: number) => string;
}
interface Load {
  readonly connections: number;
  readonly deployments: number;
  readonly accept: string;
}
interface Figures {
  readonly perCpuSecond: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly rssMiB: number;
}

const hpa = [
  'X-Remote-User: system:serviceaccount:kube-system:horizontal-pod-autoscaler',
  'X-Remote-Group: system:serviceaccounts',
  'X-Remote-Group: system:serviceaccounts:kube-system',
  'X-Remote-Group: system:authenticated',
];

/** One subject under one load: opens its connections once, then measures in windows. */
const measurement = async ({ pid, target, path }: Subject, { connections, deployments, accept }: Load) => {
  const head = (index: number) =>
    Buffer.from(
      `GET ${path(index)} HTTP/1.1\r\nHost: 127.0.0.1\r\n${hpa.join('\r\n')}\r\nAccept: ${accept}\r\nAccept-Encoding: gzip\r\nUser-Agent: kube-controller-manager/v1.37.2\r\n\r\n`,
    );
  const requests = Array.from({ length: deployments }, (_, index) => head(index));
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(target)));
  let times: number[] = [];
  let [elapsed, used, next] = [0, 0, 0];
  const window = async (milliseconds: number): Promise<void> => {
    const [started, cpu] = [performance.now(), cpuSeconds(pid)];
    const worker = async (socket: (typeof sockets)[number]) => {
      while (performance.now() < started + milliseconds) {
        const before = performance.now();
        const { head: answer } = await exchange(socket, requests[next++ % requests.length]!);
        if (!answer.startsWith('HTTP/1.1 200')) throw new Error(answer);
        times.push(performance.now() - before);
      }
    };
    await Promise.all(sockets.map(worker));
    elapsed += (performance.now() - started) / 1000;
    used += cpuSeconds(pid) - cpu;
  };
  const figures = (): Figures => {
    for (const socket of sockets) socket.destroy();
    times.sort((a, b) => a - b);
    const quantile = (q: number) => times[Math.floor(q * (times.length - 1))] ?? 0;
    return {
      perCpuSecond: times.length / used,
      perSecond: times.length / elapsed,
      p50: quantile(0.5),
      p99: quantile(0.99),
      rssMiB: rssMiB(pid),
    };
  };
  const forget = () => {
    times = [];
    [elapsed, used] = [0, 0];
  };
  return { window, figures, forget };
};

const metricOf = (metric: string) => (index: number) =>
  `/apis/custom.metrics.k8s.io/v1beta2/namespaces/default/deployments.apps/model-${index}/${metric}`;

const running: { stop: () => Promise<void> }[] = [];
const controlPlane = await startControlPlane();
try {
  const { certificate, key, target } = servingTarget(controlPlane);
  const adapter = await startPeer(controlPlane.folder, controlPlane.kubeconfig, certificate, key);
  running.push(adapter);
  const peerEmpty = rssMiB(adapter.pid);
  for (let index = 0; index < 5_000; index += 1) {
    await adapter.write(`namespaces/default/deployments.apps/model-${index}/target_replicas`, String(index % 50));
  }
  const peerGrowth = rssMiB(adapter.pid) - peerEmpty;
  const peer: Subject = {
    name: 'test-adapter',
    pid: adapter.pid,
    target: { ...target, port: adapter.port },
    path: metricOf('target_replicas'),
  };
  const common = { certificate, key, kubeconfig: controlPlane.kubeconfig };
  const empty = await startBundled(controlPlane.folder, { ...common, deployments: 1 });
  const server = await startBundled(controlPlane.folder, { ...common, deployments: 5_000 });
  const ourGrowth = server.rssMiB() - empty.rssMiB();
  empty.stop();
  const ours: Subject = {
    name: 'gpumix',
    pid: server.pid,
    target: { ...target, port: server.port },
    path: metricOf('gpumix_target_replicas'),
  };
  const loads: Load[] = ['application/json', 'application/vnd.kubernetes.protobuf, */*'].flatMap((accept) =>
    [1, 64].flatMap((connections) => [1, 5_000].map((deployments) => ({ connections, deployments, accept }))),
  );
  console.log(
    '| server | form | connections | Deployments | requests per CPU s | requests/s | p50 (ms) | p99 (ms) | RSS (MiB) | times the peer |',
  );
  console.log('|---|---|---|---|---|---|---|---|---|---|');
  let least = Number.POSITIVE_INFINITY;
  const progress = benchProgress('api');
  for (const [done, load] of loads.entries()) {
    const subjects = [peer, ours];
    const measured = await Promise.all(subjects.map((subject) => measurement(subject, load)));
    for (const one of measured) {
      await one.window(1_500); // warm-up
      one.forget();
    }
    // in turns, so that what else the machine does falls on both
    for (let turn = 0; turn < seconds * 2; turn += 1) {
      progress.tell((done + turn / (seconds * 2)) / loads.length);
      for (const one of measured) await one.window(500);
    }
    const figures = measured.map((one) => one.figures());
    const times = figures[1]!.perCpuSecond / figures[0]!.perCpuSecond;
    least = Math.min(least, times);
    const form = load.accept.includes('protobuf') ? 'protobuf' : 'JSON';
    for (const [index, { perCpuSecond, perSecond, p50, p99, rssMiB: rss }] of figures.entries()) {
      const cells = [subjects[index]?.name, form, load.connections, load.deployments];
      const numbers = [perCpuSecond.toFixed(0), perSecond.toFixed(0), p50.toFixed(2), p99.toFixed(2), rss.toFixed(0)];
      progress.print(`| ${[...cells, ...numbers, index === 1 ? times.toFixed(2) : ''].join(' | ')} |`);
    }
  }
  const growth = (mebibytes: number) => (mebibytes / 5).toFixed(1);
  console.log(`memory per 1,000 Deployments, before any read: gpumix ${growth(ourGrowth)} MiB, peer ${growth(peerGrowth)} MiB`);
  console.log(`gpumix serves at least ${least.toFixed(2)} times the peer's requests per CPU second`);
  server.stop();
} finally {
  for (const one of running) await one.stop();
  await controlPlane.stop();
}
