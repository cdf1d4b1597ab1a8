import type { Fleet } from '../../src/solver/fleet.ts';
import { mixCost, poolUse } from '../../src/solver/fleet.ts';
import { solveModel } from '../../src/solver/one-model.ts';
import { defaultOptions } from '../../src/solver/solve.ts';
import { Random } from '../../test/solver/random.ts';
import { type FleetInstance, fleetInstance } from './instances.ts';
import { fleetOf } from './timing.ts';

export interface PlantedShape {
  readonly models: number;
  readonly types: number;
  readonly classes: number;
  /** Types are copies of one, apart by no more than this share in price and speed; absent = none is like another. */
  readonly within?: number;
  readonly priorities?: boolean;
  readonly quota?: boolean;
  readonly budget?: boolean;
}

export interface Planted {
  /** With just the stock, and budget where there is one, that the planted mixes use. */
  readonly fleet: Fleet;
  readonly mixes: readonly Float64Array[];
}

/**
 * A fleet with a plan planted in it, so that it is known to be enough: each model takes what is cheapest at prices of its own,
 * partly the fleet's and partly drawn for it alone, and the stock of each type is what they take together. Nothing is left over
 * of anything. The same for the same seed.
 */
export const plantedFleet = (seed: number, shape: PlantedShape): Planted => {
  const random = new Random(seed);
  const drawn = fleetInstance(seed, { types: shape.types, classes: shape.classes, models: shape.models });
  const given = shape.within === undefined ? drawn : nearIdentical(drawn, shape.within, random);
  const fleet = fleetOf(given);
  const common = given.gpus.map(() => random.between(0.6, 1.6));
  const own = random.pick([0.05, 0.2, 0.5]);
  const mixes = fleet.models.map((model) => {
    const variants = model.variants.map((variant, g) => ({
      ...variant,
      pools: [],
      price: variant.price * common[g]! * random.between(1 - own, 1 + own),
    }));
    const { mix } = solveModel({ ...model, variants }, { ...defaultOptions, nodeLimit: 2_000, tieLimit: 0 });
    return mix!;
  });
  const used = mixes.reduce(
    (sum, mix, m) => poolUse(fleet.models[m]!, mix, given.gpus.length).map((gpus, k) => gpus + sum[k]!),
    given.gpus.map(() => 0),
  );
  // A quota of all types together, as a namespace has it: the first half of the models may hold what they hold.
  const half = fleet.models.slice(0, Math.ceil(fleet.models.length / 2));
  const held = half.reduce(
    (sum, model, m) => sum + poolUse(model, mixes[m]!, used.length).reduce((all, gpus) => all + gpus, 0),
    0,
  );
  const models = fleet.models.map((model, m) => ({
    ...model,
    priority: shape.priorities === true ? random.whole(0, 2) : 0,
    variants: model.variants.map((variant, g) => ({
      ...variant,
      pools: shape.quota === true && m < half.length ? [g, used.length] : [g],
    })),
  }));
  const cost = mixes.reduce((sum, mix, m) => sum + mixCost(models[m]!, mix), 0);
  return {
    mixes,
    fleet: {
      models,
      stock: shape.quota === true ? [...used, held] : used,
      budget: shape.budget === true ? cost * (1 + 1e-9) : Number.POSITIVE_INFINITY,
    },
  };
};

/** Copies of the first type, each a little dearer or slower: what a GPU is at several clouds. */
const nearIdentical = (given: FleetInstance, within: number, random: Random): FleetInstance => {
  const factors = given.gpus.map(() => random.between(1 - within, 1 + within));
  const speeds = given.gpus.map(() => random.between(1 - within, 1 + within));
  const last = given.gpus.length - 1;
  return {
    ...given,
    gpus: given.gpus.map(() => 1),
    programs: given.programs.map((program) => ({
      ...program,
      // Of the largest type, which takes every request.
      loads: program.loads.map(
        (_, at) => program.loads[Math.floor(at / program.types) * program.types + last]! * speeds[at % program.types]!,
      ),
      prices: Float64Array.from(factors, (factor) => Math.round(1000 * program.prices[last]! * factor) / 1000),
    })),
  };
};
