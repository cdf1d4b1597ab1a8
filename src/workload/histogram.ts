import { isObject, type JsonObject } from '../formats/json.ts';
import { GpumixError } from '../vocabulary/errors.ts';
import { tokensOf } from './bucket-index.ts';

/** What one gateway record says of one interval. */
export interface RequestRecord {
  /** 1 to 4; the writer's version. */
  readonly version: number;
  readonly intervalSeconds: number;
  /** Requests that arrived in the interval. */
  readonly arrivals: number;
  /** In flight at its end, as the writer says, and below 0 where it is broken; null where the version does not say. */
  readonly pending: number | null;
  /** In the gateway's own queue at its end; null where the version does not say. */
  readonly queueing: number | null;
  /** Requests that ended in the interval, by size. They lag arrivals by their latency. */
  readonly completions: readonly Completions[];
  /** Requests that ended without telling their size (`0:0`). */
  readonly unknownSize: number;
  /** All that ended. */
  readonly completed: number;
  /** Fields that could not be read and were left out. */
  readonly malformed: number;
  /** Whether a record that should carry the total did not, so that completions stand in for arrivals. */
  readonly totalMissing: boolean;
  /** Whether gateways of ours add to it, each when it is its turn. */
  readonly merged: boolean;
  /** Whether such a gateway did not run for a part of the interval: what was pending has grown for that. */
  readonly paused: boolean;
}

export interface Completions {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly count: number;
}

/** Wire format: `aibrix:<model>_request_trace_<T>`, T = end of the interval in Unix seconds. The name is not escaped. */
export const recordKey = (model: string, time: number): string => `aibrix:${model}_request_trace_${time}`;

/** Gateways let their records expire after so long (s); what could not be written for so long is of no use. */
export const recordLifetimeSeconds = 600;

/**
 * Decodes one record, versions 1 to 4: a flat JSON object of `"<input>:<output>": n` and `meta_*` fields. Fields that
 * cannot be read are counted and left out; a record is refused only where it is no JSON object, or its interval cannot be true.
 * @param key names the record in messages
 * @throws GpumixError BAD_RECORD
 */
export const decodeRecord = (text: string, key: string): RequestRecord => {
  const fields = parseObject(text, key);
  const meta = (name: string): number | null => whole(fields[`meta_${name}`]);
  const version = meta('v') ?? 1;
  const precision = positiveOr(meta('precision'), version === 1 ? 1 : 10);
  const intervalSeconds = positiveOr(meta('interval_sec'), 10);
  // Its neighbours would be looked for at times at which none can be.
  if (intervalSeconds > recordLifetimeSeconds)
    throw new GpumixError(
      'BAD_RECORD',
      `${key}: meta_interval_sec is ${intervalSeconds}, longer than a record lives (${recordLifetimeSeconds} s)`,
    );
  const buckets = Object.entries(fields).filter(([name]) => !name.startsWith('meta_'));
  const counts = buckets.map(([name, value]) => ({ name: /^(\d+):(\d+)$/.exec(name), count: whole(value) }));
  const counted = counts.flatMap(({ name, count }) =>
    name === null || count === null || count === 0 ? [] : [{ input: Number(name[1]), output: Number(name[2]), count }],
  );
  const completed = counted.reduce((sum, { count }) => sum + count, 0);
  const total = meta('total_reqs');
  return {
    version,
    intervalSeconds,
    arrivals: version >= 3 && total !== null ? total : completed,
    pending: integer(fields['meta_pending_reqs']),
    queueing: meta('queueing_reqs'),
    completions: counted
      .filter(({ input, output }) => input > 0 || output > 0)
      .map(({ input, output, count }) => completionsOf(input, output, precision, count)),
    unknownSize: counted.reduce((sum, { input, output, count }) => sum + (input === 0 && output === 0 ? count : 0), 0),
    completed,
    malformed: counts.filter(({ name, count }) => name === null || count === null).length,
    totalMissing: version >= 3 && total === null,
    merged: Object.keys(fields).some((name) => name.startsWith('meta_by_')),
    paused: (meta('paused') ?? 0) > 0,
  };
};

/** Few requests of a size are usual, and histories hold thousands of such fields: the same one stands in all of them. */
const shared = new Map<number, Completions>();
const [mostShared, mostIndex, mostCount, mostPrecision] = [100_000, 1024, 64, 64];

const completionsOf = (input: number, output: number, precision: number, count: number): Completions => {
  const made = () => ({ inputTokens: tokensOf(input, precision), outputTokens: tokensOf(output, precision), count });
  if (Math.max(input, output) >= mostIndex || count >= mostCount || precision >= mostPrecision) return made();
  const key = ((precision * mostIndex + input) * mostIndex + output) * mostCount + count;
  const known = shared.get(key);
  if (known !== undefined) return known;
  if (shared.size >= mostShared) shared.clear();
  const added = made();
  shared.set(key, added);
  return added;
};

const parseObject = (text: string, key: string): JsonObject => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new GpumixError('BAD_RECORD', `${key}: not JSON`, { cause });
  }
  if (!isObject(value)) throw new GpumixError('BAD_RECORD', `${key}: not a JSON object`);
  return value;
};

/** A count, also where it is written as a numeric string; null where it is none. */
const whole = (value: unknown): number | null => {
  const number = integer(value);
  return number === null || number < 0 ? null : number;
};
const integer = (value: unknown): number | null => {
  const number = typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) ? number : null;
};

const positiveOr = (value: number | null, otherwise: number): number => (value === null || value === 0 ? otherwise : value);
