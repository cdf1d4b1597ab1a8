import { extrapolated } from '../../src/planner/plan/snapshot-document.ts';
import type { DemandRow, Model, RouterKnowledge, Snapshot, Variant } from '../../src/vocabulary/planning-documents.ts';
import { Random } from './random.ts';

/** What a random snapshot has, so that tests can count what they covered. */
export interface Traits {
  readonly integer: boolean;
  readonly bounds: boolean;
  readonly stock: boolean;
  readonly budget: boolean;
  readonly quotas: boolean;
  readonly unservable: boolean;
  readonly models: number;
}

export interface RandomSnapshot {
  readonly snapshot: Snapshot;
  readonly traits: Traits;
}

const inputs = [128, 512, 2048];
const outputs = [64, 256];

/**
 * A snapshot small enough for brute force: one model of up to 4 types, 6 rows and 6 replicas of each, or two models that
 * share stock. A third has whole numbers only, so that many mixes cost the same.
 */
export const smallSnapshot = (seed: number, routing: RouterKnowledge): RandomSnapshot => {
  const random = new Random(seed);
  const quotas = new Random(seed + 1_000_000);
  const traits: Traits = {
    integer: random.chance(0.33),
    bounds: random.chance(0.5),
    stock: random.chance(0.4),
    budget: random.chance(0.15),
    quotas: quotas.chance(0.3),
    unservable: random.chance(0.5),
    models: random.chance(0.2) ? 2 : 1,
  };
  const gpus = ['A', 'B', 'C', 'D'];
  const models = Array.from({ length: traits.models }, (_, m) => smallModel(random, m, traits, gpus));
  const stock = traits.stock
    ? Object.fromEntries(gpus.filter(() => random.chance(0.6)).map((gpu) => [gpu, random.whole(0, 7)]))
    : {};
  const floors = (gpu: string) =>
    models
      .flatMap(({ variants }) => variants.filter((variant) => variant.gpu === gpu))
      .reduce((sum, variant) => sum + variant.minReplicas * variant.gpusPerReplica, 0);
  const floorCost = models
    .flatMap(({ variants }) => variants)
    .reduce((sum, { price, minReplicas }) => sum + price * minReplicas, 0);
  return {
    traits,
    snapshot: {
      now: null,
      models,
      stock: Object.fromEntries(Object.entries(stock).map(([gpu, count]) => [gpu, Math.max(count, floors(gpu))])),
      budget: traits.budget ? floorCost + (traits.integer ? random.whole(1, 12) : random.between(1, 15)) : null,
      routing,
      ...(traits.quotas ? { quotas: smallQuotas(quotas, models, gpus) } : {}),
    },
  };
};

/** A limit to all GPUs of the first model's namespace, or of one type, or both; the floors fit. */
const smallQuotas = (random: Random, models: readonly Model[], gpus: readonly string[]): NonNullable<Snapshot['quotas']> => {
  const variants = models[0]!.variants;
  const limit = (type: string): number =>
    variants
      .filter(({ gpu }) => type === '*' || gpu === type)
      .reduce((sum, { minReplicas, gpusPerReplica }) => sum + minReplicas * gpusPerReplica, random.whole(0, 8));
  const types = random.shuffled(['*', gpus[0]!]).slice(0, random.whole(1, 2));
  return { m0: Object.fromEntries(types.map((type) => [type, limit(type)])) };
};

const smallModel = (random: Random, m: number, traits: Traits, gpus: readonly string[]): Model => {
  const types = traits.models === 1 ? random.whole(1, 4) : random.whole(1, 2);
  const rows = random.whole(1, traits.models === 1 ? 6 : 3);
  const sizes = random.shuffled(inputs.flatMap((inputTokens) => outputs.map((outputTokens) => ({ inputTokens, outputTokens }))));
  const demand: DemandRow[] = sizes.slice(0, rows).map((size) => ({
    ...size,
    arrivalRate: random.chance(0.05) ? 0 : traits.integer ? random.whole(1, 4) : random.between(0.2, 4),
  }));
  const variants = gpus.slice(0, types).map((gpu, g) => smallVariant(random, `m${m}/v${g}`, gpu, demand, traits));
  return {
    name: `model-${m}`,
    priority: random.whole(0, 1),
    demand,
    variants: random.shuffled(variants),
    previous: null,
  };
};

const smallVariant = (random: Random, name: string, gpu: string, demand: readonly DemandRow[], traits: Traits): Variant => {
  const speed = traits.integer ? random.whole(1, 4) : random.between(0.7, 5);
  const throughput = demand.map(() => {
    if (traits.unservable && random.chance(0.2)) return 0;
    return traits.integer ? random.pick([1, 2, 4]) * speed : speed * random.between(0.5, 1.6);
  });
  const minReplicas = traits.bounds && random.chance(0.3) ? random.whole(0, 2) : 0;
  const most = traits.models === 1 ? 6 : 5;
  return {
    name,
    gpu: random.chance(0.15) ? 'A' : gpu,
    gpusPerReplica: random.chance(0.2) ? 2 : 1,
    price: traits.integer ? random.whole(1, 4) : random.between(0.5, 6),
    minReplicas,
    maxReplicas: traits.bounds && random.chance(0.4) ? random.whole(minReplicas, 4) : most,
    running: random.chance(0.3) ? random.whole(0, 4) : null,
    ready: null,
    throughput,
    throughputBeyondSlo: extrapolated(demand, throughput),
    e2eSeconds: random.chance(0.95) ? demand.map(() => (traits.integer ? random.whole(1, 4) : random.between(0.5, 6))) : null,
    sloShare: random.chance(0.3) ? random.pick([0.01, 0.1, 0.5]) : null,
  };
};
