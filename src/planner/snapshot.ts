import {
  type Demand,
  type Model,
  type PreviousPlan,
  type Profile,
  type Routing,
  routings,
  type Snapshot,
  type Variant,
} from '../domain.ts';
import { GpumixError } from '../errors.ts';
import { isObject, pythonJson } from '../json.ts';
import { profileOf } from '../profiles/profile.ts';
import { type Served, servedByProfile } from '../profiles/served.ts';

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

/** The same for a document that is parsed already. */
export const snapshotOf = (document: unknown): Snapshot => {
  const fields = object(document, '', ['now', 'models', 'stock', 'quotas', 'budget', 'routing', 'nodeLimit']);
  const models = list(fields['models'], 'models').map((model, m) => modelOf(model, `models[${m}]`));
  unique(models, 'models');
  const all = models.flatMap((model, m) =>
    model.variants.map(({ name }, v) => ({ name, path: `models[${m}].variants[${v}]` })),
  );
  for (const [i, { name, path }] of all.entries())
    if (all.slice(0, i).some((other) => other.name === name)) fail(`${path}.name`, `${name} is named twice`);
  return {
    now: optional(fields['now'], 'now', null, instant),
    models,
    stock: optional(fields['stock'], 'stock', {}, counts),
    ...(present(fields['quotas']) ? { quotas: quotasOf(fields['quotas'], 'quotas') } : {}),
    budget: optional(fields['budget'], 'budget', null, amount),
    routing: optional(fields['routing'], 'routing', 'size', routing),
    ...(present(fields['nodeLimit']) ? { nodeLimit: count(fields['nodeLimit'], 'nodeLimit') } : {}),
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
 * @example extrapolated([{ inputTokens: 512, outputTokens: 512, arrivalRate: 1 }, { inputTokens: 2048, outputTokens: 1024, arrivalRate: 1 }], [6, 0]) // => [6, 2]
 */
export const extrapolated = (demand: readonly Demand[], throughput: readonly number[]): number[] => {
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

const tokens = ({ inputTokens, outputTokens }: Demand): number => Math.max(1, inputTokens + outputTokens);
const distance = (a: Demand, b: Demand): number =>
  Math.hypot(octaves(a.inputTokens, b.inputTokens), octaves(a.outputTokens, b.outputTokens));
const octaves = (a: number, b: number): number => Math.log2(Math.max(1, a) / Math.max(1, b));

const modelOf = (document: unknown, path: string): Model => {
  const fields = object(document, path, ['name', 'priority', 'routing', 'demand', 'variants', 'previous']);
  const demand = list(fields['demand'], `${path}.demand`).map((row, d) => demandOf(row, `${path}.demand[${d}]`));
  const variants = list(fields['variants'], `${path}.variants`).map((variant, v) =>
    variantOf(variant, `${path}.variants[${v}]`, demand),
  );
  return {
    name: text(fields['name'], `${path}.name`),
    priority: optional(fields['priority'], `${path}.priority`, 0, finite),
    ...(present(fields['routing']) ? { routing: routing(fields['routing'], `${path}.routing`) } : {}),
    demand,
    variants,
    previous: optional(fields['previous'], `${path}.previous`, null, previousOf),
  };
};

const demandOf = (document: unknown, path: string): Demand => {
  const fields = object(document, path, ['inputTokens', 'outputTokens', 'arrivalRate']);
  return {
    inputTokens: amount(fields['inputTokens'], `${path}.inputTokens`),
    outputTokens: amount(fields['outputTokens'], `${path}.outputTokens`),
    arrivalRate: amount(fields['arrivalRate'], `${path}.arrivalRate`),
  };
};

const variantFields = [
  ...['name', 'gpu', 'gpusPerReplica', 'price', 'minReplicas', 'maxReplicas', 'running', 'ready'],
  ...['throughput', 'profile', 'throughputBeyondSlo', 'e2eSeconds', 'sloShare'],
];

const variantOf = (document: unknown, path: string, demand: readonly Demand[]): Variant => {
  const fields = object(document, path, variantFields);
  const minReplicas = optional(fields['minReplicas'], `${path}.minReplicas`, 0, count);
  const maxReplicas = optional(fields['maxReplicas'], `${path}.maxReplicas`, null, count);
  if (maxReplicas !== null && minReplicas > maxReplicas)
    fail(`${path}.minReplicas`, `must be at most maxReplicas (${maxReplicas}), not ${minReplicas}`);
  const gpusPerReplica = optional(fields['gpusPerReplica'], `${path}.gpusPerReplica`, 1, count);
  if (gpusPerReplica === 0) fail(`${path}.gpusPerReplica`, 'must be at least 1, not 0');
  return {
    name: text(fields['name'], `${path}.name`),
    gpu: text(fields['gpu'], `${path}.gpu`),
    gpusPerReplica,
    price: amount(fields['price'], `${path}.price`),
    minReplicas,
    maxReplicas,
    running: optional(fields['running'], `${path}.running`, null, count),
    ready: optional(fields['ready'], `${path}.ready`, null, count),
    ...servedOf(fields, path, demand),
  };
};

const servedOf = (fields: Fields, path: string, demand: readonly Demand[]): Served => {
  if (present(fields['profile'])) {
    if (present(fields['throughput'])) fail(`${path}.throughput`, 'must not stand beside profile');
    return servedByProfile(profileAt(fields['profile'], `${path}.profile`), demand);
  }
  const column = <T>(name: string, read: Read<T>): T[] => {
    const values = list(fields[name], `${path}.${name}`);
    if (values.length !== demand.length)
      fail(`${path}.${name}`, `must have one entry per row of demand (${demand.length}), not ${values.length}`);
    return values.map((value, row) => read(value, `${path}.${name}[${row}]`));
  };
  const throughput = column('throughput', amount);
  return {
    throughput,
    throughputBeyondSlo: present(fields['throughputBeyondSlo'])
      ? column('throughputBeyondSlo', amount)
      : extrapolated(demand, throughput),
    e2eSeconds: present(fields['e2eSeconds'])
      ? column('e2eSeconds', (value, at) => (present(value) ? amount(value, at) : Number.NaN))
      : null,
    sloShare: optional(fields['sloShare'], `${path}.sloShare`, null, share),
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

const previousOf = (document: unknown, path: string): PreviousPlan => ({
  replicas: counts(object(document, path, ['replicas'])['replicas'], `${path}.replicas`),
});

type Fields = Readonly<Record<string, unknown>>;
type Read<T> = (value: unknown, path: string) => T;

const fail = (path: string, what: string): never => {
  throw new GpumixError('BAD_SNAPSHOT', path === '' ? what : `${path}: ${what}`);
};

const present = (value: unknown): boolean => value !== undefined && value !== null;

const optional = <T, D>(value: unknown, path: string, fallback: D, read: Read<T>): T | D =>
  present(value) ? read(value, path) : fallback;

const shown = (value: unknown): string =>
  value === undefined ? 'missing' : Number.isNaN(value) ? 'NaN' : JSON.stringify(value).slice(0, 40);

const object = (value: unknown, path: string, known: readonly string[] | null): Fields => {
  if (!isObject(value)) return fail(path, `must be an object, not ${shown(value)}`);
  const unknown = known === null ? undefined : Object.keys(value).find((name) => !known.includes(name));
  if (unknown !== undefined) fail(path === '' ? unknown : `${path}.${unknown}`, 'unknown field');
  return value;
};

const list = (value: unknown, path: string): readonly unknown[] =>
  Array.isArray(value) ? value : fail(path, `must be a list, not ${shown(value)}`);

const text: Read<string> = (value, path) =>
  typeof value === 'string' && value !== '' ? value : fail(path, `must be a text, not ${shown(value)}`);

const finite: Read<number> = (value, path) =>
  typeof value === 'number' && Number.isFinite(value) ? value : fail(path, `must be a number, not ${shown(value)}`);

const amount: Read<number> = (value, path) =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0
    ? value
    : fail(path, `must be a number of at least 0, not ${shown(value)}`);

const count: Read<number> = (value, path) =>
  Number.isSafeInteger(value) && (value as number) >= 0
    ? (value as number)
    : fail(path, `must be a whole number of at least 0, not ${shown(value)}`);

const share: Read<number> = (value, path) =>
  amount(value, path) <= 1 ? (value as number) : fail(path, `must be at most 1, not ${shown(value)}`);

const instant: Read<string> = (value, path) =>
  typeof value === 'string' && !Number.isNaN(Date.parse(value))
    ? value
    : fail(path, `must be a time such as 2026-11-25T00:00:00Z, not ${shown(value)}`);

const routing: Read<Routing> = (value, path) =>
  routings.includes(value as Routing)
    ? (value as Routing)
    : fail(path, `must be one of ${routings.join(', ')}, not ${shown(value)}`);

const counts: Read<Readonly<Record<string, number>>> = (value, path) =>
  Object.fromEntries(
    Object.entries(object(value, path, null)).map(([name, number]) => [name, count(number, `${path}.${name}`)]),
  );

const quotasOf: Read<NonNullable<Snapshot['quotas']>> = (value, path) =>
  Object.fromEntries(
    Object.entries(object(value, path, null)).map(([namespace, limits]) => [
      namespace,
      counts(limits, `${path}.${namespace}`),
    ]),
  );

const unique = (models: readonly Model[], path: string): void => {
  for (const [m, { name }] of models.entries())
    if (models.findIndex((other) => other.name === name) < m) fail(`${path}[${m}].name`, `${name} is named twice`);
};
