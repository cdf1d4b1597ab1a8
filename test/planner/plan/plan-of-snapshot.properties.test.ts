import { expect, test } from 'vitest';
import { instance } from '../../../hack/bench/instances.ts';
import { planOf } from '../../../src/planner/plan/plan-of-snapshot.ts';
import type { BranchOptions } from '../../../src/solver/branch.ts';
import { branch } from '../../../src/solver/branch.ts';
import { withoutDominated } from '../../../src/solver/one-model.ts';
import { dualBound, fullLoads, lineScale, type Program, replicasFor } from '../../../src/solver/program.ts';
import { Relaxation, type RelaxationStatus } from '../../../src/solver/relaxation.ts';
import { twoTypes } from '../../../src/solver/two-types.ts';
import { routerKnowledges, type Snapshot } from '../../../src/vocabulary/planning-documents.ts';
import { mostServed } from '../../solver/brute-force.ts';
import { overload } from '../../solver/highs.ts';
import { Random } from '../../solver/random.ts';
import { smallSnapshot } from '../../solver/snapshots.ts';

/** Snapshots that are solved to optimality, of all four modes; each property counts how many it covered. */
const solved = routerKnowledges.flatMap((routing) =>
  Array.from({ length: 60 }, (_, i) => smallSnapshot(400_000 + i, routing).snapshot)
    .map((snapshot) => ({ snapshot, cost: planOf(snapshot).cost, status: planOf(snapshot).status }))
    .filter(({ status }) => status === 'optimal'),
);

const mapVariants = (snapshot: Snapshot, change: (variant: Snapshot['models'][0]['variants'][0]) => object): Snapshot => ({
  ...snapshot,
  models: snapshot.models.map((model) => ({
    ...model,
    variants: model.variants.map((variant) => ({ ...variant, ...change(variant) })),
  })),
});

test('there are cases for the properties', () => {
  expect(solved.length).toBeGreaterThan(120);
});

test('more demand never costs less', () => {
  let covered = 0;
  for (const { snapshot, cost } of solved) {
    const models = snapshot.models.map((model) => ({
      ...model,
      demand: model.demand.map((row) => ({ ...row, arrivalRate: row.arrivalRate * 1.3 })),
    }));
    const more = planOf({ ...snapshot, models });
    if (more.status !== 'optimal') continue;
    covered++;
    expect(more.cost).toBeGreaterThanOrEqual(cost * (1 - 1e-9));
  }
  expect(covered).toBeGreaterThan(80);
});

test('a looser bound, more stock or no budget never costs more', () => {
  for (const { snapshot, cost } of solved) {
    const looser = mapVariants(snapshot, ({ minReplicas, maxReplicas }) => ({
      minReplicas: snapshot.routing === 'size' || snapshot.routing === 'input' ? Math.max(0, minReplicas - 1) : minReplicas,
      maxReplicas: maxReplicas! + 1,
    }));
    const stock = Object.fromEntries(Object.entries(snapshot.stock).map(([gpu, count]) => [gpu, count + 1]));
    expect(planOf({ ...looser, stock, budget: null }).cost).toBeLessThanOrEqual(cost * (1 + 1e-9));
  }
});

test('one more variant that need not be used never costs more', () => {
  for (const { snapshot, cost } of solved) {
    const models = snapshot.models.map((model) => ({
      ...model,
      variants: [...model.variants, { ...model.variants[0]!, name: `${model.name}/extra`, gpu: 'E', price: 2.5, minReplicas: 0 }],
    }));
    expect(planOf({ ...snapshot, models }).cost).toBeLessThanOrEqual(cost * (1 + 1e-9));
  }
});

test('doubled prices double the cost', () => {
  for (const { snapshot, cost } of solved) {
    const doubled = mapVariants({ ...snapshot, budget: null }, ({ price }) => ({ price: 2 * price }));
    expect(planOf(doubled).cost).toBeCloseTo(2 * cost, 8);
  }
});

