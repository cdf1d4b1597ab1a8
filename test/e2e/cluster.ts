import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { promisify } from 'node:util';
import { KubeConfig } from '@kubernetes/client-node';
import { inject } from 'vitest';
import type { KubernetesRequest } from '../../src/cluster/kubernetes-connection.ts';

/** A cluster as its administrator sees it. */
export interface Cluster {
  /** Runs kubectl; answers what it printed, throws what it complained of. */
  readonly kubectl: (args: readonly string[], input?: string | object) => Promise<string>;
  readonly apply: (...objects: readonly object[]) => Promise<string>;
  /** A field of an object, by JSONPath. */
  readonly field: (path: string, ...args: readonly string[]) => Promise<string>;
  /** Calls kube-apiserver with a bearer token, as gpumix does with its ServiceAccount's. */
  readonly requestWithToken: (token: string) => KubernetesRequest;
}

export const clusterAt = (kubeconfig: string, program: string): Cluster => {
  const kubectl: Cluster['kubectl'] = async (args, input) => {
    const running = promisify(execFile)(program, ['--kubeconfig', kubeconfig, ...args], { maxBuffer: 64 << 20 });
    // Who ends before he has read all says why by his status.
    running.child.stdin?.on('error', () => {}).end(typeof input === 'object' ? JSON.stringify(input) : (input ?? ''));
    return (await running).stdout;
  };
  return {
    kubectl,
    apply: (...objects) => kubectl(['apply', '-f', '-'], { apiVersion: 'v1', kind: 'List', items: objects }),
    field: (path, ...args) => kubectl(['get', ...args, '-o', `jsonpath=${path}`]),
    requestWithToken: tokenRequests(kubeconfig),
  };
};

const tokenRequests = (kubeconfig: string): Cluster['requestWithToken'] => {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const cluster = config.getCurrentCluster()!;
  const authority = cluster.caData ? Buffer.from(cluster.caData, 'base64') : readFileSync(cluster.caFile!);
  const agent = new Agent({ keepAlive: true });
  return (token) => (method, path, body, signal) =>
    new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      const options = { method, headers, agent, ca: authority, ...(signal ? { signal } : {}) };
      const sent = request(`${cluster.server}${path}`, options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          const json = response.headers['content-type']?.startsWith('application/json');
          resolve({ status: response.statusCode ?? 0, body: json ? JSON.parse(text) : text });
        });
      });
      sent.on('error', reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
};

const clusters = inject('clusters');
/** The cluster that this worker has to itself; see global-setup.ts. */
export const ownCluster = clusters[(Number(process.env['VITEST_POOL_ID']) - 1) % clusters.length]!;
export const cluster: Cluster = clusterAt(ownCluster.kubeconfig, ownCluster.kubectl);
export const { kubectl, apply, field, requestWithToken } = cluster;

/** Asks until the answer is `wanted`; throws with the last one after `seconds`. */
export const eventually = async (what: string, ask: () => Promise<string>, wanted: string | RegExp, seconds = 60) => {
  const fits = (answer: string) => (typeof wanted === 'string' ? answer === wanted : wanted.test(answer));
  const deadline = Date.now() + seconds * 1000;
  let last = '';
  while (Date.now() < deadline) {
    last = await ask().catch((error: Error) => error.message);
    if (fits(last)) return last;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error(`${what}: wanted ${wanted} within ${seconds} s, last seen: ${last}`);
};
