/** So many names in one window, and it is asked whether the caller may have them all. */
const many = 16;

/**
 * Tells who asks for many objects of one kind by name, such as the HPA controller of a cluster with thousands of
 * autoscalers. A window counts until the one after it is over.
 * @param clock milliseconds of any clock that never goes back
 */
export const manyNames = (windowMilliseconds: number, clock: () => number) => {
  let [last, current] = [new Map<string, number>(), new Map<string, number>()];
  let began = clock();
  const turnOver = (): void => {
    const windows = Math.floor((clock() - began) / windowMilliseconds);
    if (windows === 0) return;
    [last, current] = [windows === 1 ? current : new Map(), new Map()];
    began += windows * windowMilliseconds;
  };
  return {
    /** One more name was looked up for this caller, kind and namespace. */
    note: (collection: string): void => {
      turnOver();
      current.set(collection, (current.get(collection) ?? 0) + 1);
    },
    asked: (collection: string): boolean => {
      turnOver();
      return (last.get(collection) ?? 0) + (current.get(collection) ?? 0) >= many;
    },
  };
};