test('a router that knows more never costs more', () => {
  let covered = 0;
  for (const { snapshot } of solved.filter(({ snapshot: { routing } }) => routing === 'none')) {
    if (snapshot.models.some(({ variants }) => variants.some(({ throughput }) => throughput.includes(0)))) continue;
    covered++;
    const cost = (routing: Snapshot['routing']) => planOf({ ...snapshot, routing }).cost;
    expect(cost('size')).toBeLessThanOrEqual(cost('input') * (1 + 1e-9));
    expect(cost('input')).toBeLessThanOrEqual(cost('none') * (1 + 1e-9));
  }
  expect(covered).toBeGreaterThan(5);
});

const options: BranchOptions = {
  ...{ nodeLimit: 100_000, tieLimit: 400, unit: 0, known: null, trusted: false, gapTolerance: 1e-11 },
  favourite: (_, upper, mix) => mix.set(upper),
  prefers: (a, b) => {
    const at = a.findIndex((replicas, g) => replicas !== b[g]);
    return at >= 0 && a[at]! > b[at]!;
  },
};
const scaled = ({ loads }: Program) => loads.map((load) => load / lineScale);
const bounded = (program: Program): Program => {
  const full = fullLoads(program);
  return {
    ...program,
    upper: program.upper.map((most, g) => Math.min(most, Math.max(program.lower[g]!, Math.ceil(full[g]!)))),
  };
};

test('relaxation <= optimum <= everything rounded up, and the bound is what its prices say', () => {
  let bound = 0;
  for (let i = 0; i < 150; i++) {
    const program = bounded(instance(31_000 + i, { types: 2 + (i % 7) }));
    const relaxation = new Relaxation(program, scaled(program));
    if (relaxation.solve(Number.POSITIVE_INFINITY) !== 'optimal') continue;
    const optimum = branch(program, scaled(program), options);
    const rounded = program.prices.reduce((sum, price, g) => sum + price * Math.ceil(relaxation.replicas(g)), 0);
    expect(relaxation.bound).toBeLessThanOrEqual(optimum.cost * (1 + 1e-12));
    expect(optimum.cost).toBeLessThanOrEqual(rounded * (1 + 1e-12));
    expect(relaxation.certifiedBound() / relaxation.incrementalBound).toBeCloseTo(1, 10);
    bound++;
  }
  expect(bound).toBeGreaterThan(120);
});

test('two slices of a class cost what the class costs', () => {
  for (let i = 0; i < 60; i++) {
    const program = bounded(instance(32_000 + i, { types: 3, classes: 20 }));
    const loads = Float64Array.from({ length: 2 * program.loads.length }, (_, at) => {
      const load = program.loads[at % program.loads.length]!;
      return load * (at < program.loads.length ? 0.3 : 0.7);
    });
    const sliced = { ...program, classes: 2 * program.classes, loads };
    expect(branch(sliced, scaled(sliced), options).cost).toBeCloseTo(branch(program, scaled(program), options).cost, 9);
  }
});

/** Whole numbers everywhere: many mixes cost the same, and every reduced cost that can be 0 is. */
const integerProgram = (random: Random): Program => {
  const types = random.whole(1, 4);
  const classes = random.whole(1, 5);
  const loads = Float64Array.from({ length: types * classes }, (_, at) =>
    at % types > 0 && random.chance(0.15) ? Number.POSITIVE_INFINITY : random.whole(1, 6) / random.pick([1, 2, 4]),
  );
  const lower = Float64Array.from({ length: types }, () => (random.chance(0.2) ? random.whole(1, 2) : 0));
  const program = {
    ...{ types, classes, loads, lower },
    prices: Float64Array.from({ length: types }, () => random.whole(1, 4)),
    upper: lower.map((floor) => (random.chance(0.3) ? floor + random.whole(0, 4) : Number.POSITIVE_INFINITY)),
  };
  return bounded(program);
};

