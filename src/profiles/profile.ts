import type { Profile, Slo } from '../domain.ts';
import { GpumixError } from '../errors.ts';
import { isObject, pythonJson } from '../json.ts';

/** The profile that a Deployment has, and where it is from. */
export interface FoundProfile {
  readonly profile: Profile;
  /** Redis key or file. */
  readonly source: string;
  /** When it was last seen at its source (Unix s). */
  readonly seenAt: number;
  /** Eight digits that change with the document. */
  readonly digest: string;
}

export interface Profiles {
  /** By `namespace/name`; a Deployment without a profile is absent. */
  readonly found: ReadonlyMap<string, FoundProfile>;
  /** Documents that cannot be read, one line each; what they said before stands. */
  readonly problems: readonly string[];
}

/**
 * Reads a profile document: AIBrix's JSON (`gpu`, `cost`, `tputs`, `indexes`, ...) with the fields of ours, `gpuType` and
 * `gpusPerReplica`. Python's bare NaN and Infinity are accepted; a cell that holds one, or less than one request per hour, counts as
 * never within the SLO.
 * @param where file or Redis key, for messages
 * @throws GpumixError BAD_PROFILE
 */
export const parseProfile = (text: string, where: string): Profile => {
  let document: unknown;
  try {
    document = pythonJson(text, () => null);
  } catch (cause) {
    throw new GpumixError('BAD_PROFILE', `${where}: not JSON`, { cause });
  }
  return profileOf(document, where);
};

/** One request per hour: a replica that serves less serves nothing (req/s). */
const leastThroughput = 1 / 3600;

/**
 * The same for a document that is parsed already. Descending ticks are sorted with their matrix.
 * @throws GpumixError BAD_PROFILE, with the path of the field
 */
export const profileOf = (document: unknown, where: string): Profile => {
  const fail = (what: string): never => {
    throw new GpumixError('BAD_PROFILE', `${where}: ${what}`);
  };
  if (!isObject(document)) return fail('not a JSON object');
  const { gpu, cost, indexes, tputs, e2e, ttft, created, gpuType, gpusPerReplica } = document;
  const forAnyDeployment = gpu === undefined && typeof gpuType === 'string';
  if (!forAnyDeployment && (typeof gpu !== 'string' || gpu === ''))
    return fail('gpu is missing: the name of the Deployment it was measured for');
  if (cost === undefined || cost === null) return fail('cost is missing');
  if (typeof cost !== 'number' || !(cost > 0)) return fail(`cost is ${String(cost)}, not a number above 0`);
  if (!Array.isArray(indexes) || indexes.length !== 2) return fail('indexes is not [outputTicks, inputTicks]');
  const outputs = ticks(indexes[0], 'indexes[0] (output ticks)', fail);
  const inputs = ticks(indexes[1], 'indexes[1] (input ticks)', fail);
  const throughput = matrix(tputs, 'tputs', outputs, inputs, fail).map((cell) =>
    Number.isFinite(cell) && cell >= leastThroughput ? cell : 0,
  );
  if (gpuType !== undefined && gpuType !== null && typeof gpuType !== 'string') return fail('gpuType is not a string');
  if (
    gpusPerReplica !== undefined &&
    gpusPerReplica !== null &&
    !(Number.isInteger(gpusPerReplica) && (gpusPerReplica as number) > 0)
  )
    return fail(`gpusPerReplica is ${String(gpusPerReplica)}, not a whole number above 0`);
  return {
    deployment: (gpu as string | undefined) ?? null,
    inputTokens: inputs.map(({ tokens }) => tokens),
    outputTokens: outputs.map(({ tokens }) => tokens),
    throughput,
    e2eSeconds: e2e === undefined || e2e === null ? null : matrix(e2e, 'e2e', outputs, inputs, fail),
    ...(ttft === undefined || ttft === null ? {} : { ttftSeconds: matrix(ttft, 'ttft', outputs, inputs, fail) }),
    slo: sloOf(document['slos']),
    cost,
    gpu: (gpuType as string | null | undefined) ?? null,
    gpusPerReplica: (gpusPerReplica as number | null | undefined) ?? null,
    created: typeof created === 'number' ? created : null,
  };
};

/** Whether it serves any size at all within its limits. */
export const servesAnything = ({ throughput }: Profile): boolean => throughput.some((rate) => rate > 0);

