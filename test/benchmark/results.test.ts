import { expect, test } from 'vitest';
import { parseResults, pythonFloat, resultLine } from '../../src/benchmark/results.ts';

const good = {
  input_tokens: 128,
  output_tokens: 64,
  request_rate: 2,
  seed: 0,
  model: 'm',
  samples: 100,
  metric: 'E2E',
  mean: 1.5,
  P50: 1.4,
  P90: 2,
  P99: 3,
};

test('a line is one metric of one size at one rate; empty lines are left out', () => {
  expect(parseResults(`\n${JSON.stringify(good)}\n\n`)).toEqual([
    {
      line: 2,
      inputTokens: 128,
      outputTokens: 64,
      rate: 2,
      samples: 100,
      metric: 'E2E',
      values: { mean: 1.5, P50: 1.4, P90: 2, P99: 3 },
    },
  ]);
});

test('bare Infinity and NaN are read', () => {
  const text = '{"input_tokens": 4, "output_tokens": 4, "request_rate": Infinity, "metric": "TPUT", "mean": NaN}';
  expect(parseResults(text)[0]).toMatchObject({
    rate: Number.POSITIVE_INFINITY,
    values: { mean: Number.NaN, P99: null },
  });
});

test.each([
  ['{"input_tokens": 4,', 'line 3: not a JSON object'],
  ['[1]', 'line 3: not a JSON object'],
  [JSON.stringify({ ...good, metric: 'SPEED' }), 'line 3: metric is "SPEED", not one of TPUT, TT, E2E, TTFT, TPOT'],
  [JSON.stringify({ ...good, mean: undefined }), 'line 3: mean is missing, not a number'],
  [JSON.stringify({ ...good, P90: 'x' }), 'line 3: P90 is "x", not a number'],
  [JSON.stringify({ ...good, input_tokens: 1.5 }), 'line 3: input_tokens is 1.5, not a whole number above 0'],
  [JSON.stringify({ ...good, request_rate: 0 }), 'line 3: request_rate is 0, not above 0'],
])('what is wrong is said with its line: %s', (line, message) => {
  expect(() => parseResults(`${JSON.stringify(good)}\n\n${line}\n`)).toThrow(message);
});

test('a line is written as aibrix_benchmark writes it, and read back the same', () => {
  const measurement = {
    inputTokens: 128,
    outputTokens: 4,
    rate: 1,
    samples: 100,
    metric: 'TTFT' as const,
    values: { mean: 1.7528682947158812e-5, P50: 2, P90: Number.NaN, P99: null },
  };
  const line = resultLine(measurement, { seed: 0, model: 'llama2-7b', temperature: 0, rateLimit: 64 });
  expect(line).toBe(
    '{"input_tokens": 128, "output_tokens": 4, "request_rate": 1.0, "seed": 0, "model": "llama2-7b", "temperature": 0.0, "samples": 100, "metric": "TTFT", "mean": 1.7528682947158812e-05, "P50": 2.0, "P90": NaN}',
  );
  expect(parseResults(line)).toEqual([{ line: 1, ...measurement }]);
});

test.each([
  [0, '0.0'],
  [1.086357362685611, '1.086357362685611'],
  [1e-4, '0.0001'],
  [9.999e-5, '9.999e-05'],
  [1e22, '1e+22'],
  [123456789012345680, '1.2345678901234568e+17'],
  [Number.POSITIVE_INFINITY, 'Infinity'],
])('%d as Python writes it', (value, text) => expect(pythonFloat(value)).toBe(text));
