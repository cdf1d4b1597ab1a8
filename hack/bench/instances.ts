import { fullLoads, type Program } from '../../src/solver/program.ts';
import { Random } from '../../test/solver/random.ts';

const inputTokens = Array.from({ length: 10 }, (_, i) => 32 * 2 ** i);
const outputTokens = Array.from({ length: 8 }, (_, i) => 8 * 2 ** i);

export interface InstanceShape {
  readonly types: number;
  /** Classes; absent = 38 to 47. */
  readonly classes?: number;
  /** Models that share stock; absent = one, with its own bounds. */
  readonly models?: number;
}

/** A GPU type: how fast it reads and writes tokens (tokens/s of one replica), its price, and the longest request it takes. */
interface Gpu {
  readonly prefill: number;
  readonly decode: number;
  readonly price: number;
  readonly longest: number;
}

/**
 * One instance, the same for the same seed: request sizes from two log-normal modes (chat, and long documents with short
 * answers) on a 10 x 8 grid, 5 to 800 req/s; GPU types from small and cheap to large and dear, none simply better; in a
 * third of the instances small types cannot serve the longest requests, in a quarter bounds bind.
 */
export const instance = (seed: number, shape: InstanceShape): Program => {
  const random = new Random(seed);
  return programOf(random, shape, gpuTypes(random, shape.types), Math.exp(random.between(Math.log(5), Math.log(800))));
};

/** Several models on the same GPU types. Of most types there are fewer than the models would take if nothing was short. */
export interface FleetInstance {
  readonly programs: readonly Program[];
  /** GPUs per type, and how many a replica takes. */
  readonly stock: readonly number[];
  readonly gpus: readonly number[];
}

export const fleetInstance = (seed: number, shape: InstanceShape): FleetInstance => {
  const random = new Random(seed);
  const types = gpuTypes(random, shape.types);
  const programs = Array.from({ length: shape.models ?? 1 }, () =>
    programOf(random, shape, types, Math.exp(random.between(Math.log(5), Math.log(200))), false),
  );
  const gpus = types.map(() => random.pick([1, 1, 1, 2, 4]));
  const stock = types.map((_, g) => {
    const wanted = programs.reduce((sum, program) => sum + wantedReplicas(program, g), 0);
    const all = programs.reduce((sum, program) => sum + fullLoads(program)[g]!, 0);
    const short = g + 1 < types.length && random.chance(0.6);
    return Math.ceil(gpus[g]! * (short ? Math.max(wanted, all / 20) * random.between(0.3, 0.9) : 1.2 * all));
  });
  return { programs, stock, gpus };
};

/** Load on a type where every class goes to the type on which it costs least: what a model takes where nothing is short. */
const wantedReplicas = ({ types, classes, loads, prices }: Program, type: number): number => {
  let wanted = 0;
  for (let c = 0; c < classes; c++) {
    let cheapest = 0;
    for (let g = 1; g < types; g++)
      if (prices[g]! * loads[c * types + g]! < prices[cheapest]! * loads[c * types + cheapest]!) cheapest = g;
    if (cheapest === type) wanted += loads[c * types + type]!;
  }
  return wanted;
};

const gpuTypes = (random: Random, count: number): Gpu[] =>
  Array.from({ length: count }, (_, i) => {
    const size = 16 ** ((i + random.between(0.2, 0.8)) / count);
    return {
      prefill: 4000 * size * random.between(0.7, 1.4),
      decode: 500 * size * random.between(0.7, 1.4),
      price: Math.round(60 * size ** 0.95 * random.between(0.85, 1.2)) / 100,
      longest: random.pick([4096, 8192, 16384]) * size,
    };
  });

const programOf = (random: Random, shape: InstanceShape, gpus: readonly Gpu[], rate: number, bounds = true): Program => {
  const sizes = sizesOf(random, shape.classes ?? random.whole(38, 47));
  const corners = random.chance(1 / 3);
  const total = sizes.reduce((sum, { weight }) => sum + weight, 0);
  const types = gpus.length;
  const loads = new Float64Array(sizes.length * types);
  sizes.forEach(({ input, output, weight }, c) => {
    gpus.forEach(({ prefill, decode, longest }, g) => {
      const tooLong = corners && input + 4 * output > longest && g + 1 < types;
      const seconds = (input / prefill + output / decode) * (1 + 0.1 * Math.log2(1 + input / 1024));
      loads[c * types + g] = tooLong ? Number.POSITIVE_INFINITY : ((rate * weight) / total) * seconds;
    });
  });
  const lower = new Float64Array(types);
  const upper = new Float64Array(types).fill(Number.POSITIVE_INFINITY);
  if (bounds && random.chance(1 / 4))
    for (let g = 0; g + 1 < types; g++) {
      if (random.chance(0.3)) lower[g] = random.whole(1, 3);
      if (random.chance(0.5)) upper[g] = lower[g]! + random.whole(0, 4);
    }
  return { types, classes: sizes.length, loads, prices: Float64Array.from(gpus, ({ price }) => price), lower, upper };
};

/** Cells of the grid that requests fall into, drawn until there are enough; past the grid's 80 cells, finer ones. */
const sizesOf = (random: Random, wanted: number): { input: number; output: number; weight: number }[] => {
  const finer = Math.ceil(wanted / 47);
  const cells = new Map<string, { input: number; output: number; weight: number }>();
  const chat = random.between(0.3, 0.8);
  for (let draw = 0; cells.size < wanted && draw < 400 * wanted; draw++) {
    const short = random.chance(chat);
    const input = nearest(inputTokens, finer, (short ? 250 : 3000) * Math.exp(0.9 * normal(random)));
    const output = nearest(outputTokens, finer, (short ? 200 : 80) * Math.exp(0.8 * normal(random)));
    const key = `${input} ${output}`;
    const cell = cells.get(key) ?? { input, output, weight: 0 };
    cells.set(key, { ...cell, weight: cell.weight + 1 });
  }
  return [...cells.values()].map((cell) => ({ ...cell, weight: cell.weight * random.between(0.8, 1.25) }));
};

/** Nearest tick in log tokens, of a grid with so many steps between ticks. */
const nearest = (ticks: readonly number[], finer: number, tokens: number): number => {
  const step = Math.round(Math.log2(tokens / ticks[0]!) * finer) / finer;
  return ticks[0]! * 2 ** Math.min(ticks.length - 1, Math.max(0, step));
};

const normal = (random: Random): number => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
