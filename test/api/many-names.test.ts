import { expect, test } from 'vitest';
import { manyNames } from '../../src/api/many-names.ts';

const setUp = () => {
  const clock = { now: 0 };
  const names = manyNames(10, () => clock.now);
  const note = (times: number, collection = 'a') => {
    for (let time = 0; time < times; time += 1) names.note(collection);
  };
  return { clock, names, note };
};

test('16 of one collection are many, and another one is another', () => {
  const { names, note } = setUp();
  note(15);
  expect(names.asked('a')).toBe(false);
  note(1, 'b');
  expect(names.asked('a')).toBe(false);
  note(1);
  expect([names.asked('a'), names.asked('b')]).toEqual([true, false]);
});

test('they count through the next window and no longer', () => {
  const { clock, names, note } = setUp();
  clock.now = 9;
  note(10);
  clock.now = 11;
  note(6);
  expect(names.asked('a')).toBe(true);
  clock.now = 20;
  expect(names.asked('a')).toBe(false);
  note(10);
  expect(names.asked('a')).toBe(true);
  clock.now = 40;
  expect(names.asked('a')).toBe(false);
});

test('after a long silence everything is forgotten', () => {
  const { clock, names, note } = setUp();
  note(20);
  clock.now = 1e6;
  expect(names.asked('a')).toBe(false);
});
