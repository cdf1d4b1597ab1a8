/** What was learned of a model's requests from the usage counts of its engines. */
export interface TokenEstimate {
  /** Tokens of a prompt of so many characters. */
  inputTokens(characters: number): number;
  /** Tokens of an answer, before it is there. */
  outputTokens(most: number | null): number;
  learn(characters: number, inputTokens: number, outputTokens: number): void;
}

/** English text with the tokenizers of today; what is believed before any count is there. */
const charactersPerToken = 4;
/** What is believed of an answer's length before one was seen. */
const firstOutputTokens = 256;
/** Requests over which the past fades. */
const memory = 200;

/**
 * Prompts: tokens = a + b x characters by least squares over what the engines counted, fading, so that what a chat
 * template adds to each prompt is in a. Each request weighs 1 / characters: short prompts decide between the small classes.
 * Answers: their fading mean.
 */
export const tokenEstimate = (): TokenEstimate => {
  let [weight, sumX, sumY, sumXX, sumXY] = [0, 0, 0, 0, 0];
  let [answers, sumOutput] = [0, 0];
  const keep = 1 - 1 / memory;
  const line = (): { readonly fixed: number; readonly slope: number } => {
    const slope = sumX === 0 ? 1 / charactersPerToken : sumY / sumX;
    const spread = weight * sumXX - sumX * sumX;
    // Prompts of one length tell nothing of a fixed part.
    if (!(spread > 1e-3 * sumX * sumX)) return { fixed: 0, slope };
    const fitted = (weight * sumXY - sumX * sumY) / spread;
    const fixed = (sumY - fitted * sumX) / weight;
    return fitted > 0 && fixed >= 0 ? { fixed, slope: fitted } : { fixed: 0, slope };
  };
  return {
    inputTokens: (characters) => {
      const { fixed, slope } = line();
      return Math.max(1, Math.round(fixed + slope * characters));
    },
    outputTokens: (most) => Math.min(answers === 0 ? firstOutputTokens : sumOutput / answers, most ?? Infinity),
    learn: (characters, inputTokens, outputTokens) => {
      if (characters > 0 && inputTokens > 0) {
        const importance = 1 / characters;
        weight = weight * keep + importance;
        sumX = sumX * keep + importance * characters;
        sumY = sumY * keep + importance * inputTokens;
        sumXX = sumXX * keep + importance * characters * characters;
        sumXY = sumXY * keep + importance * characters * inputTokens;
      }
      if (outputTokens > 0) {
        answers = answers * keep + 1;
        sumOutput = sumOutput * keep + outputTokens;
      }
    },
  };
};