/** Whether whole replicas carry all classes, by the textbook's simplex. */
const feasible = ({ types, classes, loads }: Program, mix: readonly number[]): boolean => {
  const rows = Array.from({ length: classes }, (_, c) => [...loads.slice(c * types, (c + 1) * types)]);
  const served = mostServed(
    rows.map(() => 1),
    rows,
    mix.map((replicas) => replicas * (1 + 1e-9)),
  );
  return served >= classes * (1 - 1e-10);
};

/**
 * A mix that carries all and is cheaper than ours, or as cheap and preferred; null where there is none. The dearest are
 * tried first, as all below a mix that carries too little carry too little.
 */
const betterThan = (program: Program, ours: Float64Array | null): readonly number[] | null => {
  const { prices, lower, upper } = program;
  const costOf = (mix: readonly number[]) => mix.reduce((sum, replicas, g) => sum + replicas * prices[g]!, 0);
  if (ours === null) return feasible(program, [...upper]) ? [...upper] : null;
  const cost = costOf([...ours]);
  let mixes: number[][] = [[]];
  for (let g = 0; g < program.types; g++)
    mixes = mixes.flatMap((mix) => {
      const most = Math.min(upper[g]!, Math.floor((cost - costOf(mix)) / prices[g]!));
      return Array.from({ length: Math.max(0, most - lower[g]! + 1) }, (_, i) => [...mix, lower[g]! + i]);
    });
  const tooLittle: number[][] = [];
  for (const mix of mixes.sort((a, b) => costOf(b) - costOf(a))) {
    if (costOf(mix) === cost && !options.prefers(Float64Array.from(mix), ours)) continue;
    if (tooLittle.some((other) => mix.every((replicas, g) => replicas <= other[g]!))) continue;
    if (feasible(program, mix)) return mix;
    tooLittle.push(mix);
  }
  return null;
};

test('10,000 programs of whole numbers: no mix is better, the closed form agrees, and at every node the steps add up to L(pi)', () => {
  const seen = { optimal: 0, infeasible: 0, two: 0, nodes: 0 };
  let apart = 0;
  const watch = ({ program, loads, lower, upper, forest, incrementalBound }: Relaxation, status: RelaxationStatus) => {
    if (status === 'infeasible' || status === 'stalled') return;
    const recomputed = dualBound({ types: program.types, prices: program.prices, loads, lower, upper }, forest.pi);
    apart = Math.max(apart, Math.abs(incrementalBound - recomputed) / (1 + recomputed));
    seen.nodes++;
  };
  const random = new Random(2026);
  for (let i = 0; i < 10_000; i++) {
    const program = integerProgram(random);
    const ours = branch(program, scaled(program), { ...options, watch });
    expect(apart, `${i}`).toBeLessThanOrEqual(1e-9);
    expect(ours.status, `${i}`).toBe(ours.mix === null ? 'infeasible' : 'optimal');
    if (ours.mix !== null) expect(overload(program, [...ours.mix], ours.assignment), `${i}`).toBeLessThanOrEqual(1e-9);
    expect(betterThan(program, ours.mix), `${i}`).toBeNull();
    if (program.types <= 2) {
      const other = program.types === 2 ? twoTypes(program, scaled(program), options) : null;
      if (other !== null) {
        seen.two++;
        expect(other.cost, `${i}`).toBe(ours.cost);
        expect([...(other.mix ?? [])], `${i}`).toEqual([...(ours.mix ?? [])]);
        if (other.mix !== null) expect(overload(program, [...other.mix], other.assignment), `${i}`).toBeLessThanOrEqual(1e-9);
      }
    }
    seen[ours.mix === null ? 'infeasible' : 'optimal']++;
  }
  expect(seen.optimal).toBeGreaterThan(7_000);
  expect(seen.infeasible).toBeGreaterThan(100);
  expect(seen.two).toBeGreaterThan(2_000);
  expect(seen.nodes).toBeGreaterThan(50_000);
});

