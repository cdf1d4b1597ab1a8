import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { chooser, type PodQuestion } from '../../src/gateway/choose-pod.ts';
import type { GatewayMetrics } from '../../src/gateway/gateway-metrics.ts';
import { createModelPods, type Pod } from '../../src/gateway/model-pods.ts';
import type { GatewayRequest } from '../../src/gateway/openai-request.ts';
import type { AnswerReader } from '../../src/gateway/pod-connections.ts';
import { createGateway } from '../../src/gateway/proxy.ts';
import { seeded } from '../../src/vocabulary/random.ts';
import type { RoutingPlan } from '../../src/vocabulary/routing-plan.ts';
import { requestCounts } from '../../src/workload/request-counts.ts';

/**
 * Random fleets, plans and pods: who waits for a place must get it when there is one, and must not be asked for without end
 * when there is none. Timers are the test's, pods answer at once or when they are told to.
 */
const [states, worlds] = [100_000, 10_000];

/** What the chooser was asked for each request, by its tokens, and what it said last. */
const asked = vi.hoisted(() => ({ counts: new Map<number, number>(), last: new Map<number, unknown>(), since: 0 }));
vi.mock(import('../../src/gateway/choose-pod.ts'), async (original) => {
  const real = await original();
  const counted: typeof real.chooser = (overflow) => {
    const choose = real.chooser(overflow);
    return (asking: PodQuestion) => {
      asked.since += 1;
      if (asked.since > 1000) throw new Error('it spins');
      const choice = choose(asking);
      asked.counts.set(asking.inputTokens, (asked.counts.get(asking.inputTokens) ?? 0) + 1);
      asked.last.set(asking.inputTokens, asking.tried.size === 0 ? choice : null);
      return choice;
    };
  };
  return { ...real, chooser: counted };
});

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => vi.useRealTimers());

const silent: GatewayMetrics = {
  registry: null as never,
  firstByte: () => {},
  answered: () => {},
  tokens: () => {},
  held: () => {},
  retried: () => {},
  rejected: () => {},
};

class Client extends EventEmitter {
  destroyed = false;
  headersSent = false;
  over = false;
  setHeader(): void {}
  writeHead(): this {
    this.headersSent = true;
    return this;
  }
  write = () => true;
  end(): void {
    this.over = true;
  }
  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.emit('close');
  }
}

type Habit = 'answers' | 'answers later' | 'breaks off' | 'refuses the connection' | 429 | 503;
const habits: readonly Habit[] = ['answers', 'answers later', 'answers later', 'breaks off', 'refuses the connection', 429, 503];

const names = ['ns/a', 'ns/b', 'ns/c'] as const;
const planOf = (random: () => number): RoutingPlan | null => {
  if (random() < 0.15) return null;
  const some = (value: () => number, chance: number) =>
    Object.fromEntries(names.flatMap((name) => (random() < chance ? [[name, value()]] : [])));
  const shares = some(() => 0.1 + random(), 0.7);
  return {
    version: 1,
    model: 'm',
    created: 0,
    expires: 1e12,
    classes: [{ fromTokens: 0, toTokens: null, shares }],
    ready: {},
    planned: {},
    concurrency: some(() => 1 + Math.floor(2 * random()), 0.9),
  };
};

