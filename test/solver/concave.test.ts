import { expect, test } from 'vitest';
import { maximise, type Tangent } from '../../src/solver/concave.ts';
import { Random } from './random.ts';

const vector = (...values: number[]) => Float64Array.from(values);

/** height - sum (x_i - peak_i)^2 */
const hill =
  (height: number, ...peak: number[]) =>
  (x: Float64Array): Tangent => ({
    value: peak.reduce((value, top, i) => value - (x[i]! - top) ** 2, height),
    slope: x.map((each, i) => -2 * (each - peak[i]!)),
  });

/** The least of some planes, each by its height at 0 and its slope. */
const roof =
  (...planes: readonly (readonly number[])[]) =>
  (x: Float64Array): Tangent => {
    const [least] = planes
      .map(([height, ...slope]) => ({ value: slope.reduce((sum, s, i) => sum + s * x[i]!, height!), slope: vector(...slope) }))
      .sort((a, b) => a.value - b.value);
    return least!;
  };

test('the peak of a hill is found, from wherever the search starts', () => {
  for (const start of [vector(0, 0), vector(9, 9), vector(-10, 4)]) {
    const { x, value } = maximise(hill(7, 3, -1), {
      start,
      least: vector(-10, -10),
      most: vector(10, 10),
      radius: 1,
      enough: () => 1e-9,
      rounds: 300,
    });
    expect(value).toBeCloseTo(7, 6);
    expect([x[0], x[1]]).toEqual([expect.closeTo(3, 3), expect.closeTo(-1, 3)]);
  }
});

test('a peak beyond the limits is answered by the point of the limits below it', () => {
  const { x, value } = maximise(hill(0, 30, -1), {
    start: vector(0, 0),
    least: vector(-10, 2),
    most: vector(10, 10),
    radius: 1,
    enough: () => 1e-9,
    rounds: 300,
  });
  expect([x[0], x[1]]).toEqual([expect.closeTo(10, 9), expect.closeTo(2, 9)]);
  expect(value).toBeCloseTo(-409, 6);
});

test('the ridge of a roof is found exactly, though the trust region begins at a thousandth of the way', () => {
  // Up by 2 to x = 100, where it is 200, then down by 1.
  const { x, value } = maximise(roof([0, 2], [300, -1]), {
    start: vector(0),
    least: vector(0),
    most: vector(1000),
    radius: 0.1,
    enough: () => 1e-9,
    rounds: 60,
  });
  expect([x[0], value]).toEqual([expect.closeTo(100, 9), expect.closeTo(200, 9)]);
});

test('without a round, and where start is all that the limits allow, the start is the answer', () => {
  const at = hill(0, 3);
  const from = { start: vector(1), radius: 1, enough: () => 1e-9 };
  expect(maximise(at, { ...from, least: vector(0), most: vector(9), rounds: 0 })).toEqual({ x: vector(1), value: -4 });
  expect(maximise(at, { ...from, least: vector(1), most: vector(1), rounds: 50 })).toEqual({ x: vector(1), value: -4 });
});

test('the answer is the best point that was asked about', () => {
  for (let rounds = 0; rounds < 12; rounds++) {
    const asked: number[] = [];
    const at = (x: Float64Array) => {
      const tangent = hill(0, 3, -1, 2)(x);
      asked.push(tangent.value);
      return tangent;
    };
    const { x, value } = maximise(at, {
      start: vector(0, 0, 0),
      least: vector(-9, -9, -9),
      most: vector(9, 9, 9),
      radius: 4,
      enough: () => 1e-9,
      rounds,
    });
    expect([value, hill(0, 3, -1, 2)(x).value]).toEqual([Math.max(...asked), Math.max(...asked)]);
  }
});

test('where the search ends by itself nothing within the limits is better by more than what is enough', () => {
  const random = new Random(5);
  for (let i = 0; i < 200; i++) {
    const planes = Array.from({ length: random.whole(2, 6) }, () => [
      random.whole(0, 9),
      random.whole(-3, 3),
      random.whole(-3, 3),
    ]);
    const [at, enough] = [roof(...planes), random.pick([1e-9, 0.5, 4])];
    const { value } = maximise(at, {
      start: vector(2, 2),
      least: vector(-5, 0),
      most: vector(5, 8),
      radius: 0.5,
      enough: () => enough,
      rounds: 500,
    });
    for (let a = -5; a <= 5; a++)
      for (let b = 0; b <= 8; b++) expect(at(vector(a, b)).value, `${i}`).toBeLessThanOrEqual(value + enough + 1e-7);
  }
});
