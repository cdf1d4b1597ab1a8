import { describe, expect, test } from 'vitest';
import { type BranchOptions, branch } from '../../src/solver/branch.ts';
import type { Program } from '../../src/solver/program.ts';
import { example } from './worked-example.ts';

const options: BranchOptions = {
  nodeLimit: 1000,
  tieLimit: 100,
  unit: 0,
  known: null,
  trusted: false,
  gapTolerance: 1e-11,
  prefers: () => false,
  favourite: () => {},
};
const search = (program: Program, more: Partial<BranchOptions> = {}) => {
  const { mix, ...rest } = branch(program, program.loads, { ...options, ...more });
  return { ...rest, mix: mix === null ? null : [...mix] };
};

test('bounds within which nothing carries the demand', () => {
  expect(search({ ...example, upper: Float64Array.of(0, 4) })).toMatchObject({ status: 'infeasible', mix: null });
});

describe('a search that must stop early', () => {
  test('before its first node it knows nothing', () => {
    expect(search(example, { nodeLimit: 0 })).toMatchObject({ status: 'stopped', mix: null, nodes: 0 });
  });

  test('after its first node it has the root rounded up, and the root’s bound', () => {
    const { status, mix, cost, bound } = search(example, { nodeLimit: 1 });
    expect({ status, mix, cost }).toEqual({ status: 'feasible', mix: [2, 1], cost: 9 });
    expect(bound).toBeCloseTo(6.2, 9);
  });
});

describe('a known mix', () => {
  test('is what a search without nodes answers', () => {
    expect(search(example, { nodeLimit: 0, known: [2, 0] })).toMatchObject({ mix: [2, 0], cost: 8 });
  });

  test('does not count where it does not carry the demand, or breaks a bound', () => {
    expect(search(example, { nodeLimit: 0, known: [1, 2] }).mix).toBeNull();
    expect(search(example, { nodeLimit: 0, known: [3, 0] }).mix).toBeNull();
  });

  test('changes no optimum', () => {
    expect(search(example, { known: [2, 0] })).toMatchObject({ status: 'optimal', mix: [1, 3], cost: 7 });
  });
});

test('within the gap that is tolerated the first mix is good enough', () => {
  const { status, mix, nodes, bound } = search(example, { gapTolerance: 0.5, tieLimit: 0 });
  expect({ status, mix, nodes }).toEqual({ status: 'feasible', mix: [2, 1], nodes: 1 });
  expect(bound).toBeCloseTo(6.2, 9);
});

test('of two mixes of the same cost the preferred one', () => {
  // Two types that are alike: one replica of either carries the class.
  const alike: Program = {
    types: 2,
    classes: 1,
    loads: Float64Array.of(1, 1),
    prices: Float64Array.of(1, 1),
    lower: new Float64Array(2),
    upper: Float64Array.of(1, 1),
  };
  const favouring = (liked: number): Partial<BranchOptions> => ({
    prefers: (mix, other) => mix[liked]! > other[liked]!,
    favourite: (_lower, upper, mix) => mix.set(upper),
  });
  expect(search(alike, favouring(0))).toMatchObject({ mix: [1, 0], cost: 1 });
  expect(search(alike, favouring(1))).toMatchObject({ mix: [0, 1], cost: 1 });
});
