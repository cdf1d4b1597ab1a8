import { closestMatch } from 'leven';

/**
 * What somebody may have meant who wrote a word that is not known; null = nothing is near enough.
 * @example suggestion('sevre', ['serve', 'plan']) // => 'serve'
 */
export const suggestion = (word: string, known: readonly string[]): string | null => {
  const begun = known.filter((one) => one.startsWith(word));
  if (begun.length === 1) return begun[0]!;
  return closestMatch(word, known, { maxDistance: Math.min(2, Math.ceil(0.4 * word.replace(/^-+/, '').length)) }) ?? null;
};
