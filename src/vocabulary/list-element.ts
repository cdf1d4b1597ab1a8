/**
 * The element of a list at an index that must be there.
 * @throws RangeError where it is not: the caller broke a promise
 */
export const element = <T>(list: ArrayLike<T>, index: number): T => {
  const found = list[index];
  if (found === undefined) throw new RangeError(`there is no element ${index} in a list of ${list.length}`);
  return found;
};
