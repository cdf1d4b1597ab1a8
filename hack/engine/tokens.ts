/** Longer words are two tokens: prompts of words have no simple length, as with a real tokenizer. */
const longestSingle = 6;

/**
 * Tokens of a text: its beginning is one, a word is one or two.
 * @example tokensOf('day problem') // => 4
 */
export const tokensOf = (text: string): number =>
  (text.match(/\S+/g) ?? []).reduce((sum, word) => sum + (word.length > longestSingle ? 2 : 1), 1);
