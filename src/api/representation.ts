import { stringify } from 'yaml';
import type { MediaType } from './negotiation.ts';
import { protobuf } from './protobuf.ts';

/** An API object -> the bytes of an answer. */
export const represented = (object: object, mediaType: MediaType, pretty: boolean): Buffer => {
  if (mediaType === 'application/vnd.kubernetes.protobuf') return protobuf(object);
  if (mediaType === 'application/yaml') return Buffer.from(yaml(object));
  return Buffer.from(json(object, pretty));
};

/** As Go writes it: what HTML could mistake is escaped, and the compact form ends in a newline. */
export const json = (object: object, pretty: boolean): string => {
  const text = pretty ? JSON.stringify(object, null, 2) : `${JSON.stringify(object)}\n`;
  return text.replace(/[<>&\u2028\u2029]/g, (character) => escapes[character] ?? character);
};
const escapes: Record<string, string> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
};

/** The JSON object with sorted keys, lists as far left as their key. */
const yaml = (object: object): string =>
  stringify(object, {
    sortMapEntries: true,
    indentSeq: false,
    lineWidth: 0,
    version: '1.1',
    aliasDuplicateObjects: false,
  });
