import { readFile } from 'node:fs/promises';
import { GpumixError, messageOf } from '../vocabulary/errors.ts';

/** Tokens of a text, what the model puts around it included. */
export type CountTokens = (text: string) => number;

/**
 * The tokenizer in a model's `tokenizer.json`. The library is loaded only here, so that it costs nothing where no file is named.
 * @throws GpumixError BAD_USAGE
 */
export const tokenizerOf = async (path: string): Promise<CountTokens> => {
  const fail = (what: string, cause: unknown): never => {
    throw new GpumixError('BAD_USAGE', `--tokenizer ${path}: ${what}`, { cause });
  };
  const text = await readFile(path, 'utf8').catch((cause: unknown) => fail('cannot be read', cause));
  try {
    const { Tokenizer } = await import('@huggingface/tokenizers');
    const tokenizer = new Tokenizer(JSON.parse(text), {});
    return (prompt) => tokenizer.encode(prompt).ids.length;
  } catch (cause) {
    return fail(`is no tokenizer.json that is understood: ${messageOf(cause).split('\n')[0]}`, cause);
  }
};