/** The limits of a profile, for people. @example limitsText({ percentile: 99, ttft: 2 }) // => 'TTFT 2 s, at p99' */
export const limitsText = (slo: Slo | null): string => {
  const units = { ttft: 's', tpot: 's', tpat: 's', e2e: 's', tput: 'req/s', tt: 'tokens/s' } as const;
  const names = Object.keys(units) as (keyof typeof units)[];
  const set = names.flatMap((name) =>
    slo?.[name] === undefined ? [] : [`${name.toUpperCase()} ${slo[name]} ${units[name]}`],
  );
  if (slo === null || set.length === 0) return 'it names no limit';
  return `${set.join(', ')}, ${slo.percentile === 0 ? 'as means' : `at p${slo.percentile}`}`;
};

/** The document of a profile, as AIBrix's tools write it and as {@link profileOf} reads it; unknown cells are null. */
export const profileDocument = (profile: Profile): Record<string, unknown> => {
  const { inputTokens, outputTokens } = profile;
  const rows = (cells: readonly number[]) =>
    outputTokens.map((_, o) => inputTokens.map((_, i) => finiteOrNull(cells[i * outputTokens.length + o]!)));
  return {
    ...(profile.deployment === null ? {} : { gpu: profile.deployment }),
    cost: profile.cost,
    tputs: rows(profile.throughput),
    indexes: [outputTokens, inputTokens],
    ...(profile.created === null ? {} : { created: profile.created }),
    ...(profile.e2eSeconds === null ? {} : { e2e: rows(profile.e2eSeconds) }),
    ...(profile.ttftSeconds === undefined ? {} : { ttft: rows(profile.ttftSeconds) }),
    ...(profile.slo === null ? {} : { slos: profile.slo }),
    ...(profile.gpu === null ? {} : { gpuType: profile.gpu }),
    ...(profile.gpusPerReplica === null ? {} : { gpusPerReplica: profile.gpusPerReplica }),
  };
};

type Fail = (what: string) => never;
type Tick = { readonly tokens: number; readonly position: number };

const finiteOrNull = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** Ticks in ascending order, each with its place in the document. */
const ticks = (value: unknown, name: string, fail: Fail): readonly Tick[] => {
  if (!Array.isArray(value) || value.length === 0) return fail(`${name} is not a list of tokens`);
  const sorted = value.map((tokens: unknown, position) => {
    if (typeof tokens !== 'number' || !(tokens > 0))
      return fail(`${name}[${position}] is ${String(tokens)}, not a number of tokens`);
    return { tokens, position };
  });
  sorted.sort((a, b) => a.tokens - b.tokens);
  const repeated = sorted.find((tick, index) => index > 0 && tick.tokens === sorted[index - 1]!.tokens);
  return repeated === undefined ? sorted : fail(`${name} names ${repeated.tokens} twice`);
};

/** The document's matrix has a row per output tick; ours is a flat input x output. NaN where a cell is not a number. */
const matrix = (
  value: unknown,
  name: string,
  outputs: readonly Tick[],
  inputs: readonly Tick[],
  fail: Fail,
): number[] => {
  const rows = Array.isArray(value)
    ? (value as unknown[])
    : fail(`${name} is missing: a list of rows, one per output tick`);
  const widths = new Set(rows.map((row) => (Array.isArray(row) ? row.length : -1)));
  if (rows.length !== outputs.length || widths.size !== 1 || !widths.has(inputs.length))
    return fail(
      `${name} is ${rows.length} x ${[...widths].join('|')}, but indexes are ${outputs.length} x ${inputs.length} (output x input)`,
    );
  return inputs.flatMap((input) =>
    outputs.map((output) => {
      const cell = (rows[output.position] as unknown[])[input.position];
      const path = `${name}[${output.position}][${input.position}]`;
      if (cell === null) return Number.NaN;
      if (typeof cell !== 'number') return fail(`${path} is ${JSON.stringify(cell)}, not a number`);
      return cell < 0 ? fail(`${path} is negative`) : cell;
    }),
  );
};

const sloOf = (value: unknown): Slo | null => {
  if (!isObject(value)) return null;
  const limits = ['ttft', 'tpot', 'tpat', 'e2e', 'tput', 'tt'] as const;
  const known = limits.flatMap((name) => (typeof value[name] === 'number' ? [[name, value[name]] as const] : []));
  const percentile = typeof value['percentile'] === 'number' ? value['percentile'] : 0;
  return { percentile, ...Object.fromEntries(known) };
};
