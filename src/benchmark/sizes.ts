/** One request size of the grid (tokens). */
export interface Size {
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** From a start to a limit by doubling, as `aibrix_benchmark` does it. @example doubling(4, 20) // => [4, 8, 16] */
export const doubling = (start: number, limit: number): readonly number[] =>
  start > limit ? [] : [start, ...doubling(2 * start, limit)];

/** Every size of the grid, small ones first, so that each finds what its smaller neighbours serve. */
export const sizesOf = (inputs: readonly number[], outputs: readonly number[]): readonly Size[] =>
  inputs.flatMap((inputTokens) => outputs.map((outputTokens) => ({ inputTokens, outputTokens })));

/** The name under which a size is known. */
export const sizeKey = ({ inputTokens, outputTokens }: Size): string => `${inputTokens} ${outputTokens}`;

/**
 * What a size may serve (req/s) by what its smaller neighbours do: in logarithms the step from one output to the next is
 * taken to be the same at both inputs. A guess to begin the search with, no result.
 * @param served rate by key of size; 0 and absent tell nothing
 * @returns null where no neighbour tells
 */
export const guessedRate = (
  { inputTokens, outputTokens }: Size,
  served: ReadonlyMap<string, number>,
  previous: { readonly input: number | undefined; readonly output: number | undefined },
): number | null => {
  const rate = (input: number | undefined, output: number | undefined): number =>
    input === undefined || output === undefined ? 0 : (served.get(sizeKey({ inputTokens: input, outputTokens: output })) ?? 0);
  const [above, left, corner] = [
    rate(previous.input, outputTokens),
    rate(inputTokens, previous.output),
    rate(previous.input, previous.output),
  ];
  if (above > 0 && left > 0 && corner > 0) return (above * left) / corner;
  const nearest = left > 0 ? left : above;
  return nearest > 0 ? nearest / Math.SQRT2 : null;
};
