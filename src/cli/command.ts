import { parseArgs } from 'node:util';
import { GpumixError, messageOf } from '../vocabulary/errors.ts';

/** Where a command writes. */
export interface Io {
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

/** One sub-command of gpumix. */
export interface Command {
  readonly name: string;
  /** One line, for `--help` and the README. */
  readonly summary: string;
  readonly options: Readonly<Record<string, Option>>;
  /**
   * Exit status: 0 done; 1 the job's answer is no.
   * @throws GpumixError for bad usage or bad input; the caller says it in one line on stderr and exits with 2
   */
  run(argv: readonly string[], io: Io): Promise<number>;
}

/**
 * The flags of a command by name: a string, its default, or undefined; true or false for a switch.
 * @throws GpumixError BAD_USAGE
 */
export const readOptions = (
  options: Command['options'],
  argv: readonly string[],
): Readonly<Record<string, string | boolean | undefined>> => readArguments(options, argv, 0).values;

/**
 * The flags of a command, and what stands beside them.
 * @param most arguments without a flag
 * @throws GpumixError BAD_USAGE
 */
export const readArguments = (
  options: Command['options'],
  argv: readonly string[],
  most: number,
): {
  readonly values: Readonly<Record<string, string | boolean | undefined>>;
  readonly positionals: readonly string[];
} => {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: Object.fromEntries(
        Object.entries(options).map(([name, { type, short }]) => [name, short === undefined ? { type } : { type, short }]),
      ),
      allowPositionals: most > 0,
    });
    if (positionals.length > most) throw new Error(`unexpected argument ${JSON.stringify(positionals[most])}`);
    const defaults = Object.entries(options).map(([name, option]) => [name, option.type === 'boolean' ? false : option.default]);
    return { values: { ...Object.fromEntries(defaults), ...values }, positionals };
  } catch (cause) {
    throw new GpumixError('BAD_USAGE', messageOf(cause).split('. ')[0]!);
  }
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
