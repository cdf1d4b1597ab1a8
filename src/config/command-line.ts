import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { GpumixError } from '../vocabulary/errors.ts';
import { suggestion } from './suggestion.ts';

/**
 * Flags of a command line by name, and what stands beside them. What is wrong is said in our words: Node's take three lines.
 * A value may be a negative number without `=`.
 * @param most arguments without a flag
 * @throws GpumixError BAD_USAGE
 */
export const parsedArguments = (options: ParseArgsOptionsConfig, args: readonly string[], most: number) => {
  const { values, positionals, tokens } = parseArgs({
    args: [...args],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  for (const token of tokens) if (token.kind === 'option') checkFlag(options, token);
  if (positionals.length > most)
    throw new GpumixError('BAD_USAGE', `unexpected argument ${JSON.stringify(positionals[most])}; --help says what is expected`);
  return { values, positionals };
};

/** One flag as it was written. */
interface Flag {
  readonly name: string;
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

const checkFlag = (options: ParseArgsOptionsConfig, { name, rawName, value, inlineValue }: Flag): void => {
  const option = Object.hasOwn(options, name) ? options[name] : undefined;
  if (option === undefined) {
    const meant = suggestion(
      rawName,
      Object.keys(options).map((flag) => `--${flag}`),
    );
    throw new GpumixError(
      'BAD_USAGE',
      `there is no flag ${rawName}; ${meant === null ? '--help lists them' : `did you mean ${meant}?`}`,
    );
  }
  if (option.type === 'boolean') {
    if (value !== undefined) throw new GpumixError('BAD_USAGE', `${rawName} takes no value`);
  } else if (value === undefined || (inlineValue !== true && /^-(?![\d.]|$)/.test(value)))
    throw new GpumixError('BAD_USAGE', `${rawName} needs a value`);
};
