import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type ArrivalOptions, countedArrivals } from '../../src/benchmark/arrivals.ts';
import { queueSeconds } from '../../src/benchmark/queue.ts';
import { seeded } from '../../src/vocabulary/random.ts';

const options: ArrivalOptions = { rate: 4, slo: { percentile: 99, ttft: 1 }, requests: 100, mostSeconds: 600 };

test.each([
  { name: 'three times a request, where that is longer', e2e: 10, from: 30 },
  { name: 'a queue takes to settle, where that is longer', e2e: 0.5, from: 4 },
])('the batch fills for as long as $name', ({ e2e, from }) => {
  expect(queueSeconds(options.slo, options.rate)).toBe(4);
  expect(countedArrivals(e2e, from - 0.01, options, seeded(1))).toBeNull();
  expect(countedArrivals(e2e, from, options, seeded(1))).not.toBeNull();
});

test('filling ends with the time that a probe may take at most', () => {
  expect(countedArrivals(1000, 599, options, seeded(1))).toBeNull();
  expect(countedArrivals(1000, 600, options, seeded(1))).not.toBeNull();
});

test('stage by stage, the requests that count come at the rate, whatever the chance', () => {
  const rates = fc.double({ min: 0.5, max: 50, noNaN: true });
  fc.assert(
    fc.property(rates, fc.integer({ min: 1, max: 300 }), fc.nat(), (rate, requests, seed) => {
      const arrivals = countedArrivals(1, 600, { ...options, rate, requests }, seeded(seed))!;
      let [place, seconds] = [0, 0];
      const run = () => {
        for (; place < arrivals.stage(); place += 1) {
          const gap = arrivals.gapBefore(place);
          expect(gap).toBeGreaterThan(0);
          seconds += gap;
        }
        expect(seconds).toBeCloseTo(arrivals.stage() / rate, 6);
        // Others go on coming while the last of the stage are waited for.
        expect(arrivals.gapBefore(place)).toBeGreaterThan(0);
      };
      run();
      expect(arrivals.stage()).toBeGreaterThanOrEqual(30);
      let before = arrivals.stage();
      for (let stages = 0; stages < 2 && arrivals.extend(); stages += 1) {
        expect(arrivals.stage()).toBe(2 * before);
        before = arrivals.stage();
        run();
      }
      expect(arrivals.stage()).toBeLessThanOrEqual(arrivals.most);
    }),
    { numRuns: 40 },
  );
});

test('doubling ends where these would be too many', () => {
  const arrivals = countedArrivals(1, 600, options, seeded(1))!;
  let stages = 1;
  while (arrivals.extend()) stages += 1;
  expect([arrivals.stage(), stages]).toEqual([arrivals.most, Math.log2(arrivals.most / 100) + 1]);
  expect(2 * arrivals.most).toBeGreaterThan(Math.min(options.rate * options.mostSeconds, 64 * options.requests));
  expect(arrivals.extend()).toBe(false);
});

test('a queue takes as long as it takes to go at random as far as the limit, or to be driven there', () => {
  const ttft = (seconds: number, rate: number) => queueSeconds({ percentile: 99, ttft: seconds }, rate);
  expect([ttft(1, 4), ttft(2, 4), ttft(1, 1000), queueSeconds({ percentile: 99 }, 4)]).toEqual([4, 16, 20, 0]);
  expect(queueSeconds({ percentile: 99, e2e: 2 }, 4)).toBe(16);
});
