import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { type Cluster, KubeConfig, type User } from '@kubernetes/client-node';
import { GpumixError, messageOf } from '../vocabulary/errors.ts';

/** Where the client library looks for an API server when nothing names one. */
const nowhere = 'http://localhost:8080';

/**
 * The kubeconfig of a file, else of KUBECONFIG or ~/.kube/config, else of the pod's ServiceAccount. What cannot lead to an API
 * server is found now: once requests fail, nobody can tell a mistake from a server that is away.
 * @throws GpumixError BAD_SETTING
 */
export const readKubeconfig = (file: string | null): KubeConfig => {
  const config = new KubeConfig();
  // The client library reads this variable by itself; here it is only what a problem is told of.
  const name = file ?? (process.env['KUBECONFIG'] || null);
  try {
    if (file === null) config.loadFromDefault();
    else config.loadFromFile(file);
  } catch (cause) {
    throw new GpumixError('BAD_SETTING', `kubeconfig ${name ?? '(default)'} cannot be read`, { cause });
  }
  if (name === null && config.getCurrentCluster()?.server === nowhere)
    throw new GpumixError('BAD_SETTING', 'no Kubernetes cluster is named: give --kubeconfig FILE, or set KUBECONFIG');
  const problem = problemOf(config);
  if (problem !== null) throw new GpumixError('BAD_SETTING', `kubeconfig ${name ?? '(default)'}: ${problem}`);
  return config;
};

/** What a kubeconfig says that cannot be, or null. */
const problemOf = (config: KubeConfig): string | null => {
  const current = config.getCurrentContext();
  const context = config.getContextObject(current);
  if (context === null) {
    const names = config.getContexts().map(({ name }) => name);
    return `current-context ${JSON.stringify(current ?? '')} is not one of its contexts (${names.join(', ') || 'it has none'})`;
  }
  const [cluster, user] = [config.getCurrentCluster(), config.getCurrentUser()];
  if (cluster === null) return `context ${current} names cluster ${JSON.stringify(context.cluster)}, which is not there`;
  if (user === null && context.user) return `context ${current} names user ${JSON.stringify(context.user)}, which is not there`;
  if (URL.parse(cluster.server)?.protocol !== 'https:')
    return `cluster ${context.cluster} has server ${JSON.stringify(cluster.server)}, which is no https URL`;
  return credentialsProblem(cluster, user);
};

const credentialsProblem = (cluster: Cluster, user: User | null): string | null => {
  try {
    const ca = pem(cluster.caData, cluster.caFile);
    const [cert, key] = [pem(user?.certData, user?.certFile), pem(user?.keyData, user?.keyFile)];
    createSecureContext({ ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) });
    return null;
  } catch (error) {
    return `its certificates cannot be used: ${messageOf(error)}`;
  }
};

const pem = (data: string | undefined, file: string | undefined): Buffer | undefined =>
  data ? Buffer.from(data, 'base64') : file ? readFileSync(file) : undefined;
