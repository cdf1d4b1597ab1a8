import { describe, expect, test } from 'vitest';
import { Shares } from '../../src/solver/forest-shares.ts';
import { LongStep } from '../../src/solver/long-step.ts';
import { atLower, atUpper, basic, Forest, slack } from '../../src/solver/price-forest.ts';

const [A, B] = [0, 1];
const [short, medium, long] = [0, 1, 2];

/** One step of A alone, from the start of the worked example of program.ts. @param longOnB load of the long ones on B */
const stepOfA = (direction: 1 | -1, slope: number, longOnB = Number.POSITIVE_INFINITY) => {
  const loads = Float64Array.of(0.2, 0.6, 0.5, 2.5, 0.9, longOnB);
  const prices = Float64Array.of(4, 1);
  const [lower, upper] = [new Float64Array(2), Float64Array.of(1, 4)];
  const forest = new Forest(2, 3);
  forest.start(prices, loads);
  const shares = new Shares(2);
  shares.update(forest, loads, lower, upper);
  forest.status[A] = direction === 1 ? atUpper : atLower;
  const step = new LongStep(forest, loads, prices, lower, upper);
  const ended = step.run(Uint8Array.of(1, 0), shares, -1, direction, slope);
  return { ended, forest, gain: step.gain };
};

describe('up', () => {
  test('the class that spends the slope ties its two types at the price where both cost the same', () => {
    const { ended, forest, gain } = stepOfA(1, 1.6);
    expect(ended).toBe(true);
    expect(gain).toBeCloseTo(0.4, 9);
    expect(forest.pi[A]).toBeCloseTo(5, 9);
    expect(forest.splitClass[0]).toBe(medium);
    expect([...forest.member.slice(0, 2)]).toEqual([1, 1]);
  });

  test('a class that leaves some of the slope moves as a whole, and the step goes on to the next', () => {
    const { ended, forest, gain } = stepOfA(1, 2.2, 9);
    expect(ended).toBe(true);
    expect(gain).toBeCloseTo(0.25 * 2.2 + 1.25 * 0.2, 9);
    expect(forest.pi[A]).toBeCloseTo(10, 9);
    expect(forest.server[medium]).toBe(B);
    expect(forest.splitClass[0]).toBe(long);
  });

  test('the step has no end where nothing outside can relieve the type', () => {
    expect(stepOfA(1, 2.2).ended).toBe(false);
  });

  test('a type at its lower bound becomes basic at its own price', () => {
    const [loads, prices, lower, upper] = [Float64Array.of(1), Float64Array.of(4), Float64Array.of(0), Float64Array.of(1)];
    const forest = new Forest(1, 1);
    forest.start(prices, loads);
    const shares = new Shares(1);
    shares.update(forest, loads, lower, upper);
    forest.pi[A] = 2;
    forest.status[A] = atLower;
    const step = new LongStep(forest, loads, prices, lower, upper);
    expect(step.run(Uint8Array.of(1), shares, -1, 1, 2)).toBe(true);
    expect([forest.status[A], forest.pi[A], step.gain]).toEqual([basic, 4, 2]);
  });
});

describe('down', () => {
  test('a class from outside joins where it becomes as cheap inside', () => {
    const { ended, forest, gain } = stepOfA(-1, 0.4);
    expect(ended).toBe(true);
    expect(gain).toBeCloseTo(0.1, 9);
    expect(forest.pi[A]).toBeCloseTo(3, 9);
    expect(forest.splitClass[0]).toBe(short);
  });

  test('a price that nothing holds falls to as good as nothing, and the type is left with slack', () => {
    const { ended, forest } = stepOfA(-1, 2.4);
    expect(ended).toBe(true);
    expect(forest.server[short]).toBe(A);
    expect(forest.status[A]).toBe(slack);
    expect(forest.pi[A]).toBeCloseTo(0, 9);
    expect(forest.pi[A]).toBeGreaterThan(0);
  });
});
