import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { gatewayCounter, parseTrace } from '../../src/workload/gateway-records.ts';

const header = 'TIMESTAMP,ContextTokens,GeneratedTokens\n';

test('a trace is read with fractions of a second, sorted, from its first request on', () => {
  const text = `${header}2023-11-16 18:15:50.9951690,396,109\n2023-11-16 18:15:46.6805900,374,44\n`;
  expect(parseTrace(text, 't')).toEqual([
    { time: 0, inputTokens: 374, outputTokens: 44 },
    { time: expect.closeTo(4.314579, 5), inputTokens: 396, outputTokens: 109 },
  ]);
});

test.each([
  ['', 't: no requests; expected a header and rows of time,inputTokens,outputTokens'],
  [`${header}yesterday,1,2\n`, 't:2: "yesterday" is no time such as 2023-11-16 18:17:03.97'],
  [`${header}2023-11-16 18:15:46,1,2\n2023-11-16 18:15:46,x,2\n`, 't:3: tokens are not two numbers from 0'],
  [`${header}2023-11-16 18:15:46,1\n`, 't:2: tokens are not two numbers from 0'],
])('a broken trace names the line: %j', (text, message) => {
  expect(() => parseTrace(text, 't')).toThrow(expect.objectContaining({ code: 'BAD_TRACE', message }));
});

test('arrivals count when they come in, completions when they end, the rest is pending', () => {
  const counter = gatewayCounter(
    [
      { time: 1, inputTokens: 1500, outputTokens: 200 },
      { time: 12, inputTokens: 275, outputTokens: 20 },
    ],
    10,
    0.05,
  );
  const records = [10, 20, 30].map((until) => counter.recordUntil(until));
  expect(records.map((text) => (text === null ? null : JSON.parse(text)))).toEqual([
    {
      meta_v: 4,
      meta_interval_sec: 10,
      meta_precision: 10,
      meta_total_reqs: 1,
      meta_pending_reqs: 1,
      meta_queueing_reqs: 0,
    },
    {
      meta_v: 4,
      meta_interval_sec: 10,
      meta_precision: 10,
      meta_total_reqs: 1,
      meta_pending_reqs: 0,
      meta_queueing_reqs: 0,
      '106:76': 1,
      '80:42': 1,
    },
    null,
  ]);
  expect(counter.finished()).toBe(true);
});

test('twice the speed is twice the rate', () => {
  const requests = Array.from({ length: 100 }, (_, index) => ({ time: index, inputTokens: 10, outputTokens: 1 }));
  const total = (speed: number) => JSON.parse(gatewayCounter(requests, 10, 0, speed).recordUntil(10) ?? '{}').meta_total_reqs;
  expect([total(1), total(2)]).toEqual([11, 21]);
});

test('nothing of the Azure trace is lost on its way into records', () => {
  const trace = parseTrace(
    readFileSync(join(import.meta.dirname, '../../src/cli/demo/azure-conversation-10min.csv'), 'utf8'),
    't',
  );
  const counter = gatewayCounter(trace, 10, 0.02);
  let [arrived, ended] = [0, 0];
  for (let until = 10; !counter.finished(); until += 10) {
    const fields = JSON.parse(counter.recordUntil(until) ?? '{}') as Record<string, number>;
    arrived += fields['meta_total_reqs'] ?? 0;
    for (const [name, count] of Object.entries(fields)) if (name.includes(':')) ended += count;
  }
  expect([arrived, ended]).toEqual([4173, 4173]);
});
