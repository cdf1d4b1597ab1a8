import { GpumixError } from '../errors.ts';
import type { Answer, Endpoint } from './endpoint.ts';
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

/**
 * Learns by the endpoint's own counts what a prompt and each of our words cost, with one short request each, and tries it
 * on a prompt of random words.
 * @param longest tokens of the longest prompt that will be sent: what is tried is no longer
 * @throws GpumixError ENDPOINT_UNUSABLE
 */
export const calibrate = async (endpoint: Endpoint, longest: number, random: () => number): Promise<Calibration> => {
  const count = async (prompt: string): Promise<number | null> => inputTokens(await askOnce(endpoint, prompt, 1));
  const [first = ''] = candidates;
  const once = [await count(repeated(first, repeats)), await count(repeated(first, 2 * repeats))] as const;
  if (once[0] === null || once[1] === null)
    return {
      vocabulary: assumedVocabulary,
      warning: 'the endpoint counts no tokens: a word is taken for one, and lengths are guesses',
    };
  const lengths = new Map<string, number>();
  for (const word of candidates) lengths.set(word, (await count(repeated(word, repeats))) ?? 0);
  const vocabulary = vocabularyOf([once[0], once[1]], lengths);
  if (vocabulary.groups.every(({ words }) => words.length < 2))
    throw new GpumixError(
      'ENDPOINT_UNUSABLE',
      'the endpoint counts tokens by no rule: prompts cannot be made to length',
    );
  return { vocabulary, warning: await trial(count, vocabulary, longest, random) };
};

const inputTokens = ({ usage }: Extract<Answer, { kind: 'served' }>): number | null => usage?.inputTokens ?? null;

/** No longer than what was taken before: an endpoint may refuse long prompts, which is told with their sizes. */
const longestTrial = 2 * repeats;

/** Words side by side may cost what they do not cost alone. */
const trial = async (
  count: (prompt: string) => Promise<number | null>,
  vocabulary: Vocabulary,
  longest: number,
  random: () => number,
): Promise<string | null> => {
  const prompt = promptOf(Math.min(longest, longestTrial), vocabulary, random);
  const counted = await count(prompt.text);
  return counted === prompt.tokens
    ? null
    : `a prompt meant to have ${prompt.tokens} tokens has ${counted} by the endpoint's count`;
};
