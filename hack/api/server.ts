import { readFileSync } from 'node:fs';
import { startServer } from '../../src/api/start.ts';
import type { KubernetesRequest } from '../../src/cluster/kubernetes-connection.ts';
import { kubernetes } from '../../src/cluster/kubernetes-connection.ts';
import type { Target } from '../../src/vocabulary/target.ts';

/**
 * The API server alone in a process, to be measured or fuzzed: a board of made-up Deployments, a certificate from files,
 * access decided by a real cluster, or by a stand-in that allows everything.
 *   node hack/api/server.ts '{"certificate": FILE, "key": FILE, "deployments": 1000, "kubeconfig": FILE | "frontProxyCA": FILE}'
 * Prints its URL and, on any input line, its memory (MiB) and CPU time (s).
 */
interface Options {
  readonly certificate: string;
  readonly key: string;
  readonly deployments: number;
  readonly kubeconfig?: string;
  readonly frontProxyCA?: string;
}
const options = JSON.parse(process.argv[2] ?? '{}') as Options;

const targets = new Map<string, Target>();
for (let index = 0; index < options.deployments; index += 1) {
  const decision = { replicas: index % 50, asOf: Math.floor(Date.now() / 1000) };
  const deployment = `model-${index}`;
  const labels = { 'model.aibrix.ai/name': deployment, app: deployment };
  targets.set(deployment, { namespace: 'default', deployment, labels, decision, standing: decision });
}
const all = [...targets.values()];
const inDefault = <Value>(namespace: string, value: Value, otherwise: Value): Value =>
  namespace === 'default' ? value : otherwise;
const board = {
  target: (namespace: string, deployment: string) => inDefault(namespace, targets.get(deployment), undefined),
  targets: (namespace: string) => inDefault(namespace, all, []),
  pod: () => undefined,
  pods: () => [],
};

/** kube-apiserver as far as delegated access needs it: everybody may everything. */
const allowing: KubernetesRequest = async (_method, path) => {
  if (path.includes('/configmaps/')) {
    const data = {
      'requestheader-client-ca-file': readFileSync(options.frontProxyCA ?? '', 'utf8'),
      'requestheader-username-headers': '["X-Remote-User"]',
      'requestheader-group-headers': '["X-Remote-Group"]',
      'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
    };
    return { status: 200, body: { data } };
  }
  return { status: 201, body: { status: { allowed: true, authenticated: false } } };
};

const pair = { certificate: readFileSync(options.certificate, 'utf8'), privateKey: readFileSync(options.key, 'utf8') };
const complain = (fields: object, message: string) => console.error(message, fields);
const server = await startServer({
  board,
  kubernetes: options.kubeconfig === undefined ? allowing : kubernetes(options.kubeconfig).request,
  certificate: { current: () => pair, problem: () => undefined, onChange: () => {}, stop: () => {} },
  version: '0.0.0',
  log: { info: () => {}, warn: complain, error: complain },
  host: '127.0.0.1',
  port: 0,
  readyChecks: [],
  external: true,
});
console.log(server.url);

process.stdin.on('data', () => {
  global.gc?.();
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  console.log(JSON.stringify({ rssMiB: rss / 2 ** 20, heapMiB: heapUsed / 2 ** 20, cpuSeconds: (user + system) / 1e6 }));
});
process.stdin.on('end', () => process.exit(0));
