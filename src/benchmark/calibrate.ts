import { GpumixError } from '../vocabulary/errors.ts';
import type { Answer, Endpoint } from './endpoint.ts';
import type { CountTokens } from './tokenizer.ts';
import { assumedVocabulary, candidates, promptOf, repeated, repeats, type Vocabulary, vocabularyOf } from './words.ts';

/** One answer, with nothing else to do for the endpoint. @throws GpumixError ENDPOINT_UNUSABLE where there is none */
export const askOnce = async (endpoint: Endpoint, prompt: string, outputTokens: number) => {
  const answer = await endpoint.ask(prompt, outputTokens, new AbortController().signal, () => {});
  if (answer.kind === 'failed') throw new GpumixError('ENDPOINT_UNUSABLE', answer.message);
  return answer;
};

export interface Calibration {
  readonly vocabulary: Vocabulary;
  /** Why prompts may not be of the exact length; null = they are. */
  readonly warning: string | null;
}

/** Tokens of a prompt; null = the endpoint counts none. */
type Count = (prompt: string) => Promise<number | null>;

/**
 * Learns what a prompt and each of our words cost: of the model's tokenizer where there is one, else by the endpoint's own
 * counts, with one short request each. Tries it on prompts of random words, which the endpoint counts.
 * @param longest tokens of the longest prompt that will be sent: what is tried is no longer
 * @throws GpumixError ENDPOINT_UNUSABLE; BAD_USAGE where the tokenizer is that of another model
 */
export const calibrate = async (
  endpoint: Endpoint,
  longest: number,
  random: () => number,
  tokenizer: CountTokens | null = null,
): Promise<Calibration> => {
  const count: Count = async (prompt) => inputTokens(await askOnce(endpoint, prompt, 1));
  if (tokenizer !== null) return await calibratedBy(tokenizer, count, longest, random);
  const vocabulary = await learned(count);
  if (vocabulary === null)
    return {
      vocabulary: assumedVocabulary,
      warning: 'the endpoint counts no tokens: a word is taken for one, and lengths are guesses; see --tokenizer',
    };
  const { tokens, counted } = await trial(count, vocabulary, longest, random);
  const said = `a prompt meant to have ${tokens} tokens has ${counted} by the endpoint's count`;
  return { vocabulary, warning: counted === tokens ? null : said };
};

/** What the endpoint puts around a prompt (a chat template) is the same for all; any other difference is another tokenizer. */
const calibratedBy = async (
  tokenizer: CountTokens,
  count: Count,
  longest: number,
  random: () => number,
): Promise<Calibration> => {
  const vocabulary = (await learned(async (prompt) => tokenizer(prompt)))!;
  const short = await trial(count, vocabulary, longestTrial / 4, random);
  const long = await trial(count, vocabulary, longest, random);
  if (short.counted === null || long.counted === null) return { vocabulary, warning: null };
  const around = short.counted - short.tokens;
  if (long.counted - long.tokens !== around)
    throw new GpumixError(
      'BAD_USAGE',
      `--tokenizer is not the endpoint's: a prompt that has ${long.tokens} tokens by it has ${long.counted} by the endpoint's count`,
    );
  return { vocabulary: { ...vocabulary, overhead: vocabulary.overhead + around }, warning: null };
};

/** null where nothing is counted. @throws GpumixError ENDPOINT_UNUSABLE where no rule is found */
const learned = async (count: Count): Promise<Vocabulary | null> => {
  const [first = ''] = candidates;
  const once = [await count(repeated(first, repeats)), await count(repeated(first, 2 * repeats))] as const;
  if (once[0] === null || once[1] === null) return null;
  const lengths = new Map<string, number>();
  for (const word of candidates) lengths.set(word, (await count(repeated(word, repeats))) ?? 0);
  const vocabulary = vocabularyOf([once[0], once[1]], lengths);
  if (vocabulary.groups.every(({ words }) => words.length < 2))
    throw new GpumixError('ENDPOINT_UNUSABLE', 'tokens are counted by no rule: prompts cannot be made to length');
  return vocabulary;
};

const inputTokens = ({ usage }: Extract<Answer, { kind: 'served' }>): number | null => usage?.inputTokens ?? null;

/** No longer than what was taken before: an endpoint may refuse long prompts, which is told with their sizes. */
const longestTrial = 2 * repeats;

/** Words side by side may cost what they do not cost alone. */
const trial = async (count: Count, vocabulary: Vocabulary, longest: number, random: () => number) => {
  const { text, tokens } = promptOf(Math.min(longest, longestTrial), vocabulary, random);
  return { tokens, counted: await count(text) };
};
