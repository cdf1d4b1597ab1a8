import { bestEffort, levelsOf } from './best-effort.ts';
import { branch, sameCost } from './branch.ts';
import { type Fleet, type FleetModel, mixCost, poolUse, preference, prepared, type Way } from './fleet.ts';
import { Joint } from './joint.ts';
import { lineScale, lineTolerance, type Program, replicasFor } from './program.ts';

export interface SolveOptions {
  /** Nodes of one search after which it stops with what it has. */
  readonly nodeLimit: number;
  /** Nodes of one search that may go into choosing among mixes of the same cost. */
  readonly tieLimit: number;
}

/** Enough for every realistic instance to be proven, and an end for the others. */
export const defaultOptions: SolveOptions = { nodeLimit: 100_000, tieLimit: 400 };

export interface ModelOutcome {
  /** Replicas per variant. */
  readonly mix: Float64Array;
  /** Share of each class on each variant, class x variant, and the share of each class that is served. */
  readonly assignment: Float64Array;
  readonly served: Float64Array;
  /** Index of the way that the router spreads classes in; -1 where the floors leave none. */
  readonly way: number;
}

/** Infeasible is an answer: the mixes then serve the most that can be served. `unknown`: stopped with the floors only. */
export interface Outcome {
  readonly status: 'optimal' | 'feasible' | 'infeasible' | 'unknown';
  /** Lower limit on the cost (money/h); null where not all can be served. */
  readonly bound: number | null;
  readonly models: readonly ModelOutcome[];
  readonly nodes: number;
}

/** The cheapest mixes that carry all demand of a fleet, within its bounds, stock and budget. */
export const solve = (given: Fleet, options: SolveOptions = defaultOptions): Outcome => {
  const { fleet, floorsFit } = prepared(given);
  const totals = demandTotals(fleet);
  const joint = new Joint(fleet, totals);
  let nodes = 0;
  let result: Solved = { status: 'infeasible', mixes: null, bound: 0, nodes: 0 };
  if (floorsFit) {
    const apart = separately(fleet, options);
    nodes += apart.nodes;
    result = apart.status === 'infeasible' || fits(fleet, apart.mixes) ? apart : together(joint, options);
    if (result !== apart) nodes += result.nodes;
  }
  const { mixes, status, bound } = result;
  if (mixes !== null && fits(fleet, mixes)) return { status, bound, nodes, models: assigned(joint, mixes) };
  const proven = status === 'infeasible' || bound > fleet.budget * (1 + lineTolerance);
  const most = bestEffort(joint, levelsOf(fleet), options.nodeLimit);
  return {
    status: proven ? 'infeasible' : 'unknown',
    bound: null,
    nodes: nodes + joint.nodes,
    models: assigned(joint, most),
  };
};

interface Solved {
  readonly status: Outcome['status'];
  readonly mixes: readonly Float64Array[] | null;
  readonly bound: number;
  readonly nodes: number;
}

/** Every model by itself, as if stock held for each alone: a bound for all, and the answer where they fit together. */
const separately = (fleet: Fleet, options: SolveOptions): Solved => {
  let [bound, nodes] = [0, 0];
  let status = 'optimal' as Outcome['status'];
  const mixes: Float64Array[] = [];
  for (const model of fleet.models) {
    const alone = solveModel(model, options);
    nodes += alone.nodes;
    bound += alone.bound;
    if (alone.status === 'infeasible') return { status: 'infeasible', mixes: null, bound, nodes };
    if (alone.status !== 'optimal')
      status = alone.status === 'unknown' || status === 'unknown' ? 'unknown' : 'feasible';
    mixes.push(alone.mix ?? new Float64Array(model.variants.length));
  }
  return { status, mixes: status === 'unknown' ? null : mixes, bound, nodes };
};

/** One model within its own bounds: the cheapest of its ways. */
export const solveModel = (model: FleetModel, options: SolveOptions): ModelSolved => {
  const { variants, rates, ways } = model;
  const unit = commonUnit(variants.map(({ price }) => price));
  let best: ModelSolved = {
    status: 'infeasible',
    mix: null,
    cost: Number.POSITIVE_INFINITY,
    bound: Number.POSITIVE_INFINITY,
    nodes: 0,
  };
  if (rates.length === 0) {
    const mix = Float64Array.from(variants, ({ lower }) => lower);
    return { status: 'optimal', mix, cost: mixCost(model, mix), bound: mixCost(model, mix), nodes: 0 };
  }
  let nodes = 0;
  let bound = Number.POSITIVE_INFINITY;
  let open = false;
  for (const way of ways) {
    const program = wayProgram(model, way);
    if (program === null) continue;
    const result = branch(
      program,
      program.loads.map((load) => load / lineScale),
      {
        nodeLimit: options.nodeLimit,
        tieLimit: options.tieLimit,
        unit,
        known: null,
        prefers: (a, b) => preference([model], [a], [b]) < 0,
      },
    );
    nodes += result.nodes;
    bound = Math.min(bound, result.bound);
    open ||= result.status === 'feasible' || result.status === 'unknown';
    if (result.mix !== null && cheaper(model, result.mix, result.cost, best)) best = { ...result, nodes: 0 };
  }
  const { mix, cost } = best;
  if (mix === null) return { ...best, status: open ? 'unknown' : 'infeasible', bound, nodes };
  return {
    status: bound >= cost * (1 - 1e-9) ? 'optimal' : 'feasible',
    mix,
    cost,
    bound: Math.min(bound, cost),
    nodes,
  };
};

