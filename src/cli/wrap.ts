/**
 * Lines of prose for a terminal, broken between words and not within them; a continued line stands two columns further in. A
 * command in it is not for this: copied, it would be several.
 * @param columns of the terminal; undefined = it is none, and lines stay whole
 */
export const wrapped = (text: string, columns: number | undefined): string =>
  columns === undefined
    ? text
    : text
        .split('\n')
        .flatMap((line) => wrappedLine(line, columns))
        .join('\n');

const wrappedLine = (line: string, columns: number): readonly string[] => {
  if (line.length <= columns) return [line];
  const indent = `${/^ */.exec(line)![0]}  `;
  const lines: string[] = [];
  let current = '';
  for (const word of line.trimEnd().split(/(?<=\S) /)) {
    if (current === '') current = word;
    else if (current.length + 1 + word.length <= columns) current += ` ${word}`;
    else {
      lines.push(current);
      current = indent + word;
    }
  }
  return [...lines, current];
};
