import { expect, test } from 'vitest';
import { serviceOrder } from '../../src/gateway/service-order.ts';

const settings = { ttft: 2, serveLate: 0.25 };
const arrivals = (...times: number[]) => times.map((arrivedAt) => ({ arrivedAt }));

/** Serves one request every `seconds` from a time on; when each of those that came was served, by its time of arrival. */
const served = (times: readonly number[], from: number, seconds: number, given = settings) => {
  const order = serviceOrder();
  const queue = arrivals(...times);
  for (const time of times) order.joined(time);
  const when = new Map<number, number>();
  for (let now = from; queue.length > 0; now += seconds) {
    const [one] = queue.splice(order.next(queue, now, 0, given), 1);
    order.taken(now, queue.length === 0);
    when.set(one!.arrivedAt, now);
  }
  return when;
};

test('while all can be in time, and once none can, who came first is first', () => {
  const order = serviceOrder();
  expect(order.next(arrivals(8, 9), 9, 0.5, settings)).toBe(0);
  expect(order.next(arrivals(1, 2), 9, 0.5, settings)).toBe(0);
});

test('late ones let those pass who can still be in time', () => {
  const order = serviceOrder();
  expect(order.next(arrivals(1, 2, 8, 9), 9, 0.5, settings)).toBe(2);
  // What it takes to read a prompt counts.
  expect(order.next(arrivals(1, 2, 8, 9), 9, 1.5, settings)).toBe(3);
});

test('they have their share of the turns all the same', () => {
  const order = serviceOrder();
  const queue = arrivals(1, 2, 3, ...Array.from({ length: 20 }, () => 8.9));
  const turns = Array.from({ length: 8 }, () => {
    const index = order.next(queue, 9, 0, settings);
    order.taken(9, false);
    return index === 0 ? 'late' : 'in time';
  });
  expect(turns.filter((turn) => turn === 'late')).toHaveLength(2);
});

test('a turn that could not be taken costs nothing', () => {
  const order = serviceOrder();
  const queue = arrivals(1, 8.9);
  for (let asked = 0; asked < 10; asked += 1) expect(order.next(queue, 9, 0, settings)).toBe(1);
});

test('with a share of 1 it is first come, first served', () => {
  const times = Array.from({ length: 40 }, (_, index) => index / 4);
  const when = served(times, 10, 0.3, { ttft: 2, serveLate: 1 });
  expect([...when.keys()]).toEqual(times);
});

test('nobody waits much longer than first come, first served would have made somebody wait', () => {
  // 4 requests a second come for a minute, 3.3 are served.
  const times = Array.from({ length: 240 }, (_, index) => index / 4);
  const wait = (given: typeof settings) => {
    const order = serviceOrder();
    const queue: { arrivedAt: number }[] = [];
    let [next, longest] = [0, 0];
    for (let now = 0; next < times.length || queue.length > 0; now += 0.3) {
      for (; next < times.length && times[next]! <= now; next += 1) {
        queue.push({ arrivedAt: times[next]! });
        order.joined(times[next]!);
      }
      if (queue.length === 0) continue;
      const [one] = queue.splice(order.next(queue, now, 0, given), 1);
      order.taken(now, queue.length === 0);
      longest = Math.max(longest, now - one!.arrivedAt);
    }
    return longest;
  };
  const first = wait({ ttft: 1, serveLate: 1 });
  expect(first).toBeGreaterThan(8);
  expect(wait({ ttft: 1, serveLate: 0 })).toBeLessThan(1.5 * first + 1);
});

test('who leaves without a turn is not waited for', () => {
  const order = serviceOrder();
  for (const time of [0, 1, 2]) order.joined(time);
  order.left(0);
  order.left(7);
  order.next(arrivals(1, 2), 2, 0, settings);
  order.taken(2, false);
  // Had 0 stayed, first come, first served would have made it wait for 2 s.
  expect(order.next(arrivals(2), 2.5, 0, settings)).toBe(0);
});
