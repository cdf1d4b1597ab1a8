import type { IncomingHttpHeaders } from 'node:http';

/** Headers of one connection, which end with it (RFC 9110, 7.6.1), and those that we make ourselves. */
const ours: ReadonlySet<string> = new Set([
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

/**
 * What goes on to the other side. Nothing of it says where: the address is the gateway's choice alone.
 * @param without further names, in lower case
 */
export const passedOn = (headers: IncomingHttpHeaders, without: readonly string[] = []): Record<string, string | string[]> => {
  const named = String(headers.connection ?? '')
    .toLowerCase()
    .split(/\s*,\s*/);
  const passed: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined && !ours.has(name) && !named.includes(name) && !without.includes(name)) passed[name] = value;
  return passed;
};
