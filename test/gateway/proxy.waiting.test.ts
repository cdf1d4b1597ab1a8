import { afterEach, expect, test } from 'vitest';
import type { GatewaySettings } from '../../src/gateway/gateway-parts.ts';
import type { RoutingPlan } from '../../src/vocabulary/routing-plan.ts';
import { ask, completion, jsonAnswer, openRequest, type ScriptedPod, scriptedPod, startTestGateway } from '../helpers/gateway.ts';
import { until } from '../helpers/redis.ts';

const cleanup: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const clean of cleanup.splice(0).reverse()) await clean();
});
const started = async (more: Partial<GatewaySettings> = {}, plan: RoutingPlan | null = null) => {
  const gateway = await startTestGateway(more, plan);
  cleanup.push(gateway.close);
  gateway.set({ 'ns/a': [] });
  return gateway;
};
const pod = async (answer?: ScriptedPod['answer']): Promise<ScriptedPod> => {
  const one = await scriptedPod(answer);
  cleanup.push(one.close);
  return one;
};
const limited = (concurrency: number): RoutingPlan => ({
  version: 1,
  model: 'm',
  created: 0,
  expires: 1e12,
  classes: [{ fromTokens: 0, toTokens: null, shares: { 'ns/a': 1 } }],
  ready: {},
  planned: {},
  concurrency: { 'ns/a': concurrency },
});

/** A pod of ns/a that holds what it gets until it is told, and a plan by which it takes two at once and ns/b too. */
const filled = async (shares: Readonly<Record<string, number>> = { 'ns/a': 1 }) => {
  const ends: (() => void)[] = [];
  const full = await pod((response) => void ends.push(() => jsonAnswer(response, completion)));
  const plan: RoutingPlan = {
    ...limited(1),
    classes: [{ fromTokens: 0, toTokens: null, shares }],
    concurrency: { 'ns/a': 1, 'ns/b': 1 },
  };
  return { plan, full, ends };
};

test('200 requests for a model at zero wait, are told of at once, and all are served when a pod is Ready', async () => {
  const gateway = await started();
  const answers = Array.from({ length: 200 }, () => ask(gateway.url));
  await until(() => gateway.gateway.waiting('m') === 200);
  expect(gateway.asleep).toHaveLength(200);
  expect(gateway.gateway.held('m')).toEqual({ requests: 200, inputTokens: 20_000, outputTokens: 200 * 256 });
  const engine = await pod();
  gateway.set({ 'ns/a': [engine] });
  const statuses = (await Promise.all(answers)).map(({ status }) => status);
  expect(statuses).toEqual(Array(200).fill(200));
  expect([engine.seen.length, gateway.gateway.waiting('m'), gateway.gateway.held('m')]).toEqual([200, 0, null]);
  expect(gateway.fields()).toMatchObject({ meta_total_reqs: 200, meta_pending_reqs: 0, '66:28': 200 });
});

test('what waits is bounded in number, bytes and time', async () => {
  const gateway = await started({ heldRequests: 2, heldBytes: 5_000, heldSeconds: 0.3 });
  const waiting = [ask(gateway.url), ask(gateway.url)];
  await until(() => gateway.gateway.waiting('m') === 2);
  const third = await ask(gateway.url);
  expect([third.status, third.headers.get('retry-after')]).toEqual([429, '5']);
  expect(await third.json()).toMatchObject({
    error: { message: 'm has no replica yet, and as many requests wait for it as may', type: 'rate_limit_error' },
  });
  for (const answer of await Promise.all(waiting)) {
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ error: { message: 'm has no replica yet; the request waited 0.3 s' } });
  }
  const long = await ask(gateway.url, { prompt: 'x'.repeat(6_000) });
  expect(long.status).toBe(429);
  expect(gateway.gateway.waiting('m')).toBe(0);
  expect(gateway.fields()).toMatchObject({ meta_total_reqs: 4, meta_pending_reqs: 0 });
});

test('a model whose Ready pods cannot be reached is refused at once, those who wait too, and the planner is told of none', async () => {
  const gateway = await started();
  const waiting = [ask(gateway.url), ask(gateway.url)];
  await until(() => gateway.gateway.waiting('m') === 2);
  gateway.cutOff('no Service selects the pods of ns/a');
  for (const answer of [...(await Promise.all(waiting)), await ask(gateway.url)]) {
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
    expect(await answer.json()).toMatchObject({
      error: { message: 'm cannot be reached: no Service selects the pods of ns/a', code: 'not_ready' },
    });
  }
  expect([gateway.gateway.waiting('m'), gateway.gateway.held('m')]).toEqual([0, null]);
  // Another of its Deployments has a pod that can be reached.
  const engine = await pod();
  gateway.set({ 'ns/a': [], 'ns/b': [engine] });
  expect((await ask(gateway.url)).status).toBe(200);
  // Mended, and at zero: requests are held again, and places are counted as ever.
  gateway.cutOff(null);
  gateway.set({ 'ns/a': [] });
  const held = ask(gateway.url);
  await until(() => gateway.gateway.waiting('m') === 1);
  gateway.set({ 'ns/a': [engine] });
  expect((await held).status).toBe(200);
});

