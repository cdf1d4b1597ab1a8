import { expect, test } from 'vitest';
import { type Fleet, type FleetModel, type FleetVariant, preference } from '../../src/solver/fleet.ts';
import { Joint } from '../../src/solver/joint.ts';
import { type Goal, goalValue } from '../../src/solver/joint-program.ts';
import { searchJointly } from '../../src/solver/joint-search.ts';
import { Random } from './random.ts';

const never = Number.POSITIVE_INFINITY;
const variantOf = (random: Random): FleetVariant => {
  const lower = random.chance(0.2) ? 1 : 0;
  const price = random.whole(1, 5);
  const pools = random.chance(0.8) ? [random.whole(0, 1)] : [0, 1];
  return {
    price,
    lower,
    upper: lower + random.whole(0, 3),
    pools,
    gpus: random.whole(1, 2),
    running: random.pick([null, 0, 1, 2]),
  };
};
/** Two types, up to three classes; one way, or one for each type alone and one for both. */
const modelOf = (random: Random): FleetModel => {
  const rates = Float64Array.from({ length: random.whole(1, 3) }, () => random.between(0.5, 2));
  const loads = Float64Array.from({ length: 2 * rates.length }, () => random.between(0.2, 1.5));
  const slower = loads.map((load) => 1.2 * load);
  const alone = [0, 1].map((g) => ({
    loads: loads.map((load, at) => (at % 2 === g ? load : never)),
    open: Uint8Array.of(1 - g, g),
  }));
  const several = [...alone, { loads: slower, open: Uint8Array.of(1, 1) }];
  const ways = random.chance(0.5) ? [{ loads, open: Uint8Array.of(1, 1) }] : several;
  return { priority: 0, rates, variants: [variantOf(random), variantOf(random)], ways, previous: null };
};
const jointOf = (random: Random): Joint => {
  const models = [modelOf(random), modelOf(random)];
  const budget = random.chance(0.5) ? random.whole(4, 25) : never;
  const fleet: Fleet = { models, stock: [random.whole(1, 9), random.whole(1, 9)], budget };
  return new Joint(
    fleet,
    models.map(({ rates }) => rates.reduce((sum, rate) => sum + rate, 0)),
  );
};
const cheapest = ({ fleet }: Joint): Goal => ({
  ...{ replicas: fleet.models.flatMap(({ variants }) => variants.map(({ price }) => price)), unserved: [0, 0] },
  ...{ most: [0, 0], groups: [], same: 0, ties: true },
});
const mostServed: Goal = { replicas: [0, 0, 0, 0], unserved: [1, 1], most: [1, 1], groups: [], same: 1e-10, ties: false };

/** Every choice of mixes within the goal's limits, best first. */
const every = (joint: Joint, goal: Goal) => {
  const { models } = joint.fleet;
  const choices = models
    .flatMap(({ variants }) => variants)
    .reduce<number[][]>(
      (all, { lower, upper }) => all.flatMap((head) => Array.from({ length: upper - lower + 1 }, (_, i) => [...head, lower + i])),
      [[]],
    );
  return choices
    .map(([a, b, c, d]) => [Float64Array.of(a!, b!), Float64Array.of(c!, d!)])
    .flatMap((mixes) => {
      const value = goalValue(joint, goal, mixes, never);
      return value === null ? [] : [{ mixes, value }];
    })
    .sort((a, b) => a.value - b.value || preference(models, a.mixes, b.mixes));
};

test('the cheapest of all choices is found, and of those the preferred one, whichever ways it takes', () => {
  const random = new Random(31);
  const seen = { optimal: 0, infeasible: 0 };
  for (let i = 0; i < 400; i++) {
    const joint = jointOf(random);
    const { status, mixes, value, bound } = searchJointly(joint, cheapest(joint), 100_000, null);
    const best = every(joint, cheapest(joint))[0];
    const expected = best === undefined ? ['infeasible', null, never, never] : ['optimal', best.mixes, best.value, best.value];
    expect([status, mixes, value, bound], `${i}`).toEqual(expected);
    seen[best === undefined ? 'infeasible' : 'optimal']++;
  }
  expect(Math.min(seen.optimal, seen.infeasible)).toBeGreaterThan(50);
});

test('the least that must stay unserved is found, and so is the cheapest choice that leaves no more', () => {
  const random = new Random(32);
  let short = 0;
  for (let i = 0; i < 200; i++) {
    const joint = jointOf(random);
    const best = every(joint, mostServed)[0];
    const first = searchJointly(joint, mostServed, 100_000, null);
    expect(first.status, `${i}`).toBe(best === undefined ? 'infeasible' : 'optimal');
    if (best === undefined) continue;
    expect(Math.abs(first.value - best.value), `${i}`).toBeLessThan(1e-8);
    const held = { ...cheapest(joint), most: [1, 1], groups: [{ models: [0, 1], most: best.value + 1e-8 }] };
    expect(searchJointly(joint, held, 100_000, first.mixes).value, `${i}`).toBe(every(joint, held)[0]!.value);
    if (best.value > 0.01) short++;
  }
  expect(short).toBeGreaterThan(50);
});

test('a search that the node limit ends bounds the optimum from below, and what it has from above', () => {
  const random = new Random(33);
  const seen = { optimal: 0, feasible: 0, infeasible: 0, stopped: 0 };
  for (let i = 0; i < 400; i++) {
    const joint = jointOf(random);
    const goal = random.chance(0.5) ? cheapest(joint) : mostServed;
    const { status, value, bound, nodes } = searchJointly(joint, goal, random.whole(0, 4), null);
    const best = every(joint, goal)[0]?.value ?? never;
    expect(nodes).toBeLessThanOrEqual(4);
    expect(bound, `${i}`).toBeLessThanOrEqual(best + 1e-8);
    expect(value, `${i}`).toBeGreaterThanOrEqual(best - 1e-8);
    if (status === 'optimal' || status === 'infeasible') expect(value === best || value - best < 1e-8, `${i}`).toBe(true);
    seen[status]++;
  }
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(10);
});

test('without a node the answer is what was known, if it is within the limits', () => {
  const models = [1, 2].map((seed) => modelOf(new Random(seed)));
  const roomy = models.map((model) => ({ ...model, variants: model.variants.map((one) => ({ ...one, lower: 0, upper: 9 })) }));
  const joint = new Joint({ models: roomy, stock: [99, 99], budget: never }, [1, 1]);
  const plenty = [Float64Array.of(9, 0), Float64Array.of(9, 0)];
  const { status, mixes, bound, nodes } = searchJointly(joint, cheapest(joint), 0, plenty);
  expect([status, mixes, bound, nodes]).toEqual(['feasible', plenty, Number.NEGATIVE_INFINITY, 0]);
  const nothing = [new Float64Array(2), new Float64Array(2)];
  expect(searchJointly(joint, cheapest(joint), 0, nothing)).toMatchObject({ status: 'stopped', mixes: null });
});
