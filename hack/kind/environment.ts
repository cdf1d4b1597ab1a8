import { spawnSync } from 'node:child_process';

/** Name of the kind cluster, and of its kubeconfig context after `kind-`. */
export const clusterName = 'gpumix';
export const image = 'gpumix:0.1.0';
export const kind = process.env['KIND'] ?? 'kind';
/** Of the cluster's nodes; undefined = the one that kind itself names. */
export const nodeImage = process.env['KIND_NODE_IMAGE'];

/**
 * Why a cluster of this version of Kubernetes does not do for the walk, in one line; null = it does. HPAs honour a tolerance of 0
 * from 1.35 on; they scale to zero by a feature gate that cluster.yaml turns on, and from 1.37 on by themselves.
 */
export const tooOld = (version: string): string | null => {
  const [, major = 0, minor = 0] = /^v(\d+)\.(\d+)/.exec(version)?.map(Number) ?? [];
  return major > 1 || minor >= 35
    ? null
    : `Kubernetes ${version} is too old: HPAs honour a tolerance of 0 from 1.35 on; npm run kind -- down, and set KIND_NODE_IMAGE to a newer node image`;
};

/** What a cluster needs and this machine does not have, in one line; null = nothing is missing. */
export const missing = (): string | null => {
  if (!works('docker', 'version', '--format', '{{.Server.Version}}'))
    return 'Docker cannot be reached: install it, start it, or set DOCKER_HOST';
  if (!works(kind, 'version')) return `${kind} does not run: put kind on PATH (https://kind.sigs.k8s.io), or set KIND`;
  if (!works('kubectl', 'version', '--client')) return 'kubectl is not on PATH';
  if (nodeImage !== undefined && !hasImage(nodeImage) && !works('docker', 'pull', '--quiet', nodeImage))
    return `node image ${nodeImage} (KIND_NODE_IMAGE) is neither here nor can it be pulled`;
  if (nodeImage === undefined && !anyNodeImage())
    return 'no node image of kind is here and its registry cannot be reached: set KIND_NODE_IMAGE';
  return null;
};

/** kind knows the name of its image and tells nobody: any of them here, or a registry that answers. */
const anyNodeImage = (): boolean =>
  spawnSync('docker', ['images', '--quiet', 'kindest/node'], { encoding: 'utf8' }).stdout.trim() !== '' ||
  works('docker', 'manifest', 'inspect', 'kindest/node:v1.35.0');

export const hasImage = (name: string): boolean => works('docker', 'image', 'inspect', name);

const works = (program: string, ...args: readonly string[]): boolean =>
  spawnSync(program, args, { stdio: 'ignore' }).status === 0;
