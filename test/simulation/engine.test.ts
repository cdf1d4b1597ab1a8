import { describe, expect, test } from 'vitest';
import { createEngine, type EngineRequest, type EngineSpeed } from '../../src/simulation/engine.ts';
import { engineSpeed } from '../../src/simulation/engine-speeds.ts';
import { exponential, seeded } from '../../src/vocabulary/random.ts';

const speed: EngineSpeed = {
  iterationSeconds: 0.01,
  secondsPerCachedToken: 0,
  secondsPerPromptToken: 0.001,
  secondsPerPromptPair: 0,
  promptTokensPerIteration: 100,
  cacheTokens: 10_000,
  maxRunning: 8,
};
interface Named extends EngineRequest {
  readonly name: string;
}
const request = (name: string, inputTokens: number, outputTokens: number): Named => ({
  name,
  inputTokens,
  outputTokens,
});

/** What an engine tells of requests that arrive at these times. */
const told = (
  engineOf: EngineSpeed,
  arrivals: readonly (readonly [number, Named])[],
  { everyToken = false, stops = [] as readonly number[] } = {},
): string[] => {
  const events: string[] = [];
  const engine = createEngine<Named>(
    engineOf,
    (kind, { name }, time) => {
      if (kind !== 'token') events.push(`${name} ${kind} ${time.toFixed(6)}`);
    },
    { everyToken },
  );
  const moments = [...new Set([...arrivals.map(([time]) => time), ...stops])].sort((a, b) => a - b);
  for (const moment of moments) {
    engine.advance(moment);
    for (const [time, one] of arrivals) if (time === moment) engine.submit(one, time);
  }
  engine.advance(Number.POSITIVE_INFINITY);
  return events;
};

describe('one request by itself', () => {
  test('its prompt is read in parts, then each iteration makes a token', () => {
    // 100 + 100 + 50 tokens in three iterations of 0.11, 0.11 and 0.06 s; four more tokens of 0.01 s.
    expect(told(speed, [[1, request('a', 250, 5)]])).toEqual(['a firstToken 1.280000', 'a done 1.320000']);
  });

  test('a single token is the first and the last', () => {
    expect(told(speed, [[0, request('a', 100, 1)]])).toEqual(['a firstToken 0.110000', 'a done 0.110000']);
  });

  test('its cache grows by a token per iteration, and so does their length', () => {
    const growing = { ...speed, secondsPerCachedToken: 0.001 };
    // After the prompt 101, 102 and 103 tokens are cached.
    expect(told(growing, [[0, request('a', 100, 4)]])[1]).toBe(`a done ${(0.11 + 3 * 0.01 + 0.306).toFixed(6)}`);
  });

  test('attention adds what the pairs of the whole prompt cost, in however many parts', () => {
    const pairs = { ...speed, secondsPerPromptPair: 1e-6 };
    expect(told(pairs, [[0, request('a', 250, 1)]])[0]).toBe(`a firstToken ${(0.28 + 250 * 250 * 1e-6).toFixed(6)}`);
  });
});

describe('several requests', () => {
  test('one that comes in mid-iteration joins at its end and slows the others down', () => {
    const events = told(speed, [
      [0, request('a', 100, 11)],
      [0.135, request('b', 100, 2)],
    ]);
    // Iterations end at 0.11, 0.12, 0.13, 0.14; b is read from 0.14 to 0.25.
    expect(events).toEqual(['a firstToken 0.110000', 'b firstToken 0.250000', 'b done 0.260000', 'a done 0.310000']);
  });

  test('a request waits in order while the cache is promised to others', () => {
    const small = { ...speed, cacheTokens: 300, promptTokensPerIteration: 1000 };
    const engine = createEngine<Named>(small, () => {});
    for (const name of ['a', 'b', 'c']) engine.submit(request(name, 100, 50), 0);
    engine.advance(0);
    engine.nextEventAt();
    expect([engine.running(), engine.waiting()]).toEqual([2, 1]);
  });

  test('it also waits while the next iteration has no tokens left for its prompt', () => {
    const engine = createEngine<Named>(speed, () => {});
    for (const name of ['a', 'b', 'c']) engine.submit(request(name, 60, 50), 0);
    engine.nextEventAt();
    expect([engine.running(), engine.waiting(), engine.unread()]).toEqual([2, 1, 3]);
  });

  test('one that is larger than the cache runs alone', () => {
    const events = told({ ...speed, cacheTokens: 10 }, [
      [0, request('a', 100, 2)],
      [0, request('b', 100, 2)],
    ]);
    expect(events.map((event) => event.split(' ').slice(0, 2).join(' '))).toEqual([
      'a firstToken',
      'a done',
      'b firstToken',
      'b done',
    ]);
  });
});

/** 300 Poisson arrivals of mixed sizes. */
const crowd = (seed: number): (readonly [number, Named])[] => {
  const random = seeded(seed);
  let time = 0;
  return Array.from({ length: 300 }, (_, index) => {
    time += exponential(random, 0.15);
    return [time, request(`r${index}`, 1 + Math.floor(2000 * random()), 1 + Math.floor(400 * random()))] as const;
  });
};
const small = { ...engineSpeed('L40S'), cacheTokens: 40_000, maxRunning: 40 };

test('how often time is moved changes nothing', () => {
  const random = seeded(5);
  const stops = Array.from({ length: 500 }, () => 60 * random());
  expect(told(small, crowd(1), { stops })).toEqual(told(small, crowd(1)));
});

test('iterations computed at once come to the same as one after the other', () => {
  const at = (events: readonly string[]) =>
    new Map(events.map((event) => [event.split(' ').slice(0, 2).join(' '), Number(event.split(' ')[2])]));
  const [fast, slow] = [at(told(small, crowd(2))), at(told(small, crowd(2), { everyToken: true }))];
  expect(fast.size).toBe(600);
  for (const [event, time] of slow) expect(fast.get(event)).toBeCloseTo(time, 4);
});

test('every token is told, the first one as such', () => {
  const kinds: string[] = [];
  const engine = createEngine<Named>(speed, (kind) => kinds.push(kind), { everyToken: true });
  engine.submit(request('a', 10, 4), 0);
  engine.advance(1);
  expect(kinds).toEqual(['firstToken', 'token', 'token', 'token', 'done']);
});
