import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import type { Kubernetes } from '../../src/cluster/kubernetes-connection.ts';
import type { KubernetesObject } from '../../src/cluster/kubernetes-object.ts';
import { type Reflector, type ReflectorTiming, reflector } from '../../src/cluster/reflector.ts';
import { element } from '../../src/vocabulary/list-element.ts';

/**
 * A scripted API server in place of the real one: it has to expire versions, break off in the middle and fail at will. The
 * real one is watched in test/e2e/watch.e2e.ts.
 */
const scripted = () => {
  const lists: { query: string; at: number }[] = [];
  const watches: { query: URLSearchParams; at: number; body: PassThrough }[] = [];
  const answers = {
    list: () => ({ status: 200, body: page('1', []) }) as { status: number; body: unknown },
    watchStatus: 200,
    watchEndsAtOnce: false,
  };
  const opened = new EventEmitter();
  const kubernetes: Kubernetes = {
    namespace: 'default',
    request: async (_method, path) => {
      lists.push({ query: path.split('?')[1] ?? '', at: performance.now() });
      return answers.list();
    },
    stream: async (path, signal) => {
      const body = new PassThrough();
      signal.addEventListener('abort', () => body.destroy(signal.reason));
      if (answers.watchStatus === 200)
        watches.push({ query: new URLSearchParams(path.split('?')[1]), at: performance.now(), body });
      else body.end('{"message":"no"}');
      if (answers.watchEndsAtOnce) body.end();
      opened.emit('watch');
      return Object.assign(body, { statusCode: answers.watchStatus }) as never;
    },
  };
  return { kubernetes, lists, watches, answers };
};
const object = (name: string, version: string, labels = {}): KubernetesObject => ({
  metadata: { name, namespace: 'ns', resourceVersion: version, labels },
});
const page = (resourceVersion: string, items: readonly KubernetesObject[], more = {}) => ({
  metadata: { resourceVersion, ...more },
  items,
});
const event = (type: string, value: unknown) => `${JSON.stringify({ type, object: value })}\n`;

const timing: ReflectorTiming = { watchSeconds: 0.1, graceSeconds: 0.1, pauseSeconds: 0.01, longestPauseSeconds: 0.08 };
const running: Reflector<unknown>[] = [];
afterEach(() => {
  for (const one of running.splice(0)) one.stop();
});
const follow = (kubernetes: Kubernetes, more: { optional?: boolean; timing?: ReflectorTiming } = {}) => {
  const one = reflector<KubernetesObject, string>(
    kubernetes,
    {
      path: '/api/v1/things',
      keep: ({ metadata }) => (metadata.labels?.['drop'] ? null : (metadata.resourceVersion ?? '')),
      ...(more.optional ? { optional: true } : {}),
    },
    more.timing ?? { ...timing, watchSeconds: 60 },
    () => 1,
  );
  running.push(one);
  return one;
};
const until = async (holds: () => boolean) => {
  for (const deadline = performance.now() + 3000; !holds(); await sleep(2))
    if (performance.now() > deadline) throw new Error(`did not hold: ${holds}`);
};

test('lists page by page, then watches from the version of the list', async () => {
  const server = scripted();
  const pages = [page('7', [object('a', '3')], { continue: 'to&ken' }), page('7', [object('b', '4')])];
  server.answers.list = () => ({ status: 200, body: pages.shift() ?? page('7', []) });
  const one = follow(server.kubernetes);
  expect(one.synced()).toBe(false);
  await until(() => server.watches.length === 1);
  expect(one.synced()).toBe(true);
  expect(server.lists.map(({ query }) => query)).toEqual(['limit=250', 'limit=250&continue=to%26ken']);
  expect([...one.items]).toEqual([
    ['ns/a', '3'],
    ['ns/b', '4'],
  ]);
  expect(server.watches[0]?.query.get('resourceVersion')).toBe('7');
});

test('adds, changes, drops and forgets; a bookmark moves only the version', async () => {
  const server = scripted();
  const one = follow(server.kubernetes);
  await until(() => server.watches.length === 1);
  const [first] = server.watches;
  const whole =
    event('ADDED', object('a', '2')) +
    event('MODIFIED', object('a', '3')) +
    event('ADDED', object('b', '4')) +
    event('BOOKMARK', { metadata: { resourceVersion: '9' } });
  first?.body.write(whole.slice(0, 50));
  first?.body.write(whole.slice(50));
  await until(() => one.items.size === 2);
  first?.body.write(event('DELETED', object('a', '10')) + event('MODIFIED', object('b', '11', { drop: 'x' })));
  await until(() => one.items.size === 0);
  first?.body.end(event('BOOKMARK', { metadata: { resourceVersion: '12' } }));
  await until(() => server.watches.length === 2);
  expect(server.watches[1]?.query.get('resourceVersion')).toBe('12');
  expect(server.lists).toHaveLength(1);
});

