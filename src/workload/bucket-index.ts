/**
 * The bucket that AIBrix's gateway counts a request in, along one axis: about 10 log2(tokens), in IEEE doubles exactly as
 * the gateway computes it. The second division loses one for some indexes (43, 81, 86, 91, 162, ... never occur; 256 to
 * 284 tokens share index 80), and 0 stands for no tokens, for one, and for "not known".
 * @example bucketIndex(1500) // => 106
 * @example bucketIndex(284) // => 80
 */
export const bucketIndex = (tokens: number): number => {
  if (tokens <= 0) return 0;
  const rounded = roundHalfAwayFromZero(Math.log2(tokens) / 0.1) * 0.1;
  return Math.trunc(rounded / 0.1);
};

/** The size that stands for a bucket, in tokens: 2^(index / precision). */
export const tokensOf = (index: number, precision: number): number => 2 ** (index / precision);

const roundHalfAwayFromZero = (value: number): number => Math.sign(value) * Math.round(Math.abs(value));
