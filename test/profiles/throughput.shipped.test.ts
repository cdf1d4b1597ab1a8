import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { leftOutSizes } from '../../hack/profiles/bars.ts';
import { quantile } from '../../hack/profiles/calibrate.ts';
import { leftOut } from '../../hack/profiles/leave-one-out.ts';
import { bestWithin, bySize } from '../../hack/profiles/measured.ts';
import { measuredReplicas, sampleOf } from '../../hack/profiles/replicas.ts';
import { parseProfile } from '../../src/profiles/profile-document.ts';
import { throughputAt } from '../../src/profiles/throughput.ts';

const folder = join(import.meta.dirname, '../../profiles');
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.json'));
const textOf = (path: string): string => readFileSync(join(folder, path), 'utf8');

test('at least three models on at least five GPU types each', () => {
  const byModel = Map.groupBy(files, (path) => path.split('/')[0]!);
  const counts = [...byModel].map(([model, some]) => [model, some.length >= 5]);
  expect(Object.fromEntries(counts)).toEqual({ 'llama-2-7b': true, 'llama-3.1-70b': true, 'llama-3.1-8b': true });
});

test.each(files)('%s says what it is for and where it is from, and serves something', (path) => {
  const profile = parseProfile(textOf(path), path);
  expect(path.endsWith(`/${profile.gpu?.toLowerCase()}.json`)).toBe(true);
  expect(Math.max(...profile.throughput)).toBeGreaterThan(1);
  const { provenance, price } = JSON.parse(textOf(path));
  expect(['measured', 'simulated', 'derived']).toContain(provenance.kind);
  for (const name of ['source', 'licence', 'engine', 'date', 'how', 'errorBars'])
    expect([name, provenance[name]?.length !== 0 && provenance[name] !== undefined]).toEqual([name, true]);
  if (provenance.kind !== 'simulated') expect(provenance.constants.gpu.bandwidth).toBeGreaterThan(0);
  expect(price).toMatch(/2026/);
});

test.each(files)('%s: a larger request is not served faster, as far as its bars reach', (path) => {
  const { inputTokens: inputs, outputTokens: outputs, throughput } = parseProfile(textOf(path), path);
  const at = (i: number, o: number) => throughput[i * outputs.length + o]!;
  const wrong = inputs.flatMap((_, i) =>
    outputs.flatMap((_out, o) => {
      const smaller = Math.min(...inputs.slice(0, i + 1).flatMap((_in, a) => outputs.slice(0, o + 1).map((_, b) => at(a, b))));
      return at(i, o) > 1.2 * smaller ? [`${inputs[i]} in, ${outputs[o]} out`] : [];
    }),
  );
  expect(wrong).toEqual([]);
});

test.each(measuredReplicas)('$llm on $gpu serves at least what was measured within the limits', ({ llm, gpu, ...more }) => {
  const path = `${llm}/${gpu.toLowerCase()}.json`;
  const profile = parseProfile(textOf(path), path);
  const sizes = [...bySize(sampleOf({ llm, gpu, ...more }).points).values()];
  const least = sizes.flatMap((some) => bestWithin(some, { ttft: 1.5, tpot: 0.075 }) ?? []);
  expect(least.length).toBeGreaterThan(1);
  for (const { input, output, rate } of least) {
    const share = throughputAt(profile, input, output).throughput / rate;
    expect([input, output, share > 0.999 && share < 2]).toEqual([input, output, true]);
  }
});

test('sizes that are left out of the 8B model are met within 10 % in the median, on the replicas whose profiles are shipped too', () => {
  const all = leftOut('llama-3.1-8b');
  const errorsOf = (groups: typeof all) => groups.flatMap(({ interpolated }) => interpolated);
  expect(errorsOf(all).length).toBeGreaterThan(50);
  expect(quantile(errorsOf(all), 0.5)).toBeLessThan(0.1);
  for (const { llm, gpu, origin } of measuredReplicas) {
    if (llm !== 'llama-3.1-8b' || origin.kind !== 'measured') continue;
    const own = errorsOf(all.filter(({ group }) => group === origin.group));
    expect([gpu, own.length >= 16, quantile(own, 0.5) < 0.1]).toEqual([gpu, true, true]);
  }
});

test('the roofline meets sizes of the 8B model on an H100 that it was not set by', () => {
  const [h100] = measuredReplicas;
  const errors = leftOutSizes(h100!).map(([, ratio]) => Math.abs(Math.log(ratio)));
  expect(errors.length).toBeGreaterThan(30);
  expect(quantile(errors, 0.9)).toBeLessThan(0.1);
});