test.each([
  { name: 'tiny rates', factor: 1e-9 },
  { name: 'huge rates', factor: 1e6 },
])('$name: one replica is still one replica, and loads stay on the line', ({ factor }) => {
  for (let i = 0; i < 40; i++) {
    const base = instance(33_000 + i, { types: 2 + (i % 4), classes: 12 });
    const program = bounded({ ...base, loads: base.loads.map((load) => (load * factor) / 800) });
    const { status, mix, assignment } = branch(program, scaled(program), { ...options, nodeLimit: 20_000 });
    if (status === 'infeasible') continue;
    expect(overload(program, [...mix!], assignment)).toBeLessThanOrEqual(1e-9);
    expect(mix!.reduce((sum, replicas) => sum + replicas, 0)).toBeGreaterThanOrEqual(1);
  }
});

test('throughput spread over six orders of magnitude', () => {
  for (let i = 0; i < 60; i++) {
    const random = new Random(i);
    const types = random.whole(2, 6);
    const loads = Float64Array.from({ length: types * 15 }, () => 10 ** random.between(-4, 2));
    const program = bounded({
      ...{ types, classes: 15, loads, prices: Float64Array.from({ length: types }, () => random.between(0.5, 9)) },
      ...{ lower: new Float64Array(types), upper: new Float64Array(types).fill(Number.POSITIVE_INFINITY) },
    });
    const { status, mix, assignment } = branch(program, scaled(program), options);
    expect(status).toBe('optimal');
    expect(overload(program, [...mix!], assignment)).toBeLessThanOrEqual(1e-9);
  }
});

test('one type, one class, and twelve types with two thousand', () => {
  const one = (load: number) => ({
    ...{ types: 1, classes: 1, loads: Float64Array.of(load), prices: Float64Array.of(3) },
    ...{ lower: Float64Array.of(0), upper: Float64Array.of(100) },
  });
  for (const load of [1e-12, 0.5, 1, 1 + 1e-10, 1.5, 7])
    expect(branch(one(load), scaled(one(load)), options).cost).toBe(3 * replicasFor(load));
  const large = bounded(instance(9, { types: 12, classes: 2000 }));
  const result = branch(large, scaled(large), { ...options, nodeLimit: 3_000 });
  expect(result.bound).toBeLessThanOrEqual(result.cost);
  expect(result.bound / result.cost).toBeGreaterThan(0.99);
  expect(overload(large, [...result.mix!], result.assignment)).toBeLessThanOrEqual(1e-9);
});

test('leaving out dominated types changes no cost', () => {
  let left = 0;
  for (let i = 0; i < 80; i++) {
    const program = bounded(instance(35_000 + i, { types: 8, classes: 15 }));
    const fewer = withoutDominated(program);
    left += program.upper.filter((most, g) => most !== fewer.upper[g]).length;
    expect(branch(fewer, scaled(fewer), options).cost).toBeCloseTo(branch(program, scaled(program), options).cost, 9);
  }
  expect(left).toBeGreaterThan(5);
});

test('near-identical types: never longer than the node limit, with a proven gap', () => {
  for (let i = 0; i < 10; i++) {
    const random = new Random(i);
    const base = instance(34_000 + i, { types: 2, classes: 40 });
    const types = 6;
    const loads = Float64Array.from(
      { length: types * base.classes },
      (_, at) => base.loads[Math.floor(at / types) * 2 + 1]! * random.between(0.98, 1.02),
    );
    const program = bounded({
      ...{
        types,
        classes: base.classes,
        loads,
        prices: Float64Array.from({ length: types }, () => random.between(1, 1.05)),
      },
      ...{ lower: new Float64Array(types), upper: new Float64Array(types).fill(Number.POSITIVE_INFINITY) },
    });
    const { status, nodes, bound, cost } = branch(program, scaled(program), { ...options, nodeLimit: 2_000 });
    expect(nodes).toBeLessThanOrEqual(2_000);
    expect(['optimal', 'feasible']).toContain(status);
    expect((cost - bound) / cost).toBeLessThan(0.1);
  }
});
