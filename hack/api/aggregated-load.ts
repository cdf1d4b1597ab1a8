import { readFileSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { issueCertificate } from '../../src/api/x509.ts';
import { benchProgress } from '../bench/bench-progress.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import { authority } from '../cluster/pki.ts';
import { waitUntil } from '../cluster/processes.ts';
import { startBundled } from './bundled-server.ts';

/**
 * What 5,000 HPAs ask: 333 reads a second, each of another Deployment, through the real aggregator.
 *   node hack/api/aggregated-load.ts [SECONDS]      prints one line of figures; exit 1 when a read failed
 */
const seconds = Number(process.argv[2] ?? 30);
const [deployments, perSecond] = [5_000, 333];
/** Until then (s) connections are made, programs are compiled and the first reviews asked; told apart in the figures. */
const warmUp = 5;
const serverName = 'gpumix.gpumix-system.svc';
const path = (index: number) =>
  `/apis/custom.metrics.k8s.io/v1beta2/namespaces/default/deployments.apps/model-${index % deployments}/gpumix_target_replicas`;

const controlPlane = await startControlPlane();
try {
  const ca = authority('load serving CA');
  const hour = 3_600_000;
  const validity = { notBefore: new Date(Date.now() - hour), notAfter: new Date(Date.now() + hour) };
  const pair = issueCertificate({ commonName: serverName, dnsNames: [serverName], usages: ['serverAuth'], ...validity }, ca);
  const [certificate, key] = [join(controlPlane.folder, 'load.crt'), join(controlPlane.folder, 'load.key')];
  writeFileSync(certificate, pair.certificate);
  writeFileSync(key, pair.privateKey);
  const server = await startBundled(controlPlane.folder, {
    certificate,
    key,
    deployments,
    kubeconfig: controlPlane.kubeconfig,
  });
  const service = { name: 'gpumix', namespace: 'gpumix-system', port: server.port };
  const objects = [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: service.namespace } },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: service.name, namespace: service.namespace },
      spec: { type: 'ExternalName', externalName: 'localhost', ports: [{ port: server.port }] },
    },
    {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: 'v1beta2.custom.metrics.k8s.io' },
      spec: {
        group: 'custom.metrics.k8s.io',
        version: 'v1beta2',
        service,
        caBundle: Buffer.from(ca.certificate).toString('base64'),
        groupPriorityMinimum: 100,
        versionPriority: 200,
      },
    },
    // the HPA controller's own name and rights, as in a cluster
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'load' },
      roleRef: {
        apiGroup: 'rbac.authorization.k8s.io',
        kind: 'ClusterRole',
        name: 'system:controller:horizontal-pod-autoscaler',
      },
      subjects: [{ kind: 'ServiceAccount', name: 'default', namespace: 'default' }],
    },
  ];
  await controlPlane.kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
  const token = (await controlPlane.kubectl(['create', 'token', 'default'])).trim();
  const agent = new Agent({ keepAlive: true, maxSockets: 32, ca: readFileSync(controlPlane.pki.cluster.certificate) });
  const read = (index: number): Promise<number> =>
    new Promise((resolve) => {
      request(`${controlPlane.server}${path(index)}`, { agent, headers: { authorization: `Bearer ${token}` } }, (response) => {
        response.resume().on('end', () => resolve(response.statusCode ?? 0));
      })
        .on('error', () => resolve(0))
        .end();
    });
  await waitUntil('the aggregator', async () => (await read(0)) === 200);

  /** When sent, after the start (s), and how long it took (ms). */
  const times: { readonly sent: number; readonly took: number }[] = [];
  const codes = new Map<number, number>();
  const pending: Promise<void>[] = [];
  const started = performance.now();
  const total = perSecond * seconds;
  const progress = benchProgress('api-aggregated');
  for (let sent = 0; sent < total; ) {
    progress.tell(sent / total);
    const due = Math.min(total, Math.floor(((performance.now() - started) / 1000) * perSecond));
    for (; sent < due; sent += 1) {
      const before = performance.now();
      const one = read(sent).then((code) => {
        times.push({ sent: (before - started) / 1000, took: performance.now() - before });
        codes.set(code, (codes.get(code) ?? 0) + 1);
      });
      pending.push(one);
    }
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
  await Promise.all(pending);
  progress.end();
  agent.destroy();
  const quantile = (q: number, since: number) => {
    const some = times.flatMap(({ sent, took }) => (sent >= since ? took : [])).sort((a, b) => a - b);
    return (some[Math.floor(q * (some.length - 1))] ?? 0).toFixed(1);
  };
  const failed = total - (codes.get(200) ?? 0);
  const spent = server.cpuSeconds() / seconds;
  console.log(
    `${deployments} Deployments behind the aggregator, ${perSecond} reads/s for ${seconds} s: ${failed} failed, p50 ${quantile(0.5, 0)} ms, p99 ${quantile(0.99, 0)} ms (after ${warmUp} s ${quantile(0.99, warmUp)} ms), gpumix RSS ${server.rssMiB().toFixed(0)} MiB, ${spent.toFixed(2)} of a CPU`,
  );
  process.exitCode = failed === 0 ? 0 : 1;
  server.stop();
} finally {
  await controlPlane.stop();
}
