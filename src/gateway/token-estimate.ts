import { mediaKinds, type PromptSize } from './prompt-size.ts';

/** What was learned of a model's requests from the usage counts of its engines. */
export interface TokenEstimate {
  /** Tokens of a prompt. */
  inputTokens(prompt: PromptSize): number;
  /** Tokens of an answer, before it is there. */
  outputTokens(most: number | null): number;
  learn(prompt: PromptSize, inputTokens: number, outputTokens: number): void;
}

/** English text with the tokenizers of today; what is believed until a few counts are there. */
const tokensPerCharacter = 1 / 4;
/** What is believed of an answer's length before one was seen, and of an image or a sound. */
const firstOutputTokens = 256;
const firstMediaTokens = 500;
/** Requests that are remembered. */
const memory = 200;
/** Share of the answers that count with their own length; longer ones count as the longest of these. */
const ordinary = 0.9;

/**
 * Prompts: tokens = a + b x characters, so that what a chat template adds to each prompt is in a. It is learned from requests of
 * text alone; images and sounds are learned apart, as tokens of each. Everything is a median of the last requests, so that a few
 * with absurd counts move nothing. Answers: the mean of the last ones.
 */
export const tokenEstimate = (): TokenEstimate => {
  const texts = lastOnes<TextCount>();
  const answers = lastOnes<number>();
  const media = new Map(mediaKinds.map((kind) => [kind, lastOnes<number>()]));
  const line = texts.summed(lineThrough);
  const answer = answers.summed(ordinaryMean);
  const each = new Map(mediaKinds.map((kind) => [kind, media.get(kind)!.summed(median)]));

  const textTokens = (characters: number): number => {
    const { fixed, slope } = line() ?? { fixed: 0, slope: tokensPerCharacter };
    return fixed + slope * characters;
  };
  return {
    inputTokens: ({ characters, tokens, parts }) => {
      const ofMedia = mediaKinds.reduce((sum, kind) => sum + parts[kind] * (each.get(kind)!() ?? firstMediaTokens), 0);
      return Math.round(tokens + ofMedia + (characters > 0 ? Math.max(1, textTokens(characters)) : 0));
    },
    outputTokens: (most) => Math.min(answer() ?? firstOutputTokens, most ?? Number.POSITIVE_INFINITY),
    learn: ({ characters, tokens, parts }, inputTokens, outputTokens) => {
      if (outputTokens > 0) answers.add(outputTokens);
      if (tokens > 0 || !(inputTokens > 0)) return;
      const kinds = mediaKinds.filter((kind) => parts[kind] > 0);
      if (kinds.length === 0 && characters > 0) texts.add({ characters, tokens: inputTokens });
      // Of several kinds nobody knows which took how many.
      const [kind] = kinds;
      if (kind === undefined || kinds.length > 1) return;
      const ofParts = inputTokens - textTokens(characters);
      media.get(kind)!.add(Math.max(0, ofParts / parts[kind]));
    },
  };
};

interface TextCount {
  readonly characters: number;
  readonly tokens: number;
}

/** The last so many, and what they come to, worked out anew as they change by a twentieth. */
const lastOnes = <Item>() => {
  const items: Item[] = [];
  let added = 0;
  return {
    add: (item: Item): void => {
      items[added % memory] = item;
      added += 1;
    },
    summed: <Sum>(sum: (items: readonly Item[]) => Sum | null): (() => Sum | null) => {
      let [last, summedAt] = [null as Sum | null, 0];
      return () => {
        if (added > 0 && added - summedAt >= Math.max(1, items.length / 20)) [last, summedAt] = [sum(items), added];
        return last;
      };
    },
  };
};

const median = (values: readonly number[]): number => Float64Array.from(values).sort()[values.length >> 1]!;

/** What is beyond most of them counts as these do. */
const ordinaryMean = (values: readonly number[]): number => {
  const most = Float64Array.from(values).sort()[Math.floor(ordinary * (values.length - 1))]!;
  return values.reduce((sum, value) => sum + Math.min(value, most), 0) / values.length;
};

/**
 * Prompts by which a line is drawn; how much longer one of two must be than the other, and what share of all pairs must be
 * so.
 */
const fewest = 6;
const longer = 1.5;
const enough = 0.25;
/** Prompts with which each is compared. */
const compared = 10;
/** As if so many prompts had been of the ratio that is believed at first. */
const believed = [tokensPerCharacter, tokensPerCharacter, tokensPerCharacter];

/**
 * A line through counts by the medians of slopes and of what is left (Theil and Sen): one count in four may be anything. Prompts
 * of one length tell nothing of a fixed part; nor do a few that differ, as they may all be odd.
 */
const lineThrough = (texts: readonly TextCount[]): { readonly fixed: number; readonly slope: number } => {
  const ratios = texts.map(({ characters, tokens }) => tokens / characters);
  const inProportion = { fixed: 0, slope: median([...believed, ...ratios]) };
  if (texts.length < fewest) return inProportion;
  const slopes: number[] = [];
  const most = Math.min(compared, texts.length - 1);
  for (const [index, text] of texts.entries())
    for (let apart = 1; apart <= most; apart += 1) {
      const next = texts[(index + apart) % texts.length]!;
      const [short, long] = text.characters < next.characters ? [text, next] : [next, text];
      if (long.characters >= longer * short.characters)
        slopes.push((long.tokens - short.tokens) / (long.characters - short.characters));
    }
  if (slopes.length < enough * most * texts.length) return inProportion;
  const slope = median(slopes);
  const fixed = median(texts.map(({ characters, tokens }) => tokens - slope * characters));
  return slope > 0 && fixed >= 0 ? { fixed, slope } : inProportion;
};
