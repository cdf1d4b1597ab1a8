import { type BranchOptions, type BranchResult, branch } from './branch.ts';
import { branchByNumber, cheaperOf } from './by-number.ts';
import { type FleetModel, favourite, mixCost, preference, type Way } from './fleet.ts';
import { fullLoads, lineScale, type Program, provesOptimal, replicasFor } from './program.ts';
import { roundingTolerance, sameCost } from './tolerances.ts';
import { twoTypes } from './two-types.ts';
import type { WorkBudget } from './work-budget.ts';

export interface SolveOptions {
  /** Nodes of one search after which it stops with what it has. */
  readonly nodeLimit: number;
  /** Nodes of one search that may go into choosing among mixes of the same cost. */
  readonly tieLimit: number;
  /** Units of work of the whole solve (work-budget.ts) after which every search stops with what it has; absent = no limit. */
  readonly workLimit?: number;
  /** What cannot serve all demand is of no interest: once that is proven, nobody looks for what it can serve. */
  readonly allOrNothing?: boolean;
}

/** The same inside a solve, whose searches share its work. */
export interface SearchOptions extends SolveOptions {
  readonly work?: WorkBudget;
}

/** A model's program in one way, its loads divided by the line's scale as well. */
export interface WayProgram {
  readonly way: number;
  readonly program: Program;
  readonly scaled: Float64Array;
}

export interface ModelSolved {
  readonly status: BranchResult['status'];
  readonly mix: Float64Array | null;
  /** The way of the mix, and the share of each class on each variant, class x variant. */
  readonly way: number;
  readonly assignment: Float64Array;
  readonly cost: number;
  readonly bound: number;
  readonly nodes: number;
}

/** One model within its own bounds: the cheapest of its ways. */
export const solveModel = (model: FleetModel, options: SearchOptions): ModelSolved => {
  const { variants, rates } = model;
  if (rates.length === 0) {
    const mix = Float64Array.from(variants, ({ lower }) => lower);
    const cost = mixCost(model, mix);
    return { status: 'optimal', mix, way: 0, assignment: new Float64Array(), cost, bound: cost, nodes: 0 };
  }
  const unit = commonUnit(variants.map(({ price }) => price));
  const prefers = (a: Float64Array, b: Float64Array): boolean => preference([model], [a], [b]) < 0;
  let best: (BranchResult & { readonly way: number }) | null = null;
  let [nodes, bound, unfinished] = [0, Number.POSITIVE_INFINITY, false];
  const programs = wayPrograms(model);
  for (const [at, { way, program, scaled }] of programs.entries()) {
    const result = solveProgram(withoutDominated(program), scaled, {
      ...options,
      ...partOf(options.work, 1 / (programs.length - at)),
      unit,
      known: model.previous,
      trusted: false,
      gapTolerance: sameCost,
      prefers,
      favourite: (lower, upper, mix) => favourite(model, lower, upper, mix),
    });
    nodes += result.nodes;
    bound = Math.min(bound, result.bound);
    unfinished ||= result.status === 'feasible' || result.status === 'stopped';
    if (result.mix !== null && (best === null || cheaper(result, best, prefers))) best = { ...result, way };
  }
  if (best === null || best.mix === null) {
    const status = unfinished ? 'stopped' : 'infeasible';
    return { status, mix: null, way: -1, assignment: new Float64Array(), cost: Number.POSITIVE_INFINITY, bound, nodes };
  }
  const { mix, cost, assignment, way } = best;
  const status = provesOptimal(bound, cost) ? 'optimal' : 'feasible';
  return { status, mix, way, assignment, cost, bound: Math.min(bound, cost), nodes };
};

/** Options with a share of the work left, where it is limited. */
export const partOf = (work: WorkBudget | undefined, share: number): { readonly work?: WorkBudget } =>
  work === undefined ? {} : { work: work.part(share) };

/** The cheapest whole mix of one program. */
export const solveProgram = (program: Program, scaled: Float64Array, options: BranchOptions): BranchResult =>
  program.types === 2 && program.fluid === undefined ? twoTypes(program, scaled, options) : manyTypes(program, scaled, options);

/**
 * Nodes of a search type by type, and the share of the gap left then that whole numbers of replicas must close for a search by
 * number. Types that differ are proven by the first few nodes; with a better incumbent less is worth it.
 */
const rounds = [
  { plain: 2_000, worthwhile: 0.15 },
  { plain: 20_000, worthwhile: 0.01 },
] as const;
/**
 * Where the dearest type costs so many times the cheapest at the most, types may be alike: the first search
 * then is a short one.
 */
const alikeWithin = 1.3;
const shortSearch = { plain: 500, share: 0.4 };
/** Share of the nodes left for the search by number; the rest goes to the plain one, where that has not proven the cost. */
const numberShare = 0.7;

/** Type by type; what that does not prove, by the number of replicas in all. */
const manyTypes = (program: Program, scaled: Float64Array, options: BranchOptions): BranchResult => {
  const { nodeLimit } = options;
  const { plain: few, share } = mayBeAlike(program) ? shortSearch : { plain: rounds[0].plain, share: 1 };
  let search = typeByType(program, scaled, { ...options, ...partOf(options.work, share) }, null, few);
  for (const [round, { worthwhile }] of rounds.entries()) {
    const left = nodeLimit - search.best.nodes;
    if (search.ended || left <= 0 || options.work?.spent) return search.best;
    const part = { ...options, nodeLimit: numberShare * left, ...partOf(options.work, numberShare) };
    const numbered = branchByNumber(program, scaled, part, search.best, worthwhile);
    if (numbered?.status === 'optimal' || numbered?.status === 'infeasible') return numbered;
    const plain = numbered === null ? (rounds[round + 1]?.plain ?? nodeLimit) : nodeLimit;
    search = typeByType(program, scaled, options, numbered ?? search.best, plain);
    if (numbered !== null) break;
  }
  return search.best;
};

