import { parsedArguments } from '../config/settings.ts';
import { GpumixError } from '../vocabulary/errors.ts';

/** Where a command writes. */
export interface CommandStreams {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
}

/** One flag: what it takes (none for a switch), its default and its meaning. */
export interface Option {
  readonly type: 'string' | 'boolean';
  /** One letter: `o` is -o. */
  readonly short?: string;
  readonly value?: string;
  readonly default?: string;
  readonly help: string;
}

export type FlagValues = Readonly<Record<string, string | boolean | undefined>>;

/** One sub-command of gpumix. */
export interface Command {
  readonly options: Readonly<Record<string, Option>>;
  /**
   * Exit status: 0 done; 1 the job's answer is no.
   * @throws GpumixError for bad usage or bad input; the caller says it in one line on stderr and exits with 2
   */
  run(argv: readonly string[], io: CommandStreams): Promise<number>;
}

/**
 * The flags of a command by name: a string, its default, or undefined; true or false for a switch.
 * @throws GpumixError BAD_USAGE
 */
export const readOptions = (options: Command['options'], argv: readonly string[]): FlagValues =>
  readArguments(options, argv, 0).values;

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
  const types = rows.map(([name, { type, short }]) => [name, short === undefined ? { type } : { type, short }]);
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
  if (typeof value !== 'string' || value.trim() === '' || !(number >= least)) {
    throw new GpumixError('BAD_USAGE', `--${name} is ${JSON.stringify(value)}, not a number from ${least}`);
  }
  return number;
};

/** The flags of a command as lines of `--help`. */
export const optionsHelp = (options: Command['options']): string =>
  Object.entries(options)
    .map(([name, { short, value, default: otherwise = '', help }]) => {
      const flag = `${short === undefined ? '' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`;
      return `  ${flag.padEnd(30)} ${help}${otherwise === '' ? '' : ` [${otherwise}]`}\n`;
    })
    .join('');
