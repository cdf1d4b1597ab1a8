import { execFileSync } from 'node:child_process';
import { request } from 'node:http';
import { join } from 'node:path';
import { type Daemon, startDaemon, waitUntil } from '../cluster/processes.ts';
import { freePorts } from '../free-ports.ts';

/** The Go test-adapter, running. */
export interface Peer {
  readonly port: number;
  readonly pid: number;
  /** Gives an object a value: `namespaces/NS/RESOURCE/NAME/METRIC` or `RESOURCE/NAME/METRIC`. */
  readonly write: (path: string, value: string) => Promise<number>;
  readonly stop: () => Promise<void>;
}

/** Builds it when it is not in the cache, and starts it with these serving certificate files; logs in `folder`. */
export const startPeer = async (folder: string, kubeconfig: string, certificate: string, key: string): Promise<Peer> => {
  const build = join(import.meta.dirname, 'peer/build.sh');
  const binary = execFileSync(build, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim();
  const [port = 0] = await freePorts(1);
  const daemon: Daemon = startDaemon(folder, 'test-adapter', binary, [
    `--secure-port=${port}`,
    '--bind-address=127.0.0.1',
    `--lister-kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    `--tls-cert-file=${certificate}`,
    `--tls-private-key-file=${key}`,
  ]);
  const write: Peer['write'] = (path, value) =>
    new Promise((resolve, reject) => {
      const options = { method: 'POST', headers: { 'content-type': 'application/json' } };
      request(`http://127.0.0.1:8080/write-metrics/${path}`, options, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      })
        .on('error', reject)
        .end(JSON.stringify(value));
    });
  await waitUntil('test-adapter', async () => (await write('nodes/warm-up/nothing', '0')) === 200, daemon);
  const pid = Number(execFileSync('pgrep', ['-f', `^${binary} --secure-port=${port}`], { encoding: 'utf8' }).trim());
  return { port, pid, write, stop: daemon.stop };
};
