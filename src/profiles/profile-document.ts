import * as z from 'zod/mini';
import { amount, countFromOne, positive, readDocument, text } from '../formats/documents.ts';
import { pythonJson } from '../formats/json.ts';
import { GpumixError } from '../vocabulary/errors.ts';

/** Limits of a profile's SLO; absent ones were not set. Seconds, except `tput` (req/s) and `tt` (tokens/s). */
export interface Slo {
  /** 50, 90 or 99; 0 stands for the mean. */
  readonly percentile: number;
  readonly ttft?: number;
  readonly tpot?: number;
  readonly tpat?: number;
  readonly e2e?: number;
  readonly tput?: number;
  readonly tt?: number;
}

/** Throughput of one replica of one model on one GPU type within one SLO, over a grid of request sizes. */
export interface Profile {
  /** The Deployment it was measured for: `name` or `namespace/name`; null = any Deployment on that GPU type. */
  readonly deployment: string | null;
  /** Grid, ascending, in tokens. */
  readonly inputTokens: readonly number[];
  readonly outputTokens: readonly number[];
  /** μ, most requests per second of one replica within the SLO (req/s), input x output; 0 = never within the SLO. */
  readonly throughput: readonly number[];
  /** Mean end-to-end time at that throughput (s), input x output, NaN where unknown; null = not measured. */
  readonly e2eSeconds: readonly number[] | null;
  /** Mean time to the first token at that throughput (s), likewise; absent = not measured. */
  readonly ttftSeconds?: readonly number[];
  readonly slo: Slo | null;
  /** Price of one replica (money/h, or any unit that all profiles of a model share). */
  readonly cost: number;
  /** The part as sold; only in profiles of ours. */
  readonly gpu: string | null;
  readonly gpusPerReplica: number | null;
  /** Unix seconds, as the document says. */
  readonly created: number | null;
}

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
 * `gpusPerReplica`. Python's bare NaN and Infinity are accepted; a cell that holds one, or less than one request per hour, counts
 * as never within the SLO.
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

const cells = z.array(z.array(z.nullable(amount)));
/** Limits that are no numbers are as good as none. */
const limit = z.catch(z.nullish(z.number()), null);

/** The format of a profile document. What a schema cannot say of several fields is checked by {@link profileOf}. */
export const profileSchema = z.object({
  /** The Deployment that was measured; may be missing where `gpuType` is there. */
  gpu: z.nullish(text),
  gpuType: z.nullish(z.string()),
  gpusPerReplica: z.nullish(countFromOne),
  cost: positive,
  /** Ticks of output tokens, and of input tokens. */
  indexes: z.tuple([z.array(positive).check(z.minLength(1)), z.array(positive).check(z.minLength(1))]),
  /** A row per output tick, a column per input tick. */
  tputs: cells,
  e2e: z.nullish(cells),
  ttft: z.nullish(cells),
  created: z.catch(z.nullish(z.number()), null),
  slos: z.catch(
    z.nullish(z.object({ percentile: limit, ttft: limit, tpot: limit, tpat: limit, e2e: limit, tput: limit, tt: limit })),
    null,
  ),
});

/**
 * The same for a document that is parsed already. Descending ticks are sorted with their matrix.
 * @throws GpumixError BAD_PROFILE, with the path of the field
 */
export const profileOf = (document: unknown, where: string): Profile => {
  const fail: Fail = (what) => {
    throw new GpumixError('BAD_PROFILE', `${where}: ${what}`);
  };
  const { gpu, cost, indexes, tputs, e2e, ttft, created, gpuType, gpusPerReplica, slos } = readDocument(
    profileSchema,
    document,
    fail,
  );
  if (!gpu && !gpuType) return fail('gpu is missing: the name of the Deployment it was measured for');
  const outputs = ticks(indexes[0], 'indexes[0] (output ticks)', fail);
  const inputs = ticks(indexes[1], 'indexes[1] (input ticks)', fail);
  const matrix = (rows: z.output<typeof cells>, name: string) => flat(rows, name, outputs, inputs, fail);
  return {
    deployment: gpu ?? null,
    inputTokens: inputs.map(({ tokens }) => tokens),
    outputTokens: outputs.map(({ tokens }) => tokens),
    throughput: matrix(tputs, 'tputs').map((cell) => (cell >= leastThroughput ? cell : 0)),
    e2eSeconds: e2e ? matrix(e2e, 'e2e') : null,
    ...(ttft ? { ttftSeconds: matrix(ttft, 'ttft') } : {}),
    slo: slos ? sloOf(slos) : null,
    cost,
    gpu: gpuType ?? null,
    gpusPerReplica: gpusPerReplica ?? null,
    created: created ?? null,
  };
};

/** Whether it serves any size at all within its limits. */
export const servesAnything = ({ throughput }: Profile): boolean => throughput.some((rate) => rate > 0);

/** The limits of a profile, for people. @example limitsText({ percentile: 99, ttft: 2 }) // => 'TTFT 2 s, at p99' */
export const limitsText = (slo: Slo | null): string => {
  const units = { ttft: 's', tpot: 's', tpat: 's', e2e: 's', tput: 'req/s', tt: 'tokens/s' } as const;
  const names = Object.keys(units) as (keyof typeof units)[];
  const set = names.flatMap((name) => (slo?.[name] === undefined ? [] : [`${name.toUpperCase()} ${slo[name]} ${units[name]}`]));
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
const ticks = (values: readonly number[], name: string, fail: Fail): readonly Tick[] => {
  const sorted = values.map((tokens, position) => ({ tokens, position })).sort((a, b) => a.tokens - b.tokens);
  const repeated = sorted.find((tick, index) => index > 0 && tick.tokens === sorted[index - 1]!.tokens);
  return repeated === undefined ? sorted : fail(`${name} names ${repeated.tokens} twice`);
};

/** The document's matrix has a row per output tick; ours is a flat input x output. NaN where a cell is not a number. */
const flat = (
  rows: z.output<typeof cells>,
  name: string,
  outputs: readonly Tick[],
  inputs: readonly Tick[],
  fail: Fail,
): number[] => {
  const widths = new Set(rows.map((row) => row.length));
  if (rows.length !== outputs.length || widths.size !== 1 || !widths.has(inputs.length))
    return fail(
      `${name} is ${rows.length} x ${[...widths].join('|')}, but indexes are ${outputs.length} x ${inputs.length} (output x input)`,
    );
  return inputs.flatMap((input) => outputs.map((output) => rows[output.position]![input.position] ?? Number.NaN));
};

const sloOf = ({ percentile, ...given }: NonNullable<z.output<typeof profileSchema>['slos']>): Slo => ({
  percentile: percentile ?? 0,
  ...Object.fromEntries(Object.entries(given).filter(([, value]) => typeof value === 'number')),
});
