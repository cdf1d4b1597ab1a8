import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { virtualEndpoint } from '../../hack/engine/virtual-endpoint.ts';
import type { Endpoint } from '../../src/benchmark/endpoint.ts';
import { profileOfResults } from '../../src/benchmark/profile-of.ts';
import { parseResults } from '../../src/benchmark/results.ts';
import { appendResults, existingResults } from '../../src/benchmark/results-file.ts';
import { strictProblems } from '../../src/benchmark/strict.ts';
import { type SweepEvent, type SweepOptions, sweep } from '../../src/benchmark/sweep.ts';
import { assumedVocabulary } from '../../src/benchmark/words.ts';
import { engineSpeed } from '../../src/simulation/engine-speeds.ts';
import { measuredThroughput } from '../../src/simulation/measure.ts';

const slo = { percentile: 99, ttft: 2, tpot: 0.1 };
const speed = engineSpeed('L40S');
const grid = { inputs: [256, 512], outputs: [32, 128] };
const options: SweepOptions = {
  ...grid,
  rateStart: null,
  rateLimit: 1000,
  precision: 0.05,
  slo,
  requests: 300,
  mostSeconds: 60,
  seed: 0,
  model: 'm',
  temperature: 0,
};
const folder = mkdtempSync(join(tmpdir(), 'gpumix-sweep-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Sweeps in virtual time into a file, which may have begun. */
const run = async (
  file: string,
  given: Partial<SweepOptions> = {},
  endpointOf: (virtual: ReturnType<typeof virtualEndpoint>) => Endpoint = ({ endpoint }) => endpoint,
) => {
  const virtual = virtualEndpoint(speed);
  const { clock } = virtual;
  const endpoint = endpointOf(virtual);
  const { results, cutOff } = await existingResults(file, 'm');
  const events: SweepEvent[] = [];
  const append = (lines: readonly string[]) => appendResults(file, lines);
  const tell = (event: SweepEvent) => void events.push(event);
  const tools = { endpoint, clock, vocabulary: assumedVocabulary, append, tell };
  const served = await sweep({ ...options, ...given }, tools, results);
  return { served, events, cutOff, probes: events.filter(({ kind }) => kind === 'probe').length, seconds: clock.now() };
};
const throughputsOf = (file: string) => {
  const labels = { deployment: 'd', cost: 1, created: 0, gpuType: null, gpusPerReplica: null };
  const { document, warnings } = profileOfResults(parseResults(readFileSync(file, 'utf8')), { ...labels, slo });
  return { throughputs: document['tputs'] as number[][], warnings };
};

const whole = join(folder, 'whole.jsonl');
let measured: Awaited<ReturnType<typeof run>>;
beforeAll(async () => {
  measured = await run(whole);
});

test('benchmark and profile find what the engine serves within the SLO, to 10 %', () => {
  const { throughputs, warnings } = throughputsOf(whole);
  expect(warnings).toEqual([]);
  for (const [row, outputTokens] of grid.outputs.entries())
    for (const [column, inputTokens] of grid.inputs.entries()) {
      // Long enough that a queue which grows has grown.
      const measurement = { slo, warmUp: 2000, counted: 8000, seed: 1 };
      const { throughput } = measuredThroughput(speed, { inputTokens, outputTokens }, measurement);
      const share = throughputs[row]![column]! / throughput;
      expect([inputTokens, outputTokens, share > 0.9 && share < 1.1]).toEqual([inputTokens, outputTokens, true]);
    }
});

test('the results are plausible by our own checks', () => {
  expect(strictProblems(parseResults(readFileSync(whole, 'utf8')))).toEqual([]);
});

test('neighbours make the search short, and what is left is told', () => {
  const sizes = measured.events.filter((event) => event.kind === 'size');
  expect(sizes.map(({ done, of }) => [done, of])).toEqual([1, 2, 3, 4].map((done) => [done, 4]));
  expect(sizes.at(-1)!.secondsLeft).toBe(0);
  expect(sizes[0]!.secondsLeft).toBeGreaterThan(0);
  expect(measured.probes).toBeLessThan(40);
});

test('a finished file is not measured again', async () => {
  const before = readFileSync(whole, 'utf8');
  const again = await run(whole);
  expect([again.probes, again.seconds, [...again.served]]).toEqual([0, 0, [...measured.served]]);
  expect(readFileSync(whole, 'utf8')).toBe(before);
});

test.each([0.1, 0.35, 0.6, 0.99])('killed at %d of the file, the next run ends with the same', async (share) => {
  const text = readFileSync(whole, 'utf8');
  const file = join(folder, `killed-${share}.jsonl`);
  writeFileSync(file, text.slice(0, Math.floor(share * text.length)));
  const resumed = await run(file);
  expect([...resumed.served]).toEqual([...measured.served]);
  expect(resumed.probes).toBeLessThan(measured.probes);
  const expected = throughputsOf(whole).throughputs.flat();
  for (const [index, value] of throughputsOf(file).throughputs.flat().entries()) expect(value).toBeCloseTo(expected[index]!, 6);
});

test('a hopeless rate is given up long before its requests are served', async () => {
  const file = join(folder, 'hopeless.jsonl');
  const one = { inputs: [512], outputs: [32] };
  const { events } = await run(file, { ...one, rateStart: 160 });
  const first = events.find(({ kind }) => kind === 'probe');
  expect(first).toMatchObject({ kind: 'probe', rate: 160, kept: false, result: { hopeless: true } });
  expect(throughputsOf(file).throughputs[0]![0]).toBeCloseTo(measured.served.get('512 32')!, -1);
});

test('a rate that was given up under one limit is no result under another, and is measured again', async () => {
  const file = join(folder, 'looser.jsonl');
  const one = { inputs: [512], outputs: [32] };
  await run(file, { ...one, slo: { percentile: 99, ttft: 0.2, tpot: 0.1 }, rateStart: 160, precision: 0.2 });
  const given = parseResults(readFileSync(file, 'utf8')).filter(
    ({ metric, values }) => metric === 'TPUT' && Number.isNaN(values.mean),
  );
  expect(given.length).toBeGreaterThan(0);
  const looser = await run(file, { ...one, slo: { percentile: 99, ttft: 1, tpot: 0.1 }, precision: 0.2 });
  const fresh = await run(join(folder, 'fresh.jsonl'), {
    ...one,
    slo: { percentile: 99, ttft: 1, tpot: 0.1 },
    precision: 0.2,
  });
  const [found = 0, expected = 1] = [looser.served.get('512 32'), fresh.served.get('512 32')];
  expect(found / expected).toBeGreaterThan(0.8);
  expect(found / expected).toBeLessThan(1.25);
});

test('a size that breaks the SLO by itself costs ten requests, one after the other, and a later run knows', async () => {
  const file = join(folder, 'never.jsonl');
  const given = { inputs: [512], outputs: [32], slo: { percentile: 99, ttft: 0.001, tpot: 0.1 } };
  const { served, probes, seconds } = await run(file, given);
  expect([[...served.values()], probes]).toEqual([[0], 1]);
  const rows = parseResults(readFileSync(file, 'utf8'));
  const e2e = rows.find(({ metric }) => metric === 'E2E')!;
  expect(e2e.samples).toBe(10);
  expect(seconds).toBeCloseTo(10 * e2e.values.mean!, 6);
  expect((await run(file, given)).probes).toBe(0);
});

test('the rate below which an engine idles moves with what a request takes; it is not tried again for that', async () => {
  const file = join(folder, 'moved.jsonl');
  const given = { inputs: [512], outputs: [32], slo: { percentile: 99, ttft: 0.001, tpot: 0.1 } };
  await run(file, given);
  const text = readFileSync(file, 'utf8');
  const { rate } = parseResults(text)[0]!;
  writeFileSync(file, text.replaceAll(`"request_rate": ${rate}`, `"request_rate": ${(1.2 * rate).toPrecision(3)}`));
  const again = await run(file, given);
  expect([again.probes, [...again.served.values()]]).toEqual([0, [0]]);
});

test('one slow answer makes no size impossible', async () => {
  const one = { inputs: [512], outputs: [32], precision: 0.2 };
  const { served } = await run(join(folder, 'slow-once.jsonl'), one, ({ endpoint, clock }) => {
    let asked = 0;
    return {
      ask: async (...request) => {
        const answer = await endpoint.ask(...request);
        asked += 1;
        if (asked > 1 || answer.kind !== 'served') return answer;
        await clock.until(clock.now() + 60);
        return { ...answer, firstTokenAt: clock.now(), doneAt: clock.now() };
      },
    };
  });
  expect(served.get('512 32')! / measured.served.get('512 32')!).toBeGreaterThan(0.75);
});

test('results of another model are not added to', async () => {
  const message = /whole.jsonl: line 1: is of model "m"; name another --output/;
  await expect(existingResults(whole, 'other')).rejects.toThrow(message);
});
