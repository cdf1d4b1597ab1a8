/**
 * Whose turn it is, by weight: over any stretch each gets its share to within one turn, without chance. Each gains its
 * weight, the richest has its turn and pays the sum (smooth weighted round robin, as in nginx).
 * @example
 * const turns = weightedTurns();
 * [1, 2, 3, 4].map(() => turns({ a: 3, b: 1 })) // => ['a', 'a', 'b', 'a']
 */
export const weightedTurns = () => {
  const credit = new Map<string, number>();
  /** @param weights above 0; those who are left out keep nothing of what they had */
  return (weights: Readonly<Record<string, number>>): string | null => {
    const names = Object.keys(weights);
    if (names.length === 1) return names[0]!;
    for (const name of credit.keys()) if (weights[name] === undefined) credit.delete(name);
    let [richest, most, sum] = [null as string | null, Number.NEGATIVE_INFINITY, 0];
    for (const name of names) {
      const weight = weights[name]!;
      const have = (credit.get(name) ?? 0) + weight;
      credit.set(name, have);
      sum += weight;
      if (have > most + 1e-12) [richest, most] = [name, have];
    }
    if (richest !== null) credit.set(richest, most - sum);
    return richest;
  };
};
