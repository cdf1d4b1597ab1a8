import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { main } from '../../src/cli/gpumix.ts';

const folder = mkdtempSync(join(tmpdir(), 'gpumix-plan-'));
const file = (name: string, content: string): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const snapshot = (stock: number) =>
  JSON.stringify({
    models: [
      {
        name: 'llama-8b',
        demand: [{ inputTokens: 1024, outputTokens: 128, arrivalRate: 3.5 }],
        variants: [{ name: 'serving/llama-8b-l40s', gpu: 'L40S', price: 1.86, throughput: [2.2] }],
      },
    ],
    stock: { L40S: stock },
  });
const good = file('good.json', snapshot(16));

const run = async (...argv: string[]) => {
  let [stdout, stderr] = ['', ''];
  const status = await main(['plan', ...argv], {
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
  });
  return { status, stdout, stderr };
};

test('--json prints exactly one document, the plan', async () => {
  const { status, stdout, stderr } = await run('--snapshot', good, '--json');
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout.trimEnd().split('\n')).toHaveLength(1);
  const document = JSON.parse(stdout);
  expect(document).toMatchObject({ status: 'optimal', cost: 3.72, gap: 0 });
  expect(Object.keys(document)).toEqual(['status', 'cost', 'bound', 'gap', 'servedGap', 'models', 'solve']);
  expect(document.solve.milliseconds).toBeGreaterThan(0);
});

test('the table is for people', async () => {
  const { status, stdout } = await run('--snapshot', good);
  expect(status).toBe(0);
  expect(stdout).toContain('llama-8b  serving/llama-8b-l40s  2');
  expect(stdout).toContain('optimal: $3.72/h');
});

test('floors above the stock are named with it', async () => {
  const document = JSON.parse(snapshot(2));
  document.models[0].variants[0].minReplicas = 3;
  const path = file('floors.json', JSON.stringify(document));
  const { status, stdout } = await run('--snapshot', path);
  expect(status).toBe(1);
  expect(stdout).toContain('the least replicas of serving/llama-8b-l40s take 3 L40S, and there are 2\n');
  expect(JSON.parse((await run('--snapshot', path, '--json')).stdout).floorsBeyondLimits).toHaveLength(1);
});

test('--explain says what stands behind the plan, also as JSON', async () => {
  const { status, stdout } = await run('--snapshot', good, '--explain');
  expect(status).toBe(0);
  expect(stdout).toContain('by router: size $3.72/h, input $3.72/h, load $3.72/h, none $3.72/h');
  expect(stdout).toContain('one GPU type alone: L40S $3.72/h');
  const document = JSON.parse((await run('--snapshot', good, '--explain', '--json')).stdout);
  expect(document.explanation.singleType).toEqual([{ gpu: 'L40S', cost: 3.72 }]);
});

test('what cannot be served is exit status 1, with the reason', async () => {
  const { status, stdout, stderr } = await run('--snapshot', file('short.json', snapshot(1)));
  expect([status, stderr]).toEqual([1, '']);
  expect(stdout).toContain('1.3 req/s of 1024 + 128 tokens is not served (stock)');
});

test.each([
  { what: 'no snapshot', argv: [], says: '--snapshot FILE is missing' },
  { what: 'an unknown option', argv: ['--snap', good], says: 'there is no flag --snap; did you mean --snapshot?' },
  { what: 'an argument too many', argv: ['--snapshot', good, 'more'], says: 'unexpected argument "more"' },
  { what: 'no such file', argv: ['--snapshot', join(folder, 'absent.json')], says: 'absent.json: cannot be read' },
  { what: 'no JSON', argv: ['--snapshot', file('text.json', 'hello\nworld')], says: 'text.json: not a JSON document' },
  {
    what: 'a broken field',
    argv: ['--snapshot', file('broken.json', snapshot(16).replace('2.2', '-2'))],
    says: 'broken.json: models[0].variants[0].throughput[0]: must be a number of at least 0, not -2',
  },
])('$what is exit status 2 and one line', async ({ argv, says }) => {
  const { status, stdout, stderr } = await run(...argv);
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toContain(says);
  expect(stderr).toMatch(/^gpumix plan: [^\n]+\n$/);
});
