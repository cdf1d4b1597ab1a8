import { parsedArguments } from '../config/command-line.ts';
import type { Environment } from '../config/settings.ts';
import { GpumixError } from '../vocabulary/errors.ts';

/** Where a command writes. */
export interface CommandStreams {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** Columns of the terminal that stdout is, and of the one that stderr is; elsewhere there are none. */
  readonly columns?: number;
  readonly errorColumns?: number;
}

/** One flag: what it takes (none for a switch), its default and its meaning. */
export interface Option {
  readonly type: 'string' | 'boolean';
  /** One letter: `o` is -o. */
  readonly short?: string;
  readonly value?: string;
  readonly default?: string;
  readonly help: string;
  /** Heading under which `--help` lists it. */
  readonly group?: string;
  /** All that it takes, where that can be listed. */
  readonly choices?: readonly string[];
}

export type FlagValues = Readonly<Record<string, string | boolean | undefined>>;

/** One sub-command of gpumix. */
export interface Command {
  /** What follows the command's name; `[flags]` where nothing else does. */
  readonly usage?: string;
  /** Whole command lines, for `--help`. */
  readonly examples?: readonly string[];
  readonly options: Readonly<Record<string, Option>>;
  /**
   * Exit status: 0 done; 1 the job's answer is no.
   * @throws GpumixError for bad usage or bad input; the caller says it in one line on stderr and exits with 2
   */
  run(argv: readonly string[], io: CommandStreams, environment: Environment): Promise<number>;
}

/** Commands are loaded when they are called: `plan` needs neither Redis nor Kubernetes. */
export interface UnloadedCommand {
  /** One line, for `--help` and docs/reference.md. */
  readonly summary: string;
  load(): Promise<Command>;
}

/**
 * The flags of a command by name: a string, its default, or undefined; true or false for a switch.
 * @throws GpumixError BAD_USAGE
 */
export const readOptions = (options: Command['options'], argv: readonly string[]): FlagValues =>
  readArguments(options, argv, 0).values;

/**
 * Refuses flags that would change nothing.
 * @param argv as the command was given it
 * @param why what makes them of no use: `without --trace`
 * @throws GpumixError BAD_USAGE
 */
export const refuseUseless = (
  options: Command['options'],
  argv: readonly string[],
  names: readonly string[],
  why: string,
): void => {
  const types = Object.fromEntries(Object.entries(options).map(([name, { type, short }]) => [name, typeOf(type, short)]));
  const { values } = parsedArguments(types, argv, argv.length);
  const useless = names.find((name) => Object.hasOwn(values, name));
  if (useless !== undefined) throw new GpumixError('BAD_USAGE', `--${useless} is of no use ${why}`);
};

const typeOf = (type: Option['type'], short: string | undefined) => (short === undefined ? { type } : { type, short });

/**
 * The flags of a command, and what stands beside them.
 * @param most arguments without a flag
 * @throws GpumixError BAD_USAGE
 */
export const readArguments = (
  options: Command['options'],
  argv: readonly string[],
  most: number,
): { readonly values: FlagValues; readonly positionals: readonly string[] } => {
  const rows = Object.entries(options);
  const types = rows.map(([name, { type, short }]) => [name, typeOf(type, short)]);
  const { values, positionals } = parsedArguments(Object.fromEntries(types), argv, most);
  const defaults = rows.map(([name, option]) => [name, option.type === 'boolean' ? false : option.default]);
  return { values: { ...Object.fromEntries(defaults), ...values }, positionals };
};

/** A flag that takes a value. */
export const valueOption = (value: string, help: string, otherwise?: string): Option => ({
  type: 'string',
  value,
  help,
  ...(otherwise === undefined ? {} : { default: otherwise }),
});

/** A flag that takes one of a few values. */
export const choiceOption = (choices: readonly string[], value: string, help: string, otherwise?: string): Option => ({
  ...valueOption(value, help, otherwise),
  choices,
});

/** Flags that `--help` lists together. */
export const inGroup = (group: string, options: Command['options']): Command['options'] =>
  Object.fromEntries(Object.entries(options).map(([name, option]) => [name, { ...option, group }]));

/** A flag's text; null where it is not given. */
export const textOf = (values: FlagValues, name: string): string | null => {
  const value = values[name];
  return typeof value === 'string' ? value : null;
};

/** A flag's text. @throws GpumixError BAD_USAGE where it is missing or empty */
export const requiredText = (values: FlagValues, name: string): string => {
  const value = textOf(values, name);
  if (value === null || value === '') throw new GpumixError('BAD_USAGE', `--${name} is missing`);
  return value;
};

/** `--percentile`: which percentile must keep the limits of an SLO; 0 = the mean. @throws GpumixError BAD_USAGE */
export const percentileOption = ({ percentile }: FlagValues): number => {
  if ([0, 50, 90, 99].includes(Number(percentile))) return Number(percentile);
  throw new GpumixError('BAD_USAGE', `--percentile is ${JSON.stringify(percentile)}, not 0, 50, 90 or 99`);
};

/** A number from a flag. @throws GpumixError BAD_USAGE */
export const numberOption = (name: string, value: string | boolean | undefined, least: number): number => {
  const number = Number(value);
  if (!isNumber(value) || !(number >= least))
    throw new GpumixError('BAD_USAGE', `--${name} is ${JSON.stringify(value)}, not a number from ${least}`);
  return number;
};

/** A number from 0 to 1 from a flag. @throws GpumixError BAD_USAGE */
export const shareOption = (name: string, value: string | boolean | undefined): number => {
  if (isNumber(value) && Number(value) >= 0 && Number(value) <= 1) return Number(value);
  throw new GpumixError('BAD_USAGE', `--${name} is ${JSON.stringify(value)}, not a number from 0 to 1`);
};

/** A number above 0 from a flag. @throws GpumixError BAD_USAGE */
export const positiveOption = (name: string, value: string | boolean | undefined): number => {
  if (isNumber(value) && Number(value) > 0) return Number(value);
  throw new GpumixError('BAD_USAGE', `--${name} is ${JSON.stringify(value)}, not a number above 0`);
};

/** A whole number from a flag. @throws GpumixError BAD_USAGE */
export const wholeOption = (name: string, value: string | boolean | undefined, least: number): number => {
  if (isNumber(value) && Number.isSafeInteger(Number(value)) && Number(value) >= least) return Number(value);
  throw new GpumixError('BAD_USAGE', `--${name} is ${JSON.stringify(value)}, not a whole number from ${least}`);
};

/** A port from a flag; 0 = any free one. @throws GpumixError BAD_USAGE */
export const portOption = (name: string, value: string | boolean | undefined): number => {
  const port = wholeOption(name, value, 0);
  if (port <= 65_535) return port;
  throw new GpumixError('BAD_USAGE', `--${name} is ${JSON.stringify(value)}, not a port, a whole number from 0 to 65535`);
};

const isNumber = (value: string | boolean | undefined): value is string =>
  typeof value === 'string' && /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(value);
