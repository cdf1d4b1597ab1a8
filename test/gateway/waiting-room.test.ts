import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { restTimer, type Waiter, waitingRoom } from '../../src/gateway/waiting-room.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => vi.useRealTimers());

/** A room in which what there is for a request is said by its name; and the order in which they were let go. */
const opened = (requests = 10, bytes = 1000) => {
  const room = waitingRoom<string>({ requests, bytes });
  const free = new Set<string>();
  const out: string[] = [];
  const enter = (name: string, more: Partial<Waiter<string>> = {}) => {
    const ask = (): string | null => (free.delete(name) ? `place of ${name}` : null);
    const waiter = { arrivedAt: 0, bytes: 10, seconds: 60, signal: new AbortController().signal, choosy: false, ask, ...more };
    const turn = room.enter(waiter);
    void turn?.then((answer) => out.push(`${name}: ${answer}`));
    return turn;
  };
  return { room, free, out, enter };
};

test('who came first is asked first, also where it comes back later', async () => {
  const { room, free, out, enter } = opened();
  enter('second', { arrivedAt: 2 });
  enter('first', { arrivedAt: 1 });
  for (const name of ['first', 'second']) free.add(name);
  room.call();
  await vi.advanceTimersByTimeAsync(0);
  expect(out).toEqual(['first: place of first', 'second: place of second']);
  expect(room.waiting()).toBe(0);
});

test('with a limit on the first token those go first who can still be in time, and the late keep their share', () => {
  let now = 10;
  const service = { settings: () => ({ ttft: 5, serveLate: 0.25 }), untilFirstToken: () => 1, clock: () => now };
  const room = waitingRoom<string>({ requests: 20, bytes: 1000 }, service);
  const out: number[] = [];
  let places = 0;
  for (let arrivedAt = 1; arrivedAt <= 10; arrivedAt += 1) {
    const ask = (): string | null => {
      if (places === 0) return null;
      places -= 1;
      out.push(arrivedAt);
      return 'a place';
    };
    void room.enter({ arrivedAt, bytes: 1, seconds: 60, signal: new AbortController().signal, choosy: false, ask });
  }
  places = 4;
  room.call();
  // Until 11 s those can be in time who came after 6 s.
  expect(out).toEqual([7, 8, 9, 1]);
  now = 12;
  places = 10;
  room.call();
  expect(out.slice(4)).toEqual([10, 2, 3, 4, 5, 6]);
  expect(room.waiting()).toBe(0);
});

test('behind one that would take any pod and finds none nobody is asked; behind a choosy one the next is', async () => {
  const { room, free, enter } = opened();
  enter('choosy', { arrivedAt: 1, choosy: true });
  enter('any', { arrivedAt: 2 });
  enter('last', { arrivedAt: 3 });
  free.add('last');
  room.call();
  expect([room.waiting(), free.has('last')]).toEqual([3, true]);
  free.add('any');
  room.call();
  expect([room.waiting(), free.size]).toEqual([1, 0]);
});

test('it is crowded by those who would take any pod alone', () => {
  const { room, enter } = opened();
  enter('choosy', { choosy: true });
  expect(room.crowded()).toBe(false);
  enter('any');
  expect(room.crowded()).toBe(true);
});

test('there is room for so many requests and so many bytes, and again for those that have gone', () => {
  const { enter } = opened(2, 100);
  const leaves = new AbortController();
  enter('a', { bytes: 60, signal: leaves.signal });
  expect(enter('too large', { bytes: 41 })).toBeNull();
  enter('b', { bytes: 40 });
  expect(enter('one too many', { bytes: 0 })).toBeNull();
  leaves.abort();
  expect(enter('c', { bytes: 60 })).not.toBeNull();
});

test('who has waited too long or has left is told so, and holds nothing any more', async () => {
  const { room, out, enter } = opened();
  const leaves = new AbortController();
  enter('patient', { seconds: 5 });
  enter('leaver', { signal: leaves.signal });
  leaves.abort();
  await vi.advanceTimersByTimeAsync(5000);
  expect(out).toEqual(['leaver: left', 'patient: timeout']);
  expect([room.waiting(), vi.getTimerCount()]).toEqual([0, 0]);
  await expect(enter('gone before', { signal: leaves.signal })).resolves.toBe('left');
});

test('the first end of a rest is called once; set again, the timer forgets the last one', () => {
  const pod = (restsUntil: number) => ({ restsUntil }) as never;
  const timer = restTimer(() => Date.now() / 1000);
  const now = Date.now() / 1000;
  const rested = vi.fn();
  timer.set([pod(now + 9), pod(now + 2), pod(now - 1)], rested);
  timer.set([pod(now + 9), pod(now + 4)], rested);
  vi.advanceTimersByTime(3999);
  expect(rested).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(rested).toHaveBeenCalledTimes(1);
  timer.set([pod(now)], rested);
  expect(vi.getTimerCount()).toBe(0);
});
