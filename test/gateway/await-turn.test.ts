import type { ServerResponse } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import type { RoutingPlan } from '../../src/vocabulary/routing-plan.ts';
import { ask, type ScriptedPod, scriptedPod, startTestGateway } from '../helpers/gateway.ts';
import { until } from '../helpers/redis.ts';

const cleanup: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const clean of cleanup.splice(0).reverse()) await clean();
});

const planWith = (ttftSeconds: number | undefined): RoutingPlan => ({
  ...{ version: 1, model: 'm', created: 0, expires: 1e12, ready: {}, planned: {} },
  classes: [{ fromTokens: 0, toTokens: null, shares: { 'ns/a': 1 } }],
  ...(ttftSeconds === undefined ? {} : { ttftSeconds }),
});

/** A prompt of more than half of the tokens that a pod may have unread. */
const long = { model: 'm', prompt: 'word '.repeat(700), stream: true };
const named = (name: string, more: object = {}) => ({ ...long, user: name, ...more });

/** A pod that streams a first token, and the rest, when it is told. */
const streamingPod = async () => {
  const answers = new Map<string, ServerResponse>();
  const pod = await scriptedPod((response, body) => void answers.set(JSON.parse(body).user, response));
  cleanup.push(pod.close);
  return {
    pod,
    names: () => [...answers.keys()],
    first: (name: string) => {
      answers.get(name)!.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: {"choices":[{"text":"a"}]}\n\n');
    },
    end: (name: string) => {
      answers.get(name)!.end('data: {"choices":[],"usage":{"prompt_tokens":700,"completion_tokens":1}}\n\ndata: [DONE]\n\n');
    },
  };
};

const gatewayWith = async (pods: Readonly<Record<string, readonly ScriptedPod[]>>, ttftSeconds?: number) => {
  const gateway = await startTestGateway({}, planWith(ttftSeconds));
  cleanup.push(gateway.close);
  gateway.set(pods);
  return gateway;
};

test('a pod has two prompts unread at a time: the third goes when one has its first token', async () => {
  const engine = await streamingPod();
  const gateway = await gatewayWith({ 'ns/a': [engine.pod] }, 60);
  const answers = ['a', 'b'].map((name) => ask(gateway.url, named(name)));
  await until(() => engine.names().length === 2);
  answers.push(ask(gateway.url, named('c')));
  await until(() => gateway.gateway.queued('m') === 1);
  engine.first('a');
  await until(() => engine.names().length === 3);
  expect([engine.names().at(-1), gateway.gateway.queued('m')]).toEqual(['c', 0]);
  for (const name of ['b', 'c']) engine.first(name);
  for (const name of ['a', 'b', 'c']) engine.end(name);
  for (const answer of answers) expect(await (await answer).text()).toContain('[DONE]');
});

test('without a limit in the plan all of them go at once', async () => {
  const engine = await streamingPod();
  const gateway = await gatewayWith({ 'ns/a': [engine.pod] });
  const answers = ['a', 'b', 'c', 'd'].map((name) => ask(gateway.url, named(name)));
  await until(() => engine.names().length === 4);
  for (const name of ['a', 'b', 'c', 'd']) engine.end(name);
  await Promise.all(answers);
});

test('who leaves the queue is not waited for, and who leaves a pod makes room', async () => {
  const engine = await streamingPod();
  const gateway = await gatewayWith({ 'ns/a': [engine.pod] }, 60);
  const [leaver, sitter] = [new AbortController(), new AbortController()];
  const asking = (name: string, signal?: AbortSignal) =>
    fetch(`${gateway.url}/v1/completions`, {
      ...{ method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(named(name)) },
      ...(signal === undefined ? {} : { signal }),
    });
  const first = asking('a', sitter.signal).catch(() => null);
  await until(() => engine.names().length === 1);
  const second = asking('b').catch(() => null);
  await until(() => engine.names().length === 2);
  const third = asking('c', leaver.signal).catch(() => null);
  await until(() => gateway.gateway.queued('m') === 1);
  const fourth = asking('d');
  await until(() => gateway.gateway.queued('m') === 2);
  leaver.abort();
  await until(() => gateway.gateway.queued('m') === 1);
  sitter.abort();
  await until(() => engine.names().length === 3);
  expect(engine.names()).toEqual(['a', 'b', 'd']);
  for (const name of ['b', 'd']) engine.end(name);
  expect((await fourth).status).toBe(200);
  await Promise.all([first, second, third]);
});

test('a pod that comes takes those who wait for another; those of a pod that goes are given to others', async () => {
  const [one, two] = [await streamingPod(), await streamingPod()];
  const gateway = await gatewayWith({ 'ns/a': [one.pod] }, 60);
  const answers = ['a', 'b', 'c', 'd', 'e'].map((name) => ask(gateway.url, named(name)));
  await until(() => one.names().length === 2 && gateway.gateway.queued('m') === 3);
  gateway.set({ 'ns/a': [one.pod, two.pod] });
  await until(() => two.names().length === 2);
  expect(gateway.gateway.queued('m')).toBe(1);
  gateway.set({ 'ns/a': [two.pod] });
  two.first(two.names()[0]!);
  await until(() => two.names().length === 3);
  for (const name of one.names()) one.end(name);
  for (const name of two.names()) two.end(name);
  for (const answer of answers) expect((await answer).status).toBe(200);
});

test('where answers come whole, nobody waits in a queue', async () => {
  const engine = await streamingPod();
  const gateway = await gatewayWith({ 'ns/a': [engine.pod] }, 60);
  for (let index = 0; index < 30; index += 1) {
    const answer = ask(gateway.url, named(`whole ${index}`));
    await until(() => engine.names().length === index + 1);
    engine.end(`whole ${index}`);
    await (await answer).text();
  }
  const many = ['a', 'b', 'c', 'd'].map((name) => ask(gateway.url, named(name)));
  await until(() => engine.names().length === 34);
  for (const name of ['a', 'b', 'c', 'd']) engine.end(name);
  await Promise.all(many);
});
