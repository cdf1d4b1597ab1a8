import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { rolldown } from 'rolldown';
import { issueCertificate } from '../../src/api/x509.ts';
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { authority } from '../cluster/pki.ts';
import { exchange, open, type Target } from './exchange.ts';
import { startPeer } from './peer.ts';

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

/** CPU seconds that a process has used: utime + stime of /proc/PID/stat, in ticks of 10 ms. */
const cpuSeconds = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
};
const rssMiB = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

const hpa = [
  'X-Remote-User: system:serviceaccount:kube-system:horizontal-pod-autoscaler',
  'X-Remote-Group: system:serviceaccounts',
  'X-Remote-Group: system:serviceaccounts:kube-system',
  'X-Remote-Group: system:authenticated',
];

const measure = async (
  { pid, target, path }: Subject,
  { connections, deployments, accept }: Load,
  duration: number,
): Promise<Figures> => {
  const head = (index: number) =>
    Buffer.from(
      `GET ${path(index)} HTTP/1.1\r\nHost: 127.0.0.1\r\n${hpa.join('\r\n')}\r\nAccept: ${accept}\r\nAccept-Encoding: gzip\r\nUser-Agent: kube-controller-manager/v1.37.2\r\n\r\n`,
    );
  const requests = Array.from({ length: Math.min(deployments, 5_000) }, (_, index) => head(index));
  const times: number[] = [];
  const started = performance.now();
  const end = started + duration * 1000;
  const cpu = cpuSeconds(pid);
  let next = 0;
  const worker = async () => {
    const socket = await open(target);
    while (performance.now() < end) {
      const before = performance.now();
      const { head: answer } = await exchange(socket, requests[next++ % requests.length]!);
      if (!answer.startsWith('HTTP/1.1 200')) throw new Error(answer);
      times.push(performance.now() - before);
    }
    socket.destroy();
  };
  await Promise.all(Array.from({ length: connections }, worker));
  const elapsed = (performance.now() - started) / 1000;
  const used = cpuSeconds(pid) - cpu;
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

const metricOf = (metric: string) => (index: number) =>
  `/apis/custom.metrics.k8s.io/v1beta2/namespaces/default/deployments.apps/model-${index}/${metric}`;

const startOurs = async (
  controlPlane: ControlPlane,
  options: object,
  target: Omit<Target, 'port'>,
): Promise<Subject & { stop: () => void }> => {
  const output = join(controlPlane.folder, 'bundle');
  const bundle = await rolldown({
    input: join(import.meta.dirname, 'server.ts'),
    platform: 'node',
    treeshake: { moduleSideEffects: (id) => !id.includes('@kubernetes/client-node') },
    onLog: () => {},
  });
  await bundle.write({ dir: output, format: 'esm', minify: 'dce-only' });
  const child = spawn(process.execPath, [join(output, 'server.js'), JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const url = await new Promise<string>((resolve) => createInterface(child.stdout).once('line', resolve));
  return {
    name: 'gpumix',
    pid: child.pid!,
    target: { ...target, port: Number(new URL(url).port) },
    path: metricOf('gpumix_target_replicas'),
    stop: () => child.stdin.end(),
  };
};

const running: { stop: () => Promise<void> }[] = [];
const controlPlane = await startControlPlane();
try {
  const ca = authority('bench serving CA');
  const hour = 3_600_000;
  const validity = { notBefore: new Date(Date.now() - hour), notAfter: new Date(Date.now() + 24 * hour) };
  const serving = issueCertificate(
    { commonName: 'localhost', dnsNames: ['localhost'], usages: ['serverAuth'], ...validity },
    ca,
  );
  const save = (name: string, text: string) => {
    writeFileSync(join(controlPlane.folder, name), text);
    return join(controlPlane.folder, name);
  };
  const [certificate, key] = [save('bench.crt', serving.certificate), save('bench.key', serving.privateKey)];
  const { frontProxyClient } = controlPlane.pki;
  const target = {
    servername: 'localhost',
    ca: ca.certificate,
    cert: readFileSync(frontProxyClient.certificate, 'utf8'),
    key: readFileSync(frontProxyClient.privateKey, 'utf8'),
  };
  const adapter = await startPeer(controlPlane.folder, controlPlane.kubeconfig, certificate, key);
  running.push(adapter);
  for (let index = 0; index < 5_000; index += 1) {
    await adapter.write(`namespaces/default/deployments.apps/model-${index}/target_replicas`, String(index % 50));
  }
  const peer: Subject = {
    name: 'test-adapter',
    pid: adapter.pid,
    target: { ...target, port: adapter.port },
    path: metricOf('target_replicas'),
  };
  const ours = await startOurs(
    controlPlane,
    { certificate, key, deployments: 5_000, kubeconfig: controlPlane.kubeconfig },
    target,
  );
  const loads: Load[] = ['application/json', 'application/vnd.kubernetes.protobuf, */*'].flatMap((accept) =>
    [1, 64].flatMap((connections) => [1, 5_000].map((deployments) => ({ connections, deployments, accept }))),
  );
  console.log(
    '| server | form | connections | Deployments | requests per CPU s | requests/s | p50 (ms) | p99 (ms) | RSS (MiB) | times the peer |',
  );
  console.log('|---|---|---|---|---|---|---|---|---|---|');
  let least = Number.POSITIVE_INFINITY;
  for (const load of loads) {
    const results: Figures[] = [];
    for (const subject of [peer, ours]) {
      await measure(subject, load, 1); // warm-up
      const figures = await measure(subject, load, seconds);
      results.push(figures);
      const times = subject === ours ? figures.perCpuSecond / results[0]!.perCpuSecond : 1;
      if (subject === ours) least = Math.min(least, times);
      const form = load.accept.includes('protobuf') ? 'protobuf' : 'JSON';
      const cells = [
        subject.name,
        form,
        load.connections,
        load.deployments,
        figures.perCpuSecond.toFixed(0),
        figures.perSecond.toFixed(0),
        figures.p50.toFixed(2),
        figures.p99.toFixed(2),
        figures.rssMiB.toFixed(0),
        subject === ours ? times.toFixed(2) : '',
      ];
      console.log(`| ${cells.join(' | ')} |`);
    }
  }
  console.log(`gpumix serves at least ${least.toFixed(2)} times the peer's requests per CPU second`);
  ours.stop();
} finally {
  for (const one of running) await one.stop();
  await controlPlane.stop();
}
