import * as z from 'zod/mini';
import {
  amount,
  count,
  countFromOne,
  counts,
  instant,
  number,
  oneOf,
  readDocument,
  share,
  text,
} from '../../formats/documents.ts';
import { pythonJson } from '../../formats/json.ts';
import { type Profile, profileOf, profileSchema } from '../../profiles/profile-document.ts';
import { servedByProfile, type VariantService } from '../../profiles/served-demand.ts';
import { GpumixError } from '../../vocabulary/errors.ts';
import {
  allHolds,
  type DemandRow,
  type Model,
  routerKnowledges,
  type Snapshot,
  type Variant,
} from '../../vocabulary/planning-documents.ts';

/**
 * Reads a snapshot document.
 * @throws GpumixError BAD_SNAPSHOT, with the path of the field
 */
export const parseSnapshot = (text: string): Snapshot => {
  let document: unknown;
  try {
    document = pythonJson(text, () => Number.NaN);
  } catch (cause) {
    throw new GpumixError('BAD_SNAPSHOT', 'not a JSON document', { cause });
  }
  return snapshotOf(document);
};

const demandSchema = z.strictObject({ inputTokens: amount, outputTokens: amount, arrivalRate: amount });

const variantSchema = z.strictObject({
  name: text,
  gpu: text,
  gpusPerReplica: z.nullish(countFromOne),
  price: amount,
  minReplicas: z.nullish(count),
  maxReplicas: z.nullish(count),
  heldBy: z.nullish(oneOf(allHolds)),
  running: z.nullish(count),
  ready: z.nullish(count),
  throughput: z.nullish(z.array(amount)),
  profile: z.nullish(profileSchema),
  throughputBeyondSlo: z.nullish(z.array(amount)),
  e2eSeconds: z.nullish(z.array(z.nullable(amount))),
  sloShare: z.nullish(share),
});

const modelSchema = z.strictObject({
  name: text,
  priority: z.nullish(number),
  routing: z.nullish(oneOf(routerKnowledges)),
  demand: z.array(demandSchema),
  variants: z.array(variantSchema),
  previous: z.nullish(z.strictObject({ replicas: counts })),
});

/** The format of a snapshot document. What a schema cannot say of several fields is checked by {@link snapshotOf}. */
export const snapshotSchema = z.strictObject({
  now: z.nullish(instant),
  models: z.array(modelSchema),
  stock: z.nullish(counts),
  quotas: z.nullish(z.record(z.string(), counts)),
  budget: z.nullish(amount),
  routing: z.nullish(oneOf(routerKnowledges)),
  nodeLimit: z.nullish(count),
  workLimit: z.nullish(count),
});

/** The same for a document that is parsed already. */
export const snapshotOf = (document: unknown): Snapshot => {
  const { now, models, stock, quotas, budget, routing, nodeLimit, workLimit } = readDocument(snapshotSchema, document, refuse);
  onceEach(models.map(({ name }, m) => ({ name, path: `models[${m}]` })));
  onceEach(models.flatMap(({ variants }, m) => variants.map(({ name }, v) => ({ name, path: `models[${m}].variants[${v}]` }))));
  return {
    now: now ?? null,
    models: models.map((model, m) => modelOf(model, `models[${m}]`)),
    stock: stock ?? {},
    ...(quotas ? { quotas } : {}),
    budget: budget ?? null,
    routing: routing ?? 'size',
    ...(nodeLimit === undefined || nodeLimit === null ? {} : { nodeLimit }),
    ...(workLimit === undefined || workLimit === null ? {} : { workLimit }),
  };
};

/** The document of a snapshot, which {@link snapshotOf} reads back to the same. */
export const snapshotDocument = (snapshot: Snapshot): Record<string, unknown> => ({
  ...snapshot,
  models: snapshot.models.map((model) => ({
    ...model,
    variants: model.variants.map(({ e2eSeconds, ...variant }) => ({
      ...variant,
      e2eSeconds: e2eSeconds === null ? null : e2eSeconds.map((seconds) => (Number.isNaN(seconds) ? null : seconds)),
    })),
  })),
});

