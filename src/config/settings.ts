import { accessSync, constants } from 'node:fs';
import { GpumixError, messageOf } from '../vocabulary/errors.ts';
import { parsedArguments } from './command-line.ts';

/** One setting of a server: a flag, an environment variable, and what they may hold. */
export interface Setting<T> {
  readonly default: string;
  readonly parse: (text: string) => T;
  readonly help: string;
  /** Environment variable; else GPUMIX_<NAME>. */
  readonly env?: string;
}
export const setting = <T>(parse: (text: string) => T, otherwise: string, help: string, env?: string): Setting<T> => ({
  default: otherwise,
  parse,
  help,
  ...(env === undefined ? {} : { env }),
});

export const anyText = (value: string): string => value;
export const textOrNull = (value: string): string | null => (value === '' ? null : value);
const number = (value: string): number => {
  if (!/^-?\d+(\.\d+)?$/.test(value)) throw new Error('not a number');
  return Number(value);
};
export const atLeast =
  (least: number) =>
  (value: string): number => {
    const parsed = number(value);
    if (parsed < least) throw new Error(`less than ${least}`);
    return parsed;
  };
export const wholeFrom =
  (least: number) =>
  (value: string): number => {
    if (!/^\d+$/.test(value) || Number(value) < least) throw new Error(`not a whole number from ${least}`);
    return Number(value);
  };
export const whole = wholeFrom(0);
/** 0 = any free one. */
export const portNumber = (value: string): number => {
  if (!/^\d+$/.test(value) || Number(value) > 65_535) throw new Error('not a port, a whole number from 0 to 65535');
  return Number(value);
};
export const portOrNull = (value: string): number | null => (value === '' ? null : portNumber(value));
/** A file or folder that is there and can be read; empty = none. */
export const readableOrNull = (path: string): string | null => {
  if (path !== '') accessSync(path, constants.R_OK);
  return textOrNull(path);
};
export const seconds = atLeast(0);
export const flag = (value: string): boolean => {
  if (value === 'true' || value === 'false') return value === 'true';
  throw new Error('neither true nor false');
};
export const oneOfTexts =
  <T extends string>(...values: readonly T[]) =>
  (value: string): T => {
    const found = values.find((candidate) => candidate === value);
    if (found === undefined) throw new Error(`none of ${values.join(', ')}`);
    return found;
  };

/** One row per setting: parsing, `--help` and the README's table all read it. */
export type SettingsTable = Readonly<Record<string, Setting<unknown>>>;
export type SettingsOf<Table extends SettingsTable> = {
  readonly [K in keyof Table]: ReturnType<Table[K]['parse']>;
};

/** `redisUrl` is `--redis-url`. */
export const flagOf = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
/** `redisUrl` is REDIS_URL where the table says so, else GPUMIX_REDIS_URL. */
export const variableOf = (name: string, { env }: { readonly env?: string }): string =>
  env ?? `GPUMIX_${flagOf(name).replaceAll('-', '_').toUpperCase()}`;

/**
 * Flags beat environment variables, which beat defaults. All that is wrong is said at once, one line each.
 * @param contradictions of settings that can each be read, one line each
 * @throws GpumixError BAD_SETTING
 */
export const readSettings = <Table extends SettingsTable>(
  table: Table,
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  contradictions: (settings: SettingsOf<Table>) => readonly string[] = () => [],
): SettingsOf<Table> => {
  const rows = Object.entries(table);
  const flags = flagsOf(rows, argv);
  const problems: string[] = [];
  const entries = rows.map(([name, row]) => {
    const variable = variableOf(name, row);
    const fromFlag = flags[flagOf(name)];
    const given = fromFlag ?? environment[variable] ?? row.default;
    try {
      return [name, row.parse(given)];
    } catch (error) {
      const where = fromFlag === undefined ? variable : `--${flagOf(name)}`;
      const shown = /password|url/i.test(name) ? '' : ` is ${JSON.stringify(given)}`;
      problems.push(`${where}${shown}: ${messageOf(error)}`);
      return [name, undefined];
    }
  });
  const settings = Object.fromEntries(entries) as SettingsOf<Table>;
  if (problems.length === 0) problems.push(...contradictions(settings));
  if (problems.length > 0) throw new GpumixError('BAD_SETTING', problems.join('\n'));
  return settings;
};

const flagsOf = (
  rows: readonly (readonly [string, Setting<unknown>])[],
  argv: readonly string[],
): Readonly<Record<string, string | undefined>> => {
  const options = Object.fromEntries(rows.map(([name]) => [flagOf(name), { type: 'string' as const }]));
  // A flag that is true or false may stand alone.
  const switches = new Set(rows.flatMap(([name, row]) => (row.parse === flag ? [`--${flagOf(name)}`] : [])));
  const args = argv.map((argument) => (switches.has(argument) ? `${argument}=true` : argument));
  return parsedArguments(options, args, 0).values as Record<string, string | undefined>;
};

/** The settings as the flags of a command, for `--help`. */
export const settingOptions = (table: SettingsTable) =>
  Object.fromEntries(
    Object.entries(table).map(([name, row]) => [
      flagOf(name),
      {
        ...(row.parse === flag ? { type: 'boolean' as const } : { type: 'string' as const, value: 'VALUE' }),
        default: row.default,
        help: `${row.help} (${variableOf(name, row)})`,
      },
    ]),
  );
