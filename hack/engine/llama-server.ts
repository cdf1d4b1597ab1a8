import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { startDaemon, waitUntil } from '../cluster/processes.ts';

export interface LlamaServer {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * llama.cpp's server with one thread and eight slots of 2,048 tokens, ready to answer; it ends with this process at the latest.
 * It keeps no old prompts in memory: none comes twice, and of random ones it would keep 8 GB.
 * @throws where it does not come up, with what it said last
 */
export const startLlama = async (binary: string, model: string, port: number): Promise<LlamaServer> => {
  const url = `http://127.0.0.1:${port}`;
  const folder = mkdtempSync(join(tmpdir(), 'gpumix-llama-'));
  const program = [`LD_LIBRARY_PATH=${dirname(resolve(binary))}`, resolve(binary), '-m', resolve(model)];
  const listen = ['--host', '127.0.0.1', '--port', String(port)];
  const size = ['-c', '16384', '-np', '8', '-t', '1', '--cache-ram', '0'];
  const flags = [...size, '--no-webui', '--alias', basename(model, '.gguf')];
  const server = startDaemon(folder, 'llama-server', 'env', [...program, ...listen, ...flags]);
  const stop = async (): Promise<void> => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await waitUntil(`${url}/health`, async () => (await fetch(`${url}/health`)).ok, server);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, stop };
};