/**
 * Throughput beyond the SLO where only that within it is known: as at the nearest row that is served (distance in log2
 * tokens; among equals the fewest tokens), in proportion to total tokens where the row has more.
 * @example
 * const short = { inputTokens: 512, outputTokens: 512, arrivalRate: 1 };
 * const long = { inputTokens: 2048, outputTokens: 1024, arrivalRate: 1 };
 * extrapolated([short, long], [6, 0]) // => [6, 2]
 */
export const extrapolated = (demand: readonly DemandRow[], throughput: readonly number[]): number[] => {
  const served = demand
    .map((row, index) => ({ ...row, throughput: throughput[index]! }))
    .filter((row) => row.throughput > 0)
    .sort((a, b) => tokens(a) - tokens(b) || a.inputTokens - b.inputTokens || b.throughput - a.throughput);
  return demand.map((row, index) => {
    if (throughput[index]! > 0 || served.length === 0) return throughput[index]!;
    const nearest = served.reduce((best, other) => (distance(row, other) < distance(row, best) ? other : best));
    return nearest.throughput / Math.max(1, tokens(row) / tokens(nearest));
  });
};

const tokens = ({ inputTokens, outputTokens }: DemandRow): number => Math.max(1, inputTokens + outputTokens);
const distance = (a: DemandRow, b: DemandRow): number =>
  Math.hypot(octaves(a.inputTokens, b.inputTokens), octaves(a.outputTokens, b.outputTokens));
const octaves = (a: number, b: number): number => Math.log2(Math.max(1, a) / Math.max(1, b));

const modelOf = (model: z.output<typeof modelSchema>, path: string): Model => ({
  name: model.name,
  priority: model.priority ?? 0,
  ...(model.routing ? { routing: model.routing } : {}),
  demand: model.demand,
  variants: model.variants.map((variant, v) => variantOf(variant, `${path}.variants[${v}]`, model.demand)),
  previous: model.previous ?? null,
});

type VariantDocument = z.output<typeof variantSchema>;

const variantOf = (variant: VariantDocument, path: string, demand: readonly DemandRow[]): Variant => {
  const minReplicas = variant.minReplicas ?? 0;
  const maxReplicas = variant.maxReplicas ?? null;
  if (maxReplicas !== null && minReplicas > maxReplicas)
    refuse(`${path}.minReplicas: must be at most maxReplicas (${maxReplicas}), not ${minReplicas}`);
  return {
    name: variant.name,
    gpu: variant.gpu,
    gpusPerReplica: variant.gpusPerReplica ?? 1,
    price: variant.price,
    minReplicas,
    maxReplicas,
    ...(variant.heldBy ? { heldBy: variant.heldBy } : {}),
    running: variant.running ?? null,
    ready: variant.ready ?? null,
    ...servedOf(variant, path, demand),
  };
};

const servedOf = (variant: VariantDocument, path: string, demand: readonly DemandRow[]): VariantService => {
  const { throughput, profile, throughputBeyondSlo, e2eSeconds } = variant;
  if (profile) {
    if (throughput) refuse(`${path}.throughput: must not stand beside profile`);
    return servedByProfile(profileAt(profile, `${path}.profile`), demand);
  }
  if (!throughput) return refuse(`${path}.throughput: must be a list, not missing`);
  for (const [name, column] of Object.entries({ throughput, throughputBeyondSlo, e2eSeconds }))
    if (column && column.length !== demand.length)
      refuse(`${path}.${name}: must have one entry per row of demand (${demand.length}), not ${column.length}`);
  return {
    throughput,
    throughputBeyondSlo: throughputBeyondSlo ?? extrapolated(demand, throughput),
    e2eSeconds: e2eSeconds?.map((seconds) => seconds ?? Number.NaN) ?? null,
    sloShare: variant.sloShare ?? null,
  };
};

const profileAt = (document: unknown, path: string): Profile => {
  try {
    return profileOf(document, path);
  } catch (error) {
    if (error instanceof GpumixError) throw new GpumixError('BAD_SNAPSHOT', error.message, { cause: error });
    throw error;
  }
};

const refuse = (what: string): never => {
  throw new GpumixError('BAD_SNAPSHOT', what);
};

const onceEach = (named: readonly { readonly name: string; readonly path: string }[]): void => {
  const seen = new Set<string>();
  for (const { name, path } of named) {
    if (seen.has(name)) refuse(`${path}.name: ${name} is named twice`);
    seen.add(name);
  }
};
