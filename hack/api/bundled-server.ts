import { spawn } from 'node:child_process';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { rolldown } from 'rolldown';

/** CPU seconds that a process has used: utime + stime of /proc/PID/stat, in ticks of 10 ms. */
export const cpuSeconds = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
};
export const rssMiB = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

/** server.ts bundled as the product is, in a process of its own. */
export const startBundled = async (folder: string, options: object) => {
  const output = join(folder, 'bundle');
  const bundle = await rolldown({
    input: join(import.meta.dirname, 'server.ts'),
    platform: 'node',
    treeshake: { moduleSideEffects: (id) => !id.includes('@kubernetes/client-node') },
    onLog: () => {},
  });
  await bundle.write({ dir: output, format: 'esm', minify: 'dce-only' });
  cpSync(join(import.meta.dirname, '../../src/api/openapi'), join(output, 'openapi'), { recursive: true });
  const flags = ['--max-semi-space-size=2']; // and one arena: as in the Dockerfile
  const child = spawn(process.execPath, [...flags, join(output, 'server.js'), JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, MALLOC_ARENA_MAX: '1' },
  });
  const url = await new Promise<string>((resolve) => createInterface(child.stdout).once('line', resolve));
  const pid = child.pid ?? 0;
  return {
    pid,
    port: Number(new URL(url).port),
    cpuSeconds: () => cpuSeconds(pid),
    rssMiB: () => rssMiB(pid),
    stop: () => child.stdin.end(),
  };
};
