import type { IncomingHttpHeaders } from 'node:http';

/** Headers of one connection, which end with it (RFC 9110, 7.6.1), and those that we make ourselves. */
const ours = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

type Headers = Readonly<Record<string, string | readonly string[]>>;

/**
 * What goes on to the other side. Nothing of it says where: the address is the gateway's choice alone.
 * @param without further names, in lower case
 */
export const passedOn = (
  headers: IncomingHttpHeaders,
  without: readonly string[] = [],
): Record<string, string | string[]> => {
  const named = String(headers.connection ?? '')
    .toLowerCase()
    .split(/\s*,\s*/);
  return Object.fromEntries(
    Object.entries(headers as Headers).flatMap(([name, value]) =>
      value === undefined || ours.has(name) || named.includes(name) || without.includes(name)
        ? []
        : [[name, typeof value === 'string' ? value : [...value]]],
    ),
  );
};
