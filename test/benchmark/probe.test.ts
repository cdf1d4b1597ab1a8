import { expect, test } from 'vitest';
import { virtualEndpoint } from '../../hack/engine/virtual-endpoint.ts';
import type { Answer, Endpoint } from '../../src/benchmark/endpoint.ts';
import { type ProbeOptions, probe } from '../../src/benchmark/probe.ts';
import { assumedVocabulary } from '../../src/benchmark/words.ts';
import { engineSpeed } from '../../src/simulation/engine-speeds.ts';

const options: ProbeOptions = {
  size: { inputTokens: 128, outputTokens: 256 },
  rate: 20,
  slo: { percentile: 99, ttft: 2, tpot: 0.1 },
  requests: 100,
  mostSeconds: 300,
  tolerance: 0.1,
  seed: 1,
};
/** A probe of the engine model, some of whose answers are others. */
const probed = async (given: Partial<ProbeOptions>, changed: (answer: Answer, index: number) => Answer = (a) => a) => {
  const { endpoint, clock } = virtualEndpoint(engineSpeed('L40S'));
  let index = 0;
  const other: Endpoint = {
    ask: async (...request) => {
      const mine = index;
      index += 1;
      return changed(await endpoint.ask(...request), mine);
    },
  };
  return await probe(other, clock, assumedVocabulary, { ...options, ...given });
};
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

test('requests count once the batch is full: the first of them take as long as the last', async () => {
  const { samples, hopeless } = await probed({});
  const times = samples.map((sample) => (sample.kind === 'served' ? sample.doneAt - sample.sentAt : Number.NaN));
  const tenth = Math.floor(times.length / 10);
  const ratio = mean(times.slice(0, tenth)) / mean(times.slice(-tenth));
  expect([hopeless, ratio > 0.9 && ratio < 1.1]).toEqual([false, true]);
});

test('those that count come at exactly the rate, also if they are few', async () => {
  const { samples } = await probed({ rate: 2 });
  const sent = samples.map((sample) => (sample.kind === 'served' ? sample.sentAt : Number.NaN));
  expect(samples.length).toBeGreaterThanOrEqual(100);
  expect((sent.at(-1)! - sent[0]!) / samples.length).toBeCloseTo(0.5, 1);
});

test('refusals and short answers are counted by what they say', async () => {
  const busy: Answer = { kind: 'failed', cause: 'busy', message: '429 Too Many Requests' };
  const short = (answer: Answer): Answer =>
    answer.kind === 'served' ? { ...answer, usage: { inputTokens: 128, outputTokens: 7 } } : answer;
  const given = { rate: 2, slo: { percentile: 50, ttft: 2 } };
  const result = await probed(given, (answer, index) => (index % 4 === 0 ? busy : index % 4 === 1 ? short(answer) : answer));
  const quarter = result.samples.length / 4;
  expect(result.hopeless).toBe(false);
  expect([...result.failures.keys()]).toEqual([busy.message]);
  expect(result.failures.get(busy.message)).toBe(result.samples.filter(({ kind }) => kind === 'failed').length);
  for (const count of [result.short, result.failures.get(busy.message)!])
    expect(Math.abs(count - quarter)).toBeLessThanOrEqual(1);
});

test('an endpoint that serves nothing, or breaks now and then, is not measured', async () => {
  const broken = (cause: 'busy' | 'broken'): Answer => ({ kind: 'failed', cause, message: 'no' });
  await expect(probed({}, () => broken('busy'))).rejects.toThrow(/^\d+ of \d+ requests failed: no$/);
  await expect(probed({}, (answer, index) => (index % 20 === 19 ? broken('broken') : answer))).rejects.toThrow(
    /^\d+ of \d+ requests failed: no$/,
  );
});
