import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRedis } from '../../test/helpers/redis.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import { freePorts } from '../free-ports.ts';
import { benchProgress } from './bench-progress.ts';

/**
 * How long `gpumix doctor` from dist/ takes of 200 Deployments with an HPA each, on a real kube-apiserver with a real Redis; and
 * where it has no kubeconfig, a broken one, no rights, or no Redis: its exit status, how many lines it prints, and the first of
 * them.
 *
 *   npm run bench -- doctor [--json]
 */
const deploymentCount = 200;
const namespace = 'bench';
const progress = benchProgress('doctor');
const folder = mkdtempSync(join(tmpdir(), 'gpumix-bench-doctor-'));

const fleet = Array.from({ length: deploymentCount }, (_, index) => {
  const name = `model-${Math.floor(index / 2)}-${index % 2 === 0 ? 'l40s' : 'h100'}`;
  const metadata = { name, namespace, labels: { app: name, 'model.aibrix.ai/name': `model-${Math.floor(index / 2)}` } };
  const target = { apiVersion: 'apps/v1', kind: 'Deployment', name };
  const metric = { name: 'gpumix_target_replicas' };
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: {
        replicas: 0,
        selector: { matchLabels: { app: name } },
        template: {
          metadata: { labels: metadata.labels },
          spec: { containers: [{ name: 'engine', image: 'engine:none' }] },
        },
      },
    },
    {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name, namespace },
      spec: {
        scaleTargetRef: target,
        minReplicas: 1,
        maxReplicas: 9,
        metrics: [
          { type: 'Object', object: { metric, describedObject: target, target: { type: 'AverageValue', averageValue: '1' } } },
        ],
      },
    },
  ];
}).flat();

const asked = (label: string, flags: readonly string[], environment: Readonly<Record<string, string>> = {}) => {
  progress.tell(rows.length / 5);
  const began = performance.now();
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(import.meta.dirname, '../../dist/gpumix.js'), 'doctor', ...flags],
    { encoding: 'utf8', env: { PATH: process.env['PATH'], HOME: folder, ...environment } },
  );
  const lines = `${stdout}${stderr}`.split('\n').filter((line) => line !== '');
  const seconds = Number(((performance.now() - began) / 1000).toPrecision(2));
  return { label, seconds, status, lines: lines.length, first: lines[0] ?? '' };
};

const rows: ReturnType<typeof asked>[] = [];
const controlPlane = await startControlPlane();
const redis = await startRedis();
try {
  await controlPlane.kubectl(['create', 'namespace', namespace]);
  for (let from = 0; from < fleet.length; from += 50) {
    const items = fleet.slice(from, from + 50);
    await controlPlane.kubectl(['create', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  }
  await controlPlane.kubectl(['create', 'serviceaccount', 'nobody', '-n', namespace]);
  const token = (await controlPlane.kubectl(['create', 'token', 'nobody', '-n', namespace])).trim();
  const kubeconfigs = {
    nobody: join(folder, 'nobody.kubeconfig'),
    broken: join(folder, 'broken.kubeconfig'),
  };
  const config = JSON.parse(readFileSync(controlPlane.kubeconfig, 'utf8'));
  writeFileSync(
    kubeconfigs.nobody,
    JSON.stringify({ ...config, users: config.users.map(({ name }: { name: string }) => ({ name, user: { token } })) }),
    { mode: 0o600 },
  );
  writeFileSync(kubeconfigs.broken, 'apiVersion: v1\nclusters: [', { mode: 0o600 });
  const [nowhere] = (await freePorts(1)) as [number];
  const kubeconfig = `--kubeconfig=${controlPlane.kubeconfig}`;
  const store = `--redis-url=${redis.url}`;
  rows.push(asked(`${deploymentCount} Deployments`, [kubeconfig, store]));
  rows.push(asked('no kubeconfig', [store]));
  rows.push(asked('a broken kubeconfig', [`--kubeconfig=${kubeconfigs.broken}`, store]));
  rows.push(asked('no rights', [`--kubeconfig=${kubeconfigs.nobody}`, store]));
  rows.push(asked('no Redis', [kubeconfig, `--redis-url=redis://127.0.0.1:${nowhere}`]));
  progress.end();
  const text = ({ label, seconds, status, lines, first }: (typeof rows)[number]): string =>
    `${label}: ${seconds} s, exit ${status}, ${lines} lines; ${first}`;
  process.stdout.write(process.argv.includes('--json') ? `${JSON.stringify(rows)}\n` : `${rows.map(text).join('\n')}\n`);
} finally {
  await redis.kill();
  await controlPlane.stop();
  rmSync(folder, { recursive: true, force: true });
}
