/**
 * How long sentences of documents are: words in the median, the longest, and which sentences are long.
 *
 *   node hack/sentences.ts FILE...
 */
import { readFileSync } from 'node:fs';
import { withoutCode } from './links.ts';

/** What a reader reads as sentences: paragraphs and items of lists, without code, tables, headings and links' addresses. */
export const sentencesOf = (markdown: string): readonly string[] => {
  const prose = withoutCode(markdown)
    .replace(/^(#|\|).*$/gm, '')
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/`[^`]*`/g, 'CODE')
    .replace(/\*\*/g, '');
  const paragraphs = prose.split(/\n\s*\n|\n(?=\s*(?:[-*]|\d+\.) )/).map((one) => one.replace(/^\s*(?:[-*>]|\d+\.) /, '').trim());
  return paragraphs
    .flatMap((paragraph) => paragraph.split(/(?<=[.!?][)”]?)\s+(?=[\p{Lu}\d“(]|gpumix\b|vLLM\b)/u))
    .map((sentence) => sentence.replace(/\s+/g, ' ').trim())
    .filter((sentence) => /\p{L}/u.test(sentence));
};

export const wordsOf = (sentence: string): number => sentence.split(' ').filter((word) => /[\p{L}\p{N}]/u.test(word)).length;

export const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0;

if (import.meta.main)
  for (const file of process.argv.slice(2)) {
    const sentences = sentencesOf(readFileSync(file, 'utf8'));
    const lengths = sentences.map(wordsOf);
    console.log(`${file}: ${sentences.length} sentences, median ${median(lengths)} words, longest ${Math.max(0, ...lengths)}`);
    for (const sentence of sentences.filter((one) => wordsOf(one) > 28)) console.log(`  ${wordsOf(sentence)}: ${sentence}`);
  }