export interface ModelSolved {
  readonly status: Outcome['status'];
  readonly mix: Float64Array | null;
  readonly cost: number;
  readonly bound: number;
  readonly nodes: number;
}

const cheaper = (model: FleetModel, mix: Float64Array, cost: number, best: ModelSolved): boolean =>
  best.mix === null ||
  cost < best.cost * (1 - sameCost) ||
  (cost <= best.cost * (1 + sameCost) && preference([model], [mix], [best.mix]) < 0);

/** The program of a model in one way; null where a floor forbids it or a class has nowhere to go. */
const wayProgram = ({ variants, rates }: FleetModel, { loads, open }: Way): Program | null => {
  const types = variants.length;
  if (variants.some(({ lower }, g) => open[g] === 0 && lower > 0)) return null;
  for (let c = 0; c < rates.length; c++)
    if (loads.subarray(c * types, (c + 1) * types).every((load) => load === Number.POSITIVE_INFINITY)) return null;
  return {
    types,
    classes: rates.length,
    loads: rates.length === 1 ? wholeLoads(loads) : loads,
    prices: Float64Array.from(variants, ({ price }) => price),
    lower: Float64Array.from(variants, ({ lower }) => lower),
    upper: Float64Array.from(variants, ({ upper }, g) => (open[g] === 1 ? upper : 0)),
  };
};

/** One class whose load is the same wherever it may go takes a whole number of replicas: a bound that is exact at once. */
const wholeLoads = (loads: Float64Array): Float64Array => {
  const finite = loads.filter((load) => load < Number.POSITIVE_INFINITY);
  return finite.some((load) => load !== finite[0])
    ? loads
    : loads.map((load) => (load < Number.POSITIVE_INFINITY ? replicasFor(load) : load));
};

/** All models at once, for stock that they share. The budget waits: least cost above it proves that it does not suffice. */
const together = (joint: Joint, options: SolveOptions): Solved => {
  const { fleet } = joint;
  const unlimited = new Joint({ ...fleet, budget: Number.POSITIVE_INFINITY }, joint.totals);
  const none = fleet.models.map(() => 0);
  const { status, mixes, bound, nodes } = unlimited.solve(
    {
      replicas: fleet.models.flatMap(({ variants }) => variants.map(({ price }) => price)),
      unserved: none,
      most: none,
      groups: [],
      same: 0,
      ties: true,
    },
    options.nodeLimit,
    null,
  );
  return { status, mixes, bound, nodes };
};

const fits = ({ models, stock, budget }: Fleet, mixes: readonly Float64Array[] | null): boolean => {
  if (mixes === null) return false;
  const used = stock.map(() => 0);
  let cost = 0;
  mixes.forEach((mix, m) => {
    cost += mixCost(models[m]!, mix);
    for (const [pool, gpus] of poolUse(models[m]!, mix, stock.length).entries()) used[pool]! += gpus;
  });
  return used.every((gpus, pool) => gpus <= stock[pool]!) && cost <= budget * (1 + lineTolerance);
};

const assigned = (joint: Joint, mixes: readonly Float64Array[]): ModelOutcome[] =>
  mixes.map((mix, m) => {
    const { variants, rates } = joint.fleet.models[m]!;
    const found = joint.assignment(m, mix);
    if (found !== null) return { mix, ...found };
    return {
      mix,
      way: -1,
      served: new Float64Array(rates.length),
      assignment: new Float64Array(rates.length * variants.length),
    };
  });

/** What the share of a model's unserved demand is measured in: the demand of all models of its priority (req/s). */
const demandTotals = ({ models }: Fleet): number[] => {
  const own = models.map(({ rates }) => rates.reduce((sum, rate) => sum + rate, 0));
  return models.map(
    ({ priority }) => models.reduce((sum, other, m) => sum + (other.priority === priority ? own[m]! : 0), 0) || 1,
  );
};

/**
 * Greatest common divisor of prices that are whole multiples of a hundred-thousandth; else 0.
 * @example commonUnit([9.8, 1.9, 0.8]) // => 0.1
 */
export const commonUnit = (prices: readonly number[]): number => {
  let unit = 0;
  for (const price of prices) {
    let rest = Math.round(price * 1e5);
    if (rest === 0 || Math.abs(rest - price * 1e5) > 1e-6 || rest > 1e12) return 0;
    while (rest !== 0) [unit, rest] = [rest, unit % rest];
  }
  return unit / 1e5;
};
