import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { promisify } from 'node:util';
import { KubeConfig } from '@kubernetes/client-node';
import { inject } from 'vitest';
import type { KubernetesRequest } from '../../src/api/kubernetes.ts';

const { kubeconfig, kubectl: program } = inject('cluster');

/** Runs kubectl as the administrator; answers what it printed, throws what it complained of. */
export const kubectl = async (args: readonly string[], input?: string | object): Promise<string> => {
  const running = promisify(execFile)(program, ['--kubeconfig', kubeconfig, ...args], { maxBuffer: 64 << 20 });
  running.child.stdin?.end(typeof input === 'object' ? JSON.stringify(input) : (input ?? ''));
  return (await running).stdout;
};
export const apply = (...objects: readonly object[]) =>
  kubectl(['apply', '-f', '-'], { apiVersion: 'v1', kind: 'List', items: objects });
/** A field of an object, by JSONPath. */
export const field = (path: string, ...args: readonly string[]) => kubectl(['get', ...args, '-o', `jsonpath=${path}`]);

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

const config = new KubeConfig();
config.loadFromFile(kubeconfig);
const cluster = config.getCurrentCluster()!;
const authority = cluster.caData ? Buffer.from(cluster.caData, 'base64') : readFileSync(cluster.caFile!);

/** Calls kube-apiserver with a bearer token, as gpumix does with its ServiceAccount's. */
export const requestWithToken =
  (token: string): KubernetesRequest =>
  (method, path, body, signal) =>
    new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      const options = { method, headers, ca: authority, ...(signal ? { signal } : {}) };
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
