import { accessSync, constants } from 'node:fs';
import { GpumixError, messageOf } from '../vocabulary/errors.ts';
import { parsedArguments } from './command-line.ts';

/** Environment variables of the process; who starts a command reads them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** One setting of a server: a flag, an environment variable, and what they may hold. */
export interface Setting<T> {
  readonly default: string;
  readonly parse: (text: string) => T;
  readonly help: string;
  /** Environment variable; else GPUMIX_<NAME>. */
  readonly env?: string;
  /** Heading under which `--help` lists it. */
  readonly group?: string;
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
/** A number from 0 to 1. */
export const zeroToOne = (value: string): number => {
  const parsed = number(value);
  if (parsed < 0 || parsed > 1) throw new Error('not from 0 to 1');
  return parsed;
};
export const wholeFrom =
  (least: number) =>
  (value: string): number => {
    if (!/^\d+$/.test(value) || Number(value) < least) throw new Error(`not a whole number from ${least}`);
    return Number(value);
  };
export const whole = wholeFrom(0);
/** A port to listen on; 0 = any free one. */
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
export const oneOfTexts = <T extends string>(
  ...values: readonly T[]
): ((value: string) => T) & { readonly values: readonly T[] } =>
  Object.assign(
    (value: string): T => {
      const found = values.find((candidate) => candidate === value);
      if (found === undefined) throw new Error(`none of ${values.join(', ')}`);
      return found;
    },
    { values },
  );

/** One row per setting: parsing, `--help` and the tables of docs/reference.md all read it. */
export type SettingsTable = Readonly<Record<string, Setting<unknown>>>;
export type SettingsOf<Table extends SettingsTable> = {
  readonly [K in keyof Table]: ReturnType<Table[K]['parse']>;
};

/** Rows that `--help` lists together. */
export const grouped = <Table extends SettingsTable>(group: string, table: Table): Table =>
  Object.fromEntries(Object.entries(table).map(([name, row]) => [name, { ...row, group }])) as unknown as Table;

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
  environment: Environment,
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
  return parsedArguments(options, withSwitches(rows, argv), 0).values as Record<string, string | undefined>;
};

/** A flag that is true or false may stand alone. */
const withSwitches = (rows: readonly (readonly [string, Setting<unknown>])[], argv: readonly string[]): readonly string[] => {
  const switches = new Set(rows.flatMap(([name, row]) => (row.parse === flag ? [`--${flagOf(name)}`] : [])));
  return argv.map((argument) => (switches.has(argument) ? `${argument}=true` : argument));
};

/**
 * Parts the command line of a command that has a table's flags and some of its own.
 * @param own those, and no others
 * @param most arguments without a flag
 * @returns the table's flags, as {@link readSettings} takes them
 * @throws GpumixError BAD_USAGE
 */
export const flagsOfTable = (
  table: SettingsTable,
  own: Readonly<Record<string, { readonly type: 'string' | 'boolean'; readonly short?: string }>>,
  argv: readonly string[],
  most: number,
) => {
  const rows = Object.entries(table);
  const ofTable = rows.map(([name]) => [flagOf(name), { type: 'string' as const }] as const);
  const ofOwn = Object.entries(own).map(([name, { type, short }]) => [name, short === undefined ? { type } : { type, short }]);
  const options = Object.fromEntries([...ofOwn, ...ofTable]);
  const { values, positionals } = parsedArguments(options, withSwitches(rows, argv), most);
  const given = Object.entries(values).filter(([name]) => !Object.hasOwn(own, name));
  return {
    flags: given.map(([name, value]) => `--${name}=${String(value)}`),
    own: Object.fromEntries(Object.entries(values).filter(([name]) => Object.hasOwn(own, name))),
    positionals,
  };
};

/** The settings as the flags of a command, for `--help`. */
export const settingOptions = (table: SettingsTable) =>
  Object.fromEntries(
    Object.entries(table).map(([name, row]) => [
      flagOf(name),
      {
        ...(row.parse === flag
          ? { type: 'boolean' as const }
          : { type: 'string' as const, value: valueNames.get(row.parse) ?? 'VALUE' }),
        ...('values' in row.parse ? { choices: row.parse.values as readonly string[] } : {}),
        ...(row.group === undefined ? {} : { group: row.group }),
        default: row.default,
        help: `${row.help} (${variableOf(name, row)})`,
      },
    ]),
  );

/** What stands for a value in `--help`, by what reads it. */
const valueNames = new Map<unknown, string>([
  [seconds, 'SECONDS'],
  [portNumber, 'PORT'],
  [portOrNull, 'PORT'],
  [readableOrNull, 'PATH'],
]);
