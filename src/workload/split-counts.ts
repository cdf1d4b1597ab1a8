/**
 * Splits counts by weights into whole numbers that sum up to them. What rounding has kept from a part is made up for with the
 * next count, so that many small counts come out right together.
 * @param weights of the parts; they sum to 1
 * @example
 * const split = splitter([0.5, 0.5])
 * split(3) // => [2, 1]
 * split(3) // => [1, 2]
 */
export const splitter = (weights: readonly number[]): ((count: number) => readonly number[]) => {
  const owed = weights.map(() => 0);
  return (count) => {
    const parts = weights.map((weight, index) => {
      const part = Math.floor(count * weight);
      owed[index]! += count * weight - part;
      return part;
    });
    for (let left = count - parts.reduce((sum, part) => sum + part, 0); left > 0; left -= 1) {
      const index = owed.reduce((most, debt, at) => (debt > owed[most]! + 1e-9 ? at : most), 0);
      parts[index]! += 1;
      owed[index]! -= 1;
    }
    return parts;
  };
};
