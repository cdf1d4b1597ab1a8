/**
 * Plays every mistake of hack/bad-input-rows.ts to dist/gpumix.js, checks that each is told in one line with the right exit
 * status within two seconds, and writes docs/bad-input.md.
 *
 *   npm run hack -- hack/bad-input.ts
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BadInput, badInputs, writeFiles } from './bad-input-rows.ts';

const root = join(import.meta.dirname, '..');
const longest = 2;

/** What came of one. */
export interface ToldMistake {
  readonly input: BadInput;
  readonly status: number | null;
  readonly message: string;
}

/** The page. */
export const badInputPage = (told: readonly ToldMistake[]): string =>
  [
    '# Mistakes, and the message of each',
    '',
    `\`npm run hack -- hack/bad-input.ts\` writes this page. It plays each of these ${told.length} mistakes to the bundle. Each prints one line on stderr and nothing on`,
    `stdout, within ${longest} s. \`FOLDER\` holds the files that \`hack/bad-input-rows.ts\` describes.`,
    '',
    '| gpumix | exit | says |',
    '|---|---|---|',
    ...told.map(
      ({ input, status, message }) =>
        `| \`${callOf(input)}\` | ${status} | ${message.trimEnd().replaceAll('|', '\\|').replaceAll('<', '&lt;')} |`,
    ),
    '',
  ].join('\n');

const callOf = ({ argv, env = {}, stdout }: BadInput): string =>
  [...Object.entries(env).map(([name, value]) => `${name}=${value}`), ...argv, ...(stdout === undefined ? [] : [`> ${stdout}`])]
    .join(' ')
    .replaceAll('|', '\\|');

/** Arguments with their folder, and messages without it. */
export const inFolder = (argv: readonly string[], folder: string): readonly string[] =>
  argv.map((word) => word.replaceAll('FOLDER', folder));
export const withoutFolder = (message: string, folder: string): string => message.replaceAll(folder, 'FOLDER');

const play = (input: BadInput, folder: string) =>
  new Promise<ToldMistake & { readonly seconds: number; readonly stdout: string }>((resolve) => {
    const began = performance.now();
    const child = spawn(process.execPath, [join(root, 'dist/gpumix.js'), ...inFolder(input.argv, folder)], {
      env: { PATH: process.env['PATH'], HOME: folder, ...input.env },
      cwd: folder,
      stdio: ['ignore', input.stdout === undefined ? 'pipe' : openSync(input.stdout, 'w'), 'pipe'],
      timeout: 20_000,
    });
    let [stdout, stderr] = ['', ''];
    child.stdout?.on('data', (piece) => {
      stdout += piece;
    });
    child.stderr!.on('data', (piece) => {
      stderr += piece;
    });
    child.on('close', (status) =>
      resolve({ input, status, stdout, message: withoutFolder(stderr, folder), seconds: (performance.now() - began) / 1000 }),
    );
  });

const main = async (): Promise<void> => {
  // The page is of this code, not of an older bundle.
  const built = spawnSync(process.execPath, [join(root, 'hack/build.ts'), '--if-stale'], { stdio: 'inherit' });
  if (built.status !== 0) throw new Error('the bundle cannot be built');
  const folder = mkdtempSync(join(tmpdir(), 'bad-input-'));
  writeFiles(folder);
  const told: Awaited<ReturnType<typeof play>>[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < badInputs.length; index = next++) told[index] = await play(badInputs[index]!, folder);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  rmSync(folder, { recursive: true });
  for (const one of told) {
    const wrong = [
      ...(one.status === 2 || one.status === 1 ? [] : [`exit status ${one.status}`]),
      ...(/^[^\n]+\n$/.test(one.message) ? [] : [`${one.message.split('\n').length - 1} lines`]),
      ...(one.stdout === '' ? [] : ['something on stdout']),
      ...(one.seconds < longest ? [] : [`${one.seconds.toFixed(1)} s`]),
    ];
    if (wrong.length === 0) continue;
    console.error(`${callOf(one.input)}: ${wrong.join(', ')}\n${one.message.slice(0, 600)}`);
    process.exitCode = 1;
  }
  if (process.exitCode === 1) console.error('docs/bad-input.md stays as it is');
  else writeFileSync(join(root, 'docs/bad-input.md'), badInputPage(told));
  const slowest = Math.max(...told.map(({ seconds }) => seconds));
  console.log(`${told.length} mistakes, the slowest told in ${slowest.toFixed(2)} s`);
};

if (import.meta.main) await main();