const world = (random: () => number) => {
  const attempts = 1 + Math.floor(4 * random());
  const overflow = 1 + random() / 2;
  const modelPods = createModelPods();
  let plan = planOf(random);
  const habitOf = new Map<string, Habit>();
  const later = new Set<() => void>();
  /** Pods that there are or were. */
  const known = new Set<Pod>();
  /** Answers that have ended: each frees a place. */
  let freed = 0;
  const counts = requestCounts(10);
  const gateway = createGateway(
    {
      modelPods,
      plan: () => plan,
      connections: {
        ask: ({ origin }, reader) => {
          const habit = habitOf.get(origin)!;
          const ended = habit === 'answers later' ? undefined : Promise.resolve(said(habit, reader));
          if (ended !== undefined) {
            freed += 1;
            return { ended, resume: () => {}, abort: () => {} };
          }
          const { promise, resolve } = Promise.withResolvers<string | null>();
          const finish = (answers: boolean): void => {
            if (!later.delete(end)) return;
            freed += 1;
            resolve(answers ? said('answers', reader) : null);
          };
          const end = (): void => finish(true);
          later.add(end);
          return { ended: promise, resume: () => {}, abort: () => finish(false) };
        },
        close: async () => {},
      },
      counts,
      metrics: silent,
      clock: () => performance.now() / 1000,
      unreachable: () => null,
      onNoPods: () => {},
    },
    {
      overflow,
      serveLate: 0.1,
      mostRequests: 100,
      heldRequests: 4,
      heldBytes: 1e6,
      heldSeconds: 5 + 20 * random(),
      attempts,
      requestSeconds: 60,
    },
  );
  const setFleet = (most: number): void => {
    const variants = new Map(
      names.map((name) => [
        name,
        Array.from({ length: Math.floor((most + 1) * random()) }, (_, index) => `http://${name}-${index}`),
      ]),
    );
    for (const origin of [...variants.values()].flat())
      if (!habitOf.has(origin)) habitOf.set(origin, habits[Math.floor(random() * habits.length)]!);
    modelPods.update(new Map([['m', variants]]));
    for (const pod of [...modelPods.variants('m')!.values()].flat()) known.add(pod);
  };
  setFleet(2);
  // What was there before: some are resting, and others busy with requests that end one by one.
  const busy = new Set<() => void>();
  for (const pod of [...modelPods.variants('m')!.values()].flat()) {
    if (random() < 0.3) pod.restsUntil = performance.now() / 1000 + random();
    if (random() < 0.4) {
      pod.requests += 2;
      busy.add(() => {
        pod.requests -= 2;
      });
    }
  }
  const clients: { readonly client: Client; readonly tokens: number; readonly since: number; over: boolean }[] = [];
  let wakeUps = 0;
  const arrive = (): void => {
    const one = { client: new Client(), tokens: 1000 + clients.length, since: wakeUps - 1 + freed, over: false };
    clients.push(one);
    const request: GatewayRequest = {
      call: 'completions',
      model: 'm',
      body: 'x',
      ownBody: null,
      previousResponse: null,
      stream: false,
      usageAsked: false,
      characters: 0,
      parts: { image: 0, audio: 0, other: 0 },
      tokens: one.tokens,
      mostOutputTokens: 10,
    };
    void gateway.serve(request, '/', {}, one.client as unknown as ServerResponse).finally(() => {
      one.over = true;
    });
  };
  const first = <Item>(items: Set<Item>): Item | undefined => {
    const [item] = items;
    if (item !== undefined) items.delete(item);
    return item;
  };
  const events: readonly (() => void)[] = [
    arrive,
    arrive,
    arrive,
    () => [...later][Math.floor(random() * later.size)]?.(),
    () => void vi.advanceTimersToNextTimer(),
    () => void vi.advanceTimersByTime(1000 * random()),
    () => {
      first(busy)?.();
      gateway.podsChanged();
    },
    // Somebody leaves just when it has been given a place.
    () => {
      first(busy)?.();
      gateway.podsChanged();
      for (const { client, over } of clients) if (!over && random() < 0.7) client.destroy();
    },
    () => {
      setFleet(2);
      gateway.podsChanged();
    },
    () => {
      plan = planOf(random);
      gateway.podsChanged();
    },
    () => clients[Math.floor(random() * clients.length)]?.client.destroy(),
  ];
  return {
    gateway,
    known,
    counts,
    clients,
    happen: (): void => {
      wakeUps += 1;
      events[Math.floor(random() * events.length)]!();
    },
    /** Most times that a request may have chosen by now. */
    mostChoices: (since: number): number => habitOf.size * attempts + wakeUps + freed - since,
    /** Whether one that would take any pod finds one. */
    hasRoom: (): boolean => {
      const asking = { variants: modelPods.variants('m')!, plan, inputTokens: 0, tried: new Set<never>() };
      const before = asked.since;
      const choice = chooser(overflow)({ ...asking, now: performance.now() / 1000 });
      asked.since = before;
      return typeof choice === 'object';
    },
    /** Everything that is under way ends. */
    end: async (): Promise<void> => {
      for (const finish of busy) finish();
      for (let turn = 0; turn < 200 && clients.some(({ over }) => !over); turn += 1) {
        for (const finish of [...later]) finish();
        vi.advanceTimersToNextTimer();
        await settled();
      }
      await settled();
    },
  };
};

const said = (habit: Habit, reader: AnswerReader): string | null => {
  if (habit === 'refuses the connection') return 'connect ECONNREFUSED';
  if (reader.head(typeof habit === 'number' ? habit : 200, {})) reader.piece(Buffer.from('{}'));
  return habit === 'breaks off' ? 'other side closed' : null;
};

/** Microtask rounds until nothing has been asked for a while; what goes on without end is an error. */
const settled = async (): Promise<number> => {
  asked.since = 0;
  let [rounds, last, seen] = [0, 0, 0];
  while (rounds - last < 25) {
    rounds += 1;
    await Promise.resolve();
    if (asked.since !== seen) [last, seen] = [rounds, asked.since];
    if (rounds > 1000) throw new Error('it spins');
  }
  return last;
};

test(`in ${states} random states a request chooses a bounded number of times, and every place that is free is taken`, async () => {
  let [visited, mostRounds, waited, mostChosen] = [0, 0, 0, 0];
  for (let seed = 0; seed < worlds; seed += 1) {
    const random = seeded(seed);
    asked.counts.clear();
    asked.last.clear();
    const { gateway, known, counts, clients, happen, mostChoices, hasRoom, end } = world(random);
    const where = `world ${seed}`;
    for (let event = 0; event < states / worlds; event += 1) {
      happen();
      mostRounds = Math.max(mostRounds, await settled());
      visited += 1;
      for (const { tokens, since } of clients) {
        const chosen = asked.counts.get(tokens) ?? 0;
        mostChosen = Math.max(mostChosen, chosen);
        if (chosen > mostChoices(since)) throw new Error(`${where}: it chose ${chosen} times`);
      }
      waited += gateway.waiting('m');
      const leftBehind = clients.some(({ tokens, over }) => !over && /full|none/.test(String(asked.last.get(tokens))));
      if (leftBehind && hasRoom()) throw new Error(`${where}, event ${event}: there is room, and somebody waits`);
    }
    await end();
    if (!clients.every(({ over }) => over)) throw new Error(`${where}: somebody has no answer`);
    expect([gateway.waiting('m'), gateway.inFlight(), vi.getTimerCount()], where).toEqual([0, 0, 0]);
    const pods = [...known];
    expect(new Set(pods.flatMap(({ requests, outstandingTokens }) => [requests, outstandingTokens])), where).toEqual(
      new Set(pods.length === 0 ? [] : [0]),
    );
    expect(counts.counter('m').pending(), where).toBe(0);
  }
  expect(visited).toBe(states);
  expect(waited).toBeGreaterThan(states / 20);
  expect(mostRounds).toBeLessThanOrEqual(100);
});
