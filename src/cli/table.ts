/**
 * Rows of cells as lines, each column as wide as its widest cell.
 * @param firstNumber the columns from this one on stand to the right, as numbers do
 * @example columns([['NAME', 'COST'], ['a', '2']], 1) // => ['NAME  COST', 'a        2']
 */
export const columns = (rows: readonly (readonly string[])[], firstNumber = Number.POSITIVE_INFINITY): readonly string[] => {
  const width = (column: number): number => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  const aligned = (cell: string, column: number): string =>
    column < firstNumber ? cell.padEnd(width(column)) : cell.padStart(width(column));
  return rows.map((row) => row.map(aligned).join('  ').trimEnd());
};