test('a client that leaves while it waits makes room', async () => {
  const gateway = await started({ heldRequests: 1 });
  const leaving = new AbortController();
  const first = ask(gateway.url, {}, undefined, { signal: leaving.signal }).catch(() => 'left');
  await until(() => gateway.gateway.waiting('m') === 1);
  leaving.abort();
  expect(await first).toBe('left');
  await until(() => gateway.gateway.waiting('m') === 0 && gateway.gateway.inFlight() === 0);
  const second = ask(gateway.url);
  await until(() => gateway.gateway.waiting('m') === 1);
  gateway.set({ 'ns/a': [await pod()] });
  expect((await second).status).toBe(200);
});

test('more than the profile’s requests in flight wait in order, and nobody overtakes', async () => {
  const gateway = await started({}, limited(2));
  const order: number[] = [];
  const ends: (() => void)[] = [];
  const engine = await pod((response, body) => {
    order.push(JSON.parse(body).seed);
    ends.push(() => jsonAnswer(response, completion));
  });
  gateway.set({ 'ns/a': [engine] });
  const answers = [];
  for (let seed = 0; seed < 8; seed += 1) {
    answers.push(ask(gateway.url, { seed }));
    await until(
      () => gateway.gateway.inFlight() === seed + 1 && (seed < 3 ? order.length : gateway.gateway.waiting('m') + 3) === seed + 1,
    );
  }
  // 1.5 times 2 are in flight.
  expect(order).toEqual([0, 1, 2]);
  expect(gateway.gateway.held('m')).toBeNull();
  for (let ended = 0; ended < 8; ended += 1) {
    await until(() => ends.length > ended);
    ends[ended]!();
  }
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(Array(8).fill(200));
  expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});

test('a pod that goes away while others wait leaves nobody behind', async () => {
  const gateway = await started({}, limited(1));
  const first = await pod((response) => {
    setTimeout(() => response.socket?.destroy(), 100);
  });
  gateway.set({ 'ns/a': [first] });
  const answers = Array.from({ length: 6 }, () => ask(gateway.url));
  await until(() => gateway.gateway.waiting('m') === 4);
  gateway.set({ 'ns/a': [await pod()] });
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(Array(6).fill(200));
  expect(gateway.fields()).toMatchObject({ meta_total_reqs: 6, meta_pending_reqs: 0, '66:28': 6 });
});

test('where one type is full and the other fails, who is left waits for the full one and everything else goes on', async () => {
  const { plan, full, ends } = await filled();
  const gateway = await started({}, plan);
  const broken = await pod((response) => jsonAnswer(response, '{"error":"x"}', 503));
  gateway.set({ 'ns/a': [full], 'ns/b': [broken] });
  const answers = [0, 1, 2].map((seed) => ask(gateway.url, { seed }));
  await until(() => gateway.gateway.waiting('m') === 1 && ends.length === 2);
  expect((await fetch(`${gateway.url}/v1/models`)).status).toBe(200);
  expect(broken.seen.length).toBe(1);
  for (const end of ends) end();
  await until(() => ends.length === 3);
  ends[2]!();
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200, 200]);
});

test('a room full of requests that one type has failed keeps nobody from that type', async () => {
  const { plan, full, ends } = await filled();
  const gateway = await started({ heldRequests: 1 }, plan);
  let broken = true;
  const mended = await pod((response) => jsonAnswer(response, broken ? '{}' : completion, broken ? 503 : 200));
  gateway.set({ 'ns/a': [full], 'ns/b': [mended] });
  const answers = [0, 1, 2].map((seed) => ask(gateway.url, { seed }));
  await until(() => gateway.gateway.waiting('m') === 1 && ends.length === 2);
  broken = false;
  gateway.modelPods.variants('m')!.get('ns/b')![0]!.restsUntil = 0;
  expect((await ask(gateway.url)).status).toBe(200);
  expect([mended.seen.length, gateway.gateway.waiting('m')]).toEqual([2, 1]);
  for (const end of ends) end();
  await until(() => ends.length === 3);
  ends[2]!();
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200, 200]);
});

test('the end of a pod’s rest lets go on who waits, without anything else happening', async () => {
  const { plan, full, ends } = await filled({ 'ns/a': 1, 'ns/b': 1 });
  const gateway = await started({}, plan);
  let broken = true;
  const mended = await pod((response) => jsonAnswer(response, broken ? '{}' : completion, broken ? 503 : 200));
  gateway.set({ 'ns/a': [full], 'ns/b': [mended] });
  // The second meets the broken pod first.
  const answers = [ask(gateway.url), ask(gateway.url)];
  await until(() => ends.length === 2);
  broken = false;
  expect((await ask(gateway.url)).status).toBe(200);
  expect([mended.seen.length, ends.length]).toEqual([2, 2]);
  for (const end of ends) end();
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200]);
});

