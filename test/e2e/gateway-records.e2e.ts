import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  endpointsFile,
  type Started,
  startGateway,
  startInstantEngine,
  startRedisServer,
  writePlan,
} from '../../hack/gateway/processes.ts';
import { bucketIndex } from '../../src/workload/bucket-index.ts';
import { parseTrace, type TraceRequest } from '../../src/workload/gateway-records.ts';

const model = 'llama-8b';
const intervalSeconds = 4;
/** By then every gateway has written what it had counted, on a busy machine too (ms). */
const untilWritten = { timeout: 3 * intervalSeconds * 1000 };
const trace = parseTrace(
  readFileSync(join(import.meta.dirname, '../../src/cli/demo/azure-conversation-10min.csv'), 'utf8'),
  'trace',
);
type Gateway = Awaited<ReturnType<typeof startGateway>>;
let [redis, engine]: [Started, Started] = [null as never, null as never];
let gateways: Gateway[] = [];
let client: Redis;
beforeAll(async () => {
  redis = await startRedisServer();
  client = new Redis(redis.url);
  engine = await startInstantEngine(3, 0);
  const endpoints = endpointsFile({ [model]: { 'ns/a': [engine.url] } });
  gateways = await Promise.all(
    ['one', 'two', 'three'].map((name) =>
      startGateway(redis.url, endpoints, '--instance', name, '--interval-seconds', String(intervalSeconds)),
    ),
  );
}, 60_000);
afterAll(async () => {
  for (const one of [...gateways, engine]) await one.stop();
  client.disconnect();
  await redis.stop();
});

const send = async ({ url }: Gateway, { inputTokens, outputTokens }: TraceRequest, index: number): Promise<void> => {
  const body = { model, prompt: 'x'.repeat(4 * inputTokens), max_tokens: outputTokens, stream: index % 2 === 0 };
  const answer = await fetch(`${url}/v1/completions`, { method: 'POST', body: JSON.stringify(body) });
  await answer.text();
  expect(answer.status).toBe(200);
};
const records = async (): Promise<Record<string, number>> => {
  const keys = await client.keys(`aibrix:${model}_request_trace_*`);
  const texts = keys.length === 0 ? [] : await client.mget(...keys);
  const sums: Record<string, number> = {};
  for (const text of texts)
    for (const [name, value] of Object.entries(JSON.parse(text ?? '{}') as Record<string, number>))
      if (/^\d+:\d+$/.test(name) || name === 'meta_total_reqs') sums[name] = (sums[name] ?? 0) + value;
  return sums;
};
const newest = async (): Promise<object> => {
  const keys = await client.keys(`aibrix:${model}_request_trace_*`);
  return JSON.parse((await client.get(keys.sort().at(-1) as string)) as string);
};
const counted = (requests: readonly TraceRequest[]): Record<string, number> => {
  const sums: Record<string, number> = { meta_total_reqs: requests.length };
  for (const { inputTokens, outputTokens } of requests) {
    const bucket = `${bucketIndex(inputTokens)}:${bucketIndex(outputTokens)}`;
    sums[bucket] = (sums[bucket] ?? 0) + 1;
  }
  return sums;
};
const heartbeat = async (name: string): Promise<number> => Number(await client.hget('gpumix:heartbeats', name));

test('three gateways that write at once count ten minutes of a trace exactly', async () => {
  const speed = 15;
  const start = performance.now();
  const sent = trace.map(async (request, index) => {
    await sleep(Math.max(0, (1000 * request.time) / speed - (performance.now() - start)));
    await send(gateways[index % 3] as Gateway, request, index);
  });
  await Promise.all(sent);
  await expect.poll(records, untilWritten).toEqual(counted(trace));
  // The newest may have been written by one of them a moment ago, and not yet by the others.
  await expect
    .poll(newest, untilWritten)
    .toMatchObject({ meta_by_one: 1, meta_by_two: 1, meta_by_three: 1, meta_pending_reqs: 0 });
}, 120_000);

test('of one that is killed only what it had not written is missing, and the others notice', async () => {
  const before = await records();
  const [one, two, three] = gateways as [Gateway, Gateway, Gateway];
  const seen = await heartbeat('three');
  while ((await heartbeat('three')) === seen) await sleep(50);
  const some = trace.slice(0, 30);
  await Promise.all(some.map((request, index) => send(gateways[index % 3] as Gateway, request, index)));
  await three.kill();
  gateways = [one, two];
  const kept = some.filter((_, index) => index % 3 !== 2);
  const added = async () =>
    Object.fromEntries(
      Object.entries(await records())
        .map(([name, value]) => [name, value - (before[name] ?? 0)] as const)
        .filter(([, value]) => value > 0),
    );
  await expect.poll(added, untilWritten).toEqual(counted(kept));
  while (!one.said().includes('gateway three has not written since')) await sleep(100);
  expect(await (await fetch(`${two.admin}/metrics`)).text()).toMatch(/gpumix_gateway_missing_gateways 1/);
}, 60_000);

test('Redis away for a minute: routing goes on by the last plan, and what is counted is written when it is back', async () => {
  await writePlan(redis.url, model, [{ fromTokens: 0, toTokens: null, shares: { 'ns/a': 1 } }]);
  const [one, two] = gateways as [Gateway, Gateway];
  const byPlan = async (): Promise<number> => {
    const texts = await Promise.all([one, two].map(async ({ admin }) => await (await fetch(`${admin}/metrics`)).text()));
    const counts = [...texts.join('\n').matchAll(/requests_total\{[^}]*chosen_by="plan"[^}]*\} (\d+)/g)];
    return counts.reduce((sum, [, count]) => sum + Number(count), 0);
  };
  const found = /routing plan of llama-8b is missing[^\n]*"problem gone"/;
  while (![one, two].every(({ said }) => found.test(said()))) await sleep(500);
  const [before, planned] = [(await records())['meta_total_reqs'] ?? 0, await byPlan()];
  process.kill(redis.pid, 'SIGSTOP');
  for (let time = 0; time < 60; time += 1) {
    await send(gateways[time % 2] as Gateway, trace[time] as TraceRequest, time);
    await sleep(1_000);
  }
  expect(await byPlan()).toBe(planned + 60);
  process.kill(redis.pid, 'SIGCONT');
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; await sleep(500))
    if (((await records())['meta_total_reqs'] ?? 0) === before + 60) break;
  expect((await records())['meta_total_reqs']).toBe(before + 60);
}, 150_000);

test('one that is told to stop writes what it has, and takes leave', async () => {
  const before = (await records())['meta_total_reqs'] ?? 0;
  const [one, two] = gateways as [Gateway, Gateway];
  await send(two, trace[0] as TraceRequest, 0);
  await two.stop();
  gateways = [one];
  expect((await records())['meta_total_reqs']).toBe(before + 1);
  expect(await client.hget('gpumix:heartbeats', 'two')).toBeNull();
}, 60_000);