test.each(['as an event', 'as a status'])('fault: 410 Gone %s: lists again, and what has vanished is forgotten', async (way) => {
  const server = scripted();
  server.answers.list = () => ({ status: 200, body: page('5', [object('a', '1')]) });
  const one = follow(server.kubernetes);
  await until(() => server.watches.length === 1);
  server.answers.list = () => ({ status: 200, body: page('50', [object('b', '40')]) });
  if (way === 'as an event') server.watches[0]?.body.write(event('ERROR', { code: 410, message: 'too old resource version' }));
  else {
    server.answers.watchStatus = 410;
    server.watches[0]?.body.end();
    await until(() => server.lists.length > 1);
    server.answers.watchStatus = 200;
  }
  await until(() => one.items.has('ns/b'));
  expect([...one.items.keys()]).toEqual(['ns/b']);
});

test('fault: a connection that dies without a word is given up, and the watch goes on from where it was', async () => {
  const server = scripted();
  const one = follow(server.kubernetes, { timing });
  await until(() => server.watches.length === 1);
  server.watches[0]?.body.write(event('ADDED', object('a', '8')));
  await until(() => server.watches.length === 2);
  expect((server.watches[1]?.at ?? 0) - (server.watches[0]?.at ?? 0)).toBeGreaterThan(190);
  expect(server.watches[1]?.query.get('resourceVersion')).toBe('8');
  expect(one.items.size).toBe(1);
});

test.each([
  { status: 500, problem: 'things: 500 no' },
  { status: 429, problem: 'things: 429 no' },
  { status: 403, problem: 'may not watch things: see the ClusterRole gpumix in manifests/: 403 no' },
])(
  'fault: a watch that answers $status is spaced out, named, and what was known stands; the first success ends it',
  async ({ status, problem }) => {
    const server = scripted();
    server.answers.list = () => ({ status: 200, body: page('5', [object('a', '1')]) });
    const one = follow(server.kubernetes);
    await until(() => server.watches.length === 1);
    server.answers.watchStatus = status;
    server.watches[0]?.body.end();
    await until(() => one.problem() !== null);
    expect(one.problem()).toBe(problem);
    expect(one.items.size).toBe(1);
    server.answers.watchStatus = 200;
    await until(() => server.watches.length === 2);
    expect(one.problem()).toBeNull();
  },
);

test('a list that we may not read is said with what gives the right', async () => {
  const server = scripted();
  server.answers.list = () => ({ status: 403, body: { message: 'things is forbidden: User "gpumix" cannot list' } });
  const one = follow(server.kubernetes, { optional: true });
  await until(() => one.problem() !== null);
  expect([one.synced(), one.problem()]).toEqual([
    false,
    'may not list things: see the ClusterRole gpumix in manifests/: 403 things is forbidden: User "gpumix" cannot list',
  ]);
});

test('attempts against a server that refuses everything stay few', async () => {
  const server = scripted();
  server.answers.list = () => ({ status: 503, body: 'away' });
  const one = follow(server.kubernetes);
  await sleep(400);
  // 10 + 20 + 40 + 80 + 80 ... ms, jitter at its longest.
  expect(server.lists.length).toBeLessThan(10);
  await until(() => server.lists.length > 2);
  expect([one.synced(), one.problem()]).toEqual([false, 'things: 503 away']);
});

test('a watch that is opened and ends at once is not asked for in a tight loop', async () => {
  const server = scripted();
  server.answers.watchEndsAtOnce = true;
  const one = follow(server.kubernetes);
  await until(() => server.watches.length > 4);
  const pauses = server.watches.slice(1).map(({ at }, i) => at - element(server.watches, i).at);
  // A timer may fire a millisecond early.
  expect(Math.min(...pauses)).toBeGreaterThan(timing.pauseSeconds * 1000 - 2);
  expect([one.synced(), one.problem()]).toEqual([true, null]);
});

test('a kind that the cluster does not know is an empty one where that may be, else not synced', async () => {
  const server = scripted();
  server.answers.list = () => ({ status: 404, body: 'page not found' });
  const one = follow(server.kubernetes, { optional: true });
  await until(() => one.synced());
  expect([one.items.size, one.problem()]).toEqual([0, null]);
  const other = follow(server.kubernetes);
  await until(() => server.lists.length > 2);
  expect(other.synced()).toBe(false);
});