test('who waits is not given the pod that has just failed', async () => {
  const gateway = await started({ overflow: 1 }, limited(1));
  const ends: (() => void)[] = [];
  const [broken, sound] = [
    await pod((response) => void ends.push(() => jsonAnswer(response, '{}', 503))),
    await pod((response) => void ends.push(() => jsonAnswer(response, completion))),
  ];
  gateway.set({ 'ns/a': [broken, sound] });
  const answers = [ask(gateway.url), ask(gateway.url)];
  await until(() => ends.length === 2);
  answers.push(ask(gateway.url));
  await until(() => gateway.gateway.waiting('m') === 1);
  for (let ended = 0; ended < 4; ended += 1) {
    await until(() => ends.length > ended);
    ends[ended]!();
  }
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200, 200]);
  expect([broken.seen.length, sound.seen.length]).toEqual([1, 3]);
});

test('a pod that comes is given as many of those who wait as it takes, and no more', async () => {
  const gateway = await started({ overflow: 1 }, limited(2));
  const answers = Array.from({ length: 5 }, () => ask(gateway.url));
  await until(() => gateway.gateway.waiting('m') === 5);
  const ends: (() => void)[] = [];
  gateway.set({ 'ns/a': [await pod((response) => void ends.push(() => jsonAnswer(response, completion)))] });
  // Their places are taken at once, not only when they are at the pod.
  expect([gateway.gateway.waiting('m'), gateway.modelPods.variants('m')?.get('ns/a')?.[0]?.requests]).toEqual([3, 2]);
  for (let ended = 0; ended < 5; ended += 1) {
    await until(() => ends.length > ended);
    ends[ended]!();
  }
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(Array(5).fill(200));
});

test('room that a new plan makes is for who has waited, not for who comes then', async () => {
  const gateway = await started({ overflow: 1 }, limited(1));
  const order: number[] = [];
  const ends: (() => void)[] = [];
  const engine = await pod((response, body) => {
    order.push(JSON.parse(body).seed);
    ends.push(() => jsonAnswer(response, completion));
  });
  gateway.set({ 'ns/a': [engine] });
  const answers = [ask(gateway.url, { seed: 0 })];
  await until(() => ends.length === 1);
  answers.push(ask(gateway.url, { seed: 1 }));
  await until(() => gateway.gateway.waiting('m') === 1);
  gateway.plan = limited(2);
  answers.push(ask(gateway.url, { seed: 2 }));
  await until(() => gateway.gateway.inFlight() === 3 && order.length === 2);
  expect([order, gateway.gateway.waiting('m')]).toEqual([[0, 1], 1]);
  for (let ended = 0; ended < 3; ended += 1) {
    await until(() => ends.length > ended);
    ends[ended]!();
  }
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200, 200]);
});

test('who waits for nothing any more, as every pod was tried, is told what the last one said', async () => {
  const { plan, full, ends } = await filled();
  const gateway = await started({}, plan);
  const busy = await pod((response) => jsonAnswer(response, '{"error":"busy"}', 429));
  gateway.set({ 'ns/a': [full], 'ns/b': [busy] });
  const answers = [ask(gateway.url), ask(gateway.url)];
  await until(() => ends.length === 2);
  const third = ask(gateway.url);
  await until(() => gateway.gateway.waiting('m') === 1);
  gateway.set({ 'ns/a': [], 'ns/b': [busy] });
  const refused = await third;
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '5']);
  expect(await refused.json()).toMatchObject({
    error: { message: 'no replica of m takes the request; the last one answered 429', type: 'rate_limit_error' },
  });
  for (const end of ends) end();
  await Promise.all(answers);
});

test('as many requests at once as may be, and no more', async () => {
  const gateway = await started({ mostRequests: 2 });
  const waiting = [ask(gateway.url), ask(gateway.url)];
  await until(() => gateway.gateway.inFlight() === 2);
  const third = await ask(gateway.url);
  expect([third.status, third.headers.get('retry-after')]).toEqual([429, '5']);
  gateway.set({ 'ns/a': [await pod()] });
  expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([200, 200]);
  // Who was refused was not counted.
  expect(gateway.fields()).toMatchObject({ meta_total_reqs: 2 });
});

test('a stream that waited begins when there is a pod', async () => {
  const gateway = await started();
  const answer = openRequest(gateway.url, {});
  await until(() => gateway.gateway.waiting('m') === 1);
  const engine = await pod((response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end('data: [DONE]\n\n');
  });
  gateway.set({ 'ns/a': [engine] });
  let text = '';
  for await (const piece of await answer) text += String(piece);
  expect(text).toBe('data: [DONE]\n\n');
});
