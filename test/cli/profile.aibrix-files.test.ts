import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { profileCommand } from '../../src/cli/profile.ts';

const fixtures = join(import.meta.dirname, '../fixtures/benchmarks');
const silent = (print: (text: string) => void) => ({ stdout: print, stderr: () => {} });
interface Golden {
  readonly results: string;
  readonly flags: readonly string[];
}
const golden = <More>(name: string): readonly (Golden & More)[] => JSON.parse(readFileSync(join(fixtures, name), 'utf8'));
const madeOf = async (deployment: string, { results, flags }: Golden): Promise<Record<string, unknown>> => {
  let printed = '';
  const argv = [deployment, '--benchmark', join(fixtures, results), ...flags];
  const io = silent((text) => {
    printed += text;
  });
  expect(await profileCommand.run(argv, io, {})).toBe(0);
  return JSON.parse(printed);
};

test.each(golden<{ readonly document: Record<string, unknown> }>('golden.json'))(
  "$results $flags: aibrix_gen_profile's answer, field for field",
  async (one) => {
    const { created, ...ours } = await madeOf('golden', one);
    expect(ours).toEqual(one.document);
    expect(created).toBeGreaterThan(1.7e9);
  },
);

test("results of gpumix benchmark are among those that AIBrix's tool was given, and it found throughput in them", () => {
  const ours = golden<{ readonly document: { readonly tputs: number[][] } }>('golden.json').filter(({ results }) =>
    results.startsWith('gpumix'),
  );
  expect(ours.length).toBeGreaterThanOrEqual(4);
  for (const { document } of ours) expect(Math.max(...document.tputs.flat())).toBeGreaterThan(1);
});

test.each(golden<{ readonly file: object; readonly redis: object }>('readers.json').map((one, index) => ({ ...one, index })))(
  "$results $flags: AIBrix's readers have of our profile what is in it",
  async ({ index, file, redis, ...one }) => {
    const { gpu, cost, tputs, indexes } = await madeOf(`deployment-${index}`, one);
    expect([file, redis]).toEqual([
      { gpu, cost, tputs, indexes },
      { gpu, cost, tputs, indexes },
    ]);
  },
);

test("AIBrix's tools of now say the same, where GPUMIX_AIBRIX_VENV names them", async () => {
  const script = join(import.meta.dirname, '../../hack/golden-profiles.ts');
  const { code, stdout } = await promisify(execFile)(process.execPath, [script]).then(
    (done) => ({ code: 0, stdout: done.stdout }),
    (failed: { code: number; stdout: string }) => failed,
  );
  if (process.env['GPUMIX_AIBRIX_VENV'] === undefined)
    expect([code, stdout]).toEqual([3, expect.stringMatching(/^golden profiles: not run: set GPUMIX_AIBRIX_VENV/)]);
  else expect([code, stdout]).toEqual([0, 'golden.json: 22 agree\nreaders.json: 22 agree\n']);
});
