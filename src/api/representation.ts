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
  return text.replace(/[<>&\u2028\u2029]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
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

const suffixes = ['', 'k', 'M', 'G', 'T', 'P', 'E'];

/**
 * A whole number as Kubernetes writes a quantity: the largest power of 1000 that divides it becomes a suffix.
 * @example quantity(12000) // => '12k'
 * @example quantity(1500) // => '1500'
 */
export const quantity = (value: number): string => {
  let [rest, power] = [value, 0];
  while (rest !== 0 && rest % 1000 === 0 && power < suffixes.length - 1) {
    rest /= 1000;
    power += 1;
  }
  return `${rest}${suffixes[power]}`;
};

/**
 * RFC 3339 in UTC with whole seconds, as the metrics types carry it.
 * @example timestamp(1790769605.9) // => '2026-09-30T12:00:05Z'
 */
export const timestamp = (unixSeconds: number): string => {
  const whole = Math.floor(unixSeconds);
  if (whole !== last.seconds) last = { seconds: whole, text: `${new Date(whole * 1000).toISOString().slice(0, 19)}Z` };
  return last.text;
};
/** Targets of one plan share their time. */
let last = { seconds: Number.NaN, text: '' };
