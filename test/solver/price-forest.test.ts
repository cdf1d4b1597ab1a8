import { describe, expect, test } from 'vitest';
import { Shares } from '../../src/solver/forest-shares.ts';
import { atLower, atUpper, basic, Forest } from '../../src/solver/price-forest.ts';

/** The worked example of program.ts: short, medium and long requests on A and B. */
const loads = Float64Array.of(0.2, 0.6, 0.5, 2.5, 0.9, Number.POSITIVE_INFINITY);
const [A, B, medium] = [0, 1, 1];
const started = () => {
  const forest = new Forest(2, 3);
  forest.start(Float64Array.of(4, 1), loads);
  return forest;
};
const members = ({ member, types }: Forest, k: number) => [...member.slice(k * types, (k + 1) * types)];

test('a new forest serves every class where it is cheapest, and every type is a root', () => {
  const forest = started();
  expect([...forest.server]).toEqual([B, A, A]);
  expect([...forest.status]).toEqual([basic, basic]);
  expect(forest.classValue).toBeCloseTo(6.2, 9);
});

test('a start forgets the splits that were there', () => {
  const forest = started();
  forest.split(medium, A, B);
  forest.start(Float64Array.of(4, 1), loads);
  expect(forest.splits).toBe(0);
  expect([...forest.member]).toEqual([0, 0, 0, 0]);
});

test('a copy has all of the other and shares nothing with it', () => {
  const [forest, copy] = [started(), new Forest(2, 3)];
  forest.split(medium, A, B);
  copy.copyFrom(forest);
  expect(copy).toEqual(forest);
  forest.leave(0, B);
  expect(copy.splits).toBe(1);
  expect(members(copy, 0)).toEqual([1, 1]);
});

describe('types that leave splits', () => {
  const twoSplits = () => {
    const forest = new Forest(3, 2);
    forest.split(0, 0, 1);
    forest.split(1, 1, 2);
    return forest;
  };

  test('the class goes to the type that is left, and the last split takes the place of its own', () => {
    const forest = twoSplits();
    forest.leave(0, 0);
    expect([...forest.server]).toEqual([1, -1]);
    expect(forest.splits).toBe(1);
    expect(forest.splitClass[0]).toBe(1);
    expect([members(forest, 0), members(forest, 1)]).toEqual([
      [0, 1, 1],
      [0, 0, 0],
    ]);
  });

  test('a class of three types stays split between the other two', () => {
    const forest = twoSplits();
    forest.member[2] = 1;
    forest.leave(0, 1);
    expect(forest.server[0]).toBe(-1);
    expect(members(forest, 0)).toEqual([1, 0, 1]);
  });
});

describe('shares', () => {
  const sharesOf = (forest: Forest) => {
    const shares = new Shares(2);
    shares.update(forest, loads, new Float64Array(2), Float64Array.of(1, 4));
    return shares;
  };

  test('a type at its upper bound takes what its other load leaves free, and the root takes the rest', () => {
    const forest = started();
    forest.split(medium, A, B);
    forest.status[A] = atUpper;
    const { need, share, rest, parent, above } = sharesOf(forest);
    expect([parent[0], above[A], above[B]]).toEqual([B, 0, -1]);
    expect([share[A], rest[0]]).toEqual([expect.closeTo(0.2, 9), expect.closeTo(0.8, 9)]);
    expect([...need]).toEqual([expect.closeTo(0.9, 9), expect.closeTo(2.6, 9)]);
  });

  test('a type at its lower bound of nothing takes less than nothing, which says that it must leave', () => {
    const forest = started();
    forest.split(medium, A, B);
    forest.status[A] = atLower;
    expect(sharesOf(forest).share[A]).toBeCloseTo(-1.8, 9);
  });

  test('a tree without a root is an error', () => {
    const forest = started();
    forest.status[A] = atLower;
    expect(() => sharesOf(forest)).toThrow('price forest lost a root');
  });
});
