import { expect, test } from 'vitest';
import { storeClock } from '../../src/gateway/store-clock.ts';

/** A store whose answers come when the test says so, and the clock of this host. */
const stage = () => {
  const at = { steady: 100, asked: 0 };
  let answer!: { tell: (time: number) => void; fail: () => void };
  const clock = storeClock(
    () => {
      at.asked += 1;
      return new Promise<number>((tell, reject) => {
        answer = { tell, fail: () => reject(new Error('ECONNREFUSED')) };
      });
    },
    () => at.steady,
    () => 4000 + at.steady,
  );
  /** A reading that takes so long (s). */
  const reading = async (seconds: number, told: number | null): Promise<void> => {
    const read = clock.read();
    at.steady += seconds;
    if (told === null) answer.fail();
    else answer.tell(told);
    await read;
  };
  return { at, clock, reading, tell: (time: number) => answer.tell(time) };
};

test('an answer tells the time of the middle of its way', async () => {
  const { clock, reading } = stage();
  await reading(0.4, 7000);
  expect(clock.now()).toBeCloseTo(7000.2, 9);
});

test('between readings the steady clock goes on, whatever this host thinks that the time is', async () => {
  const { at, clock, reading } = stage();
  expect(clock.now()).toBe(4100);
  await reading(0, 7000);
  at.steady += 25;
  expect([clock.now(), clock.steady()]).toEqual([7025, 125]);
});

test('the first answer counts however slow it is, later ones up to half a second', async () => {
  const { clock, reading } = stage();
  await reading(10, 7000);
  expect(clock.now()).toBe(7005);
  await reading(0.6, 8000);
  expect(clock.now()).toBeCloseTo(7005.6, 9);
  await reading(0.5, 8000);
  expect(clock.now()).toBeCloseTo(8000.25, 9);
});

test('a store that fails leaves the time as it was, and is asked again', async () => {
  const { at, clock, reading } = stage();
  await reading(0, 7000);
  await reading(3, null);
  expect([clock.now(), at.asked]).toEqual([7003, 2]);
  await reading(0, 9000);
  expect([clock.now(), at.asked]).toEqual([9000, 3]);
});

test('who reads while it is being read waits for the same answer', async () => {
  const { at, clock, tell } = stage();
  const reads = [clock.read(), clock.read()];
  tell(7000);
  await Promise.all(reads);
  expect([at.asked, clock.now()]).toEqual([1, 7000]);
});

test('an answer that nobody waited for any longer counts when it comes', async () => {
  const { at, clock, tell } = stage();
  await clock.read();
  expect(clock.now()).toBe(4100);
  at.steady += 2;
  tell(7000);
  await clock.read();
  expect([at.asked, clock.now()]).toEqual([1, 7001]);
});
