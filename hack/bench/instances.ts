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

/** Several models on the same GPU types, in stock for 1.15 to 1.8 times the demand, but not of each model's favourite. */
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
  const shares = types.map(() => random.between(0.2, 1));
  const plenty = random.between(1.15, 1.8) / shares.reduce((sum, share) => sum + share, 0);
  const stock = types.map((_, g) => Math.ceil(gpus[g]! * shares[g]! * plenty * loadOfAll(programs, g)));
  return { programs, stock, gpus };
};

/** Load of all models on one type, classes that it cannot serve left out (replicas). */
const loadOfAll = (programs: readonly Program[], g: number): number =>
  programs.reduce((sum, program) => sum + fullLoads(program)[g]!, 0);

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

const programOf = (
  random: Random,
  shape: InstanceShape,
  gpus: readonly Gpu[],
  rate: number,
  bounds = true,
): Program => {
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

const normal = (random: Random): number =>
  Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