const mayBeAlike = ({ prices, fluid }: Program): boolean => {
  const machines = prices.filter((_, g) => g !== fluid);
  return Math.max(...machines) <= alikeWithin * Math.min(...machines);
};

/** A search with what is known before; `ended` = by itself. */
const typeByType = (
  program: Program,
  scaled: Float64Array,
  options: BranchOptions,
  before: BranchResult | null,
  nodes: number,
): { readonly best: BranchResult; readonly ended: boolean } => {
  const nodeLimit = Math.min(nodes, options.nodeLimit - (before?.nodes ?? 0));
  const known = before === null || before.mix === null ? {} : { known: before.mix, trusted: true };
  const result = branch(program, scaled, { ...options, ...known, nodeLimit });
  const ended = result.nodes < nodeLimit && options.work?.spent !== true;
  return { best: before === null ? result : joinedResult(before, result, options), ended };
};

/** Two searches of the same program one after the other: the better mix and the better bound. */
const joinedResult = (first: BranchResult, last: BranchResult, { prefers }: BranchOptions): BranchResult => {
  const best = cheaperOf(first, last, prefers);
  const [bound, nodes] = [Math.max(first.bound, last.bound), first.nodes + last.nodes];
  if (best.mix === null) return { ...last, bound, nodes };
  const status = last.status === 'optimal' || provesOptimal(bound, best.cost) ? 'optimal' : 'feasible';
  return { ...best, status, bound: status === 'optimal' ? best.cost : Math.min(bound, best.cost), nodes };
};

/**
 * A type h is never worth a replica above its floor where some type g is cheaper, carries every class that h does with no more
 * load, and may have as many replicas as all its classes need: whatever h carries above its floor could move to g.
 */
export const withoutDominated = (program: Program): Program => {
  const { types, classes, loads, prices, lower, upper } = program;
  if (types < 3) return program;
  const full = fullLoads(program);
  const capped = upper.slice();
  for (let h = 0; h < types; h++)
    for (let g = 0; g < types; g++) {
      if (prices[g]! >= prices[h]! * (1 - roundingTolerance) || upper[g]! < Math.ceil(full[g]!)) continue;
      let c = 0;
      while (c < classes && loads[c * types + g]! <= loads[c * types + h]!) c++;
      if (c === classes) capped[h] = lower[h]!;
    }
  return { ...program, upper: capped };
};

const cheaper = (result: BranchResult, best: BranchResult, prefers: (a: Float64Array, b: Float64Array) => boolean): boolean =>
  result.cost < best.cost * (1 - sameCost) || (result.cost <= best.cost * (1 + sameCost) && prefers(result.mix!, best.mix!));

/** The programs of a model's ways; those left out that a floor forbids or in which a class has nowhere to go. */
export const wayPrograms = (model: FleetModel): WayProgram[] =>
  model.ways.flatMap((way, index) => {
    const program = wayProgram(model, way);
    if (program === null) return [];
    const scaled = new Float64Array(program.loads.length);
    for (let at = 0; at < scaled.length; at++) scaled[at] = program.loads[at]! / lineScale;
    return [{ way: index, program, scaled }];
  });

const wayProgram = ({ variants, rates, fluid }: FleetModel, { loads, open }: Way): Program | null => {
  const types = variants.length;
  if (variants.some(({ lower }, g) => open[g] === 0 && lower > 0)) return null;
  for (let c = 0, at = 0; c < rates.length; c++) {
    let somewhere = false;
    for (let g = 0; g < types; g++, at++) somewhere ||= loads[at] !== Number.POSITIVE_INFINITY;
    if (!somewhere) return null;
  }
  return {
    types,
    classes: rates.length,
    loads: rates.length === 1 && fluid === undefined ? wholeLoads(loads) : loads,
    ...(fluid === undefined ? {} : { fluid }),
    prices: Float64Array.from(variants, ({ price }) => price),
    lower: Float64Array.from(variants, ({ lower }) => lower),
    upper: Float64Array.from(variants, ({ upper }, g) => (open[g] === 1 ? upper : 0)),
  };
};

/** One class whose load is the same wherever it may go takes a whole number of replicas: a bound that is exact at once. */
const wholeLoads = (loads: Float64Array): Float64Array => {
  const finite = loads.filter((load) => load < Number.POSITIVE_INFINITY);
  if (finite.some((load) => load !== finite[0])) return loads;
  return loads.map((load) => (load < Number.POSITIVE_INFINITY ? replicasFor(load) : load));
};

/** A price is a whole number of these, to within that; beyond so many the next digits of a double are no longer whole. */
const [unitsOfMoney, unitRounding, mostUnits] = [1e5, 1e-6, 1e12];

/**
 * Greatest common divisor of prices that are whole multiples of a hundred-thousandth; else 0.
 * @example commonUnit([9.8, 1.9, 0.8]) // => 0.1
 */
export const commonUnit = (prices: readonly number[]): number => {
  let unit = 0;
  for (const price of prices) {
    let rest = Math.round(price * unitsOfMoney);
    if (rest === 0 || Math.abs(rest - price * unitsOfMoney) > unitRounding || rest > mostUnits) return 0;
    while (rest !== 0) [unit, rest] = [rest, unit % rest];
  }
  return unit / 1e5;
};
