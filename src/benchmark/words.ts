/** What words cost at an endpoint (tokens), found by asking it. */
export interface Vocabulary {
  /** Of a prompt itself: beginning of sequence, chat template. */
  readonly overhead: number;
  /** Words by what one costs, cheapest first. Every group has two words at least where it may fill a prompt. */
  readonly groups: readonly { readonly tokens: number; readonly words: readonly string[] }[];
}

export interface Prompt {
  readonly text: string;
  /** By the vocabulary. */
  readonly tokens: number;
}

/** Common words: one token each, space included, in most vocabularies; which, the endpoint says. */
export const candidates: readonly string[] = (
  'time year people way day man thing woman life child world school state family student group country problem hand part ' +
  'place case week company system program question work night point home water room mother area money story fact month lot'
).split(' ');

/** How often a candidate is repeated to learn its cost: what is not a multiple belongs to the prompt. */
export const repeats = 32;

/** The prompt that tells what a word costs. @param count words */
export const repeated = (word: string, count: number): string => Array(count).fill(word).join(' ');

/**
 * What words cost, from the lengths of prompts that repeat one: overhead + count x cost.
 * @param once tokens of the first candidate's prompt at `repeats` and at twice that
 * @param lengths tokens at `repeats` by word
 */
export const vocabularyOf = (once: readonly [number, number], lengths: ReadonlyMap<string, number>): Vocabulary => {
  const overhead = Math.max(0, 2 * once[0] - once[1]);
  const groups = new Map<number, string[]>();
  for (const [word, length] of lengths) {
    const tokens = (length - overhead) / repeats;
    // A cost that is not whole depends on what stands beside the word.
    if (Number.isInteger(tokens) && tokens > 0) groups.set(tokens, [...(groups.get(tokens) ?? []), word]);
  }
  const all = [...groups].map(([tokens, words]) => ({ tokens, words })).sort((a, b) => a.tokens - b.tokens);
  return { overhead, groups: all };
};

/** One token a word and nothing else: where the endpoint counts nothing. */
export const assumedVocabulary: Vocabulary = { overhead: 0, groups: [{ tokens: 1, words: candidates }] };

/**
 * A prompt of so many tokens, of random words, so that no cache of prefixes serves it. As many words as fit come from the
 * largest group; a few of another make up what is left. Where that cannot be, the nearest length below, one word at least.
 * @param random numbers in [0, 1)
 */
export const promptOf = (length: number, { overhead, groups }: Vocabulary, random: () => number): Prompt => {
  const main = groups.reduce((best, group) => (group.words.length > best.words.length ? group : best));
  const left = Math.max(main.tokens, length - overhead);
  const fill = fillers(left, main.tokens, groups);
  const count = Math.floor((left - fill.tokens * fill.count) / main.tokens);
  const draw = (words: readonly string[]): string => words[Math.floor(random() * words.length)]!;
  const words = [
    ...Array.from({ length: count }, () => draw(main.words)),
    ...Array.from({ length: fill.count }, () => draw(fill.words)),
  ];
  return { text: words.join(' '), tokens: overhead + count * main.tokens + fill.count * fill.tokens };
};

/** The fewest words of one other group after which words of the main group fit without rest; none if no group does it. */
const fillers = (left: number, step: number, groups: Vocabulary['groups']) => {
  for (let count = 0; count < step; count += 1)
    for (const { tokens, words } of groups)
      if (count * tokens <= left && (left - count * tokens) % step === 0) return { count, tokens, words };
  return { count: 0, tokens: 0, words: [] };
};
