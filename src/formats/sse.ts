/** Behind the empty line that ends the server-sent event at `start`; -1 = its end is not there yet. */
export const eventEnd = (bytes: Buffer, start: number): number => {
  const unix = bytes.indexOf('\n\n', start, 'latin1');
  const dos = bytes.indexOf('\r\n\r\n', start, 'latin1');
  if (dos !== -1 && (unix === -1 || dos < unix)) return dos + 4;
  return unix === -1 ? -1 : unix + 2;
};

/** The data of one event, several lines joined; null where it has none. */
export const eventData = (event: string): string | null => {
  const lines = event.split(/\r?\n/).filter((line) => line.startsWith('data:'));
  return lines.length === 0 ? null : lines.map((line) => line.slice(line.startsWith('data: ') ? 6 : 5)).join('\n');
};

/** Reads a stream of events, in pieces as they come; tells the data of each. */
export const eventReader = (onData: (data: string) => void): ((piece: Buffer) => void) => {
  let rest: Buffer = Buffer.alloc(0);
  return (piece) => {
    const all = Buffer.concat([rest, piece]);
    let start = 0;
    for (let end = eventEnd(all, start); end !== -1; end = eventEnd(all, start)) {
      const data = eventData(all.toString('utf8', start, end));
      if (data !== null) onData(data);
      start = end;
    }
    rest = all.subarray(start);
  };
};
