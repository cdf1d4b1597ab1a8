import { spawn } from 'node:child_process';
import { basename, dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface LlamaServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** llama.cpp's server with one thread and eight slots of 2,048 tokens, ready to answer. @throws where it does not come up */
export const startLlama = async (binary: string, model: string, port: number): Promise<LlamaServer> => {
  const url = `http://127.0.0.1:${port}`;
  const flags = ['-c', '16384', '-np', '8', '-t', '1', '--no-webui', '--alias', basename(model, '.gguf')];
  const server = spawn(binary, ['-m', model, '--host', '127.0.0.1', '--port', String(port), ...flags], {
    env: { ...process.env, LD_LIBRARY_PATH: dirname(binary) },
    stdio: 'ignore',
  });
  const ended = new Promise<void>((resolve) => void server.once('exit', () => resolve()));
  const stop = async (): Promise<void> => {
    server.kill();
    await ended;
  };
  for (let tries = 0; tries < 120; tries += 1) {
    const healthy = await fetch(`${url}/health`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (healthy) return { url, stop };
    if (server.exitCode !== null) throw new Error(`${binary} ended with ${server.exitCode}`);
    await sleep(500);
  }
  await stop();
  throw new Error(`${binary} is not healthy after a minute`);
};
