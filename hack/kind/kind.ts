import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { clusterName, hasImage, image, kind, missing, nodeImage, tooOld } from './environment.ts';

/** A kind cluster with the image of gpumix in it. */
const help = `usage: npm run kind -- up|down

up    creates the kind cluster ${clusterName} if it is not there, builds the image ${image} and loads it.
      The current context of kubectl is kind-${clusterName} then.
down  deletes the cluster

KIND             the kind command; kind by default
KIND_NODE_IMAGE  the node image, such as kindest/node:v1.37.0; that of kind by default. It needs Kubernetes 1.35 or newer
`;
const root = join(import.meta.dirname, '../..');
const run = (program: string, ...args: readonly string[]): void => {
  const { status } = spawnSync(program, args, { stdio: 'inherit', cwd: root });
  if (status === 0) return;
  process.stderr.write(`kind: ${program} ${args.join(' ')} ended with status ${status}\n`);
  process.exit(1);
};

const up = (): void => {
  const clusters = execFileSync(kind, ['get', 'clusters'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  if (!clusters.split('\n').includes(clusterName)) {
    const config = join(import.meta.dirname, 'cluster.yaml');
    const node = nodeImage === undefined ? [] : ['--image', nodeImage];
    run(kind, 'create', 'cluster', '--name', clusterName, '--config', config, '--wait', '120s', ...node);
  } else run(kind, 'export', 'kubeconfig', '--name', clusterName);
  // kind waits for the control plane only.
  run('kubectl', 'wait', '--for=create', 'serviceaccount/default', '--timeout=60s');
  run('kubectl', 'wait', '--for=condition=Ready', 'node', '--all', '--timeout=60s');
  const { serverVersion } = JSON.parse(execFileSync('kubectl', ['version', '-o', 'json'], { encoding: 'utf8' })) as {
    serverVersion: { gitVersion: string };
  };
  console.log(`kind: Kubernetes ${serverVersion.gitVersion}`);
  const old = tooOld(serverVersion.gitVersion);
  if (old !== null) {
    process.stderr.write(`kind: ${old}\n`);
    process.exit(1);
  }
  run('docker', 'build', '--tag', image, '.');
  // What is here already need not be pulled by the node.
  const others = ['node:24-bookworm-slim', 'redis:7-bookworm'].filter(hasImage);
  run(kind, 'load', 'docker-image', '--name', clusterName, image, ...others);
};

const jobs: Record<string, () => void> = { up, down: () => run(kind, 'delete', 'cluster', '--name', clusterName) };
const argument = process.argv[2] ?? '';
const job = jobs[argument];
if (argument === '--help' || argument === '-h') process.stdout.write(help);
else if (job === undefined) {
  process.stderr.write('kind: up or down? npm run kind -- --help says more\n');
  process.exitCode = 2;
} else {
  const lacking = missing();
  if (lacking === null) job();
  else {
    process.stderr.write(`kind: ${lacking}\n`);
    process.exitCode = 1;
  }
}
