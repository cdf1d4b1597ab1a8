import { expect, test } from 'vitest';
import { fields, message } from '../../src/api/wire.ts';

const messages = {
  Outer: fields('1 name, 2 count int, 3 more int?, 5 inner Inner?, 6 list []Inner, 7 labels map, 8 words []string, 20 raw bytes'),
  Inner: fields('1 on bool'),
};
const encoded = (values: object) => message(messages, 'Outer', { raw: Buffer.alloc(0), ...values }).toString('hex');

test.each([
  { name: 'strings and numbers also when empty, the rest not', values: {}, bytes: '0a00 1000 a20100' },
  { name: 'optional when set', values: { more: 0, inner: {} }, bytes: '0a00 1000 1800 2a02 0800 a20100' },
  {
    name: 'repeated in order',
    values: { list: [{ on: true }, {}], words: ['b', 'a'] },
    bytes: '0a00 1000 3202 0801 3202 0800 4201 62 4201 61 a20100',
  },
  {
    name: 'maps by key',
    values: { labels: { b: '2', a: '1' } },
    bytes: '0a00 1000 3a06 0a0161 120131 3a06 0a0162 120132 a20100',
  },
  { name: 'one byte to 127', values: { count: 127 }, bytes: '0a00 107f a20100' },
  { name: 'two from 128', values: { count: 128 }, bytes: '0a00 108001 a20100' },
  { name: 'beyond 32 bits', values: { count: 2 ** 35 + 1 }, bytes: '0a00 10818080808001 a20100' },
  { name: 'UTF-8', values: { name: '€' }, bytes: '0a03 e282ac 1000 a20100' },
])('$name', ({ values, bytes }) => {
  expect(encoded(values)).toBe(bytes.replaceAll(' ', ''));
});

test('it grows as it must', () => {
  const name = 'x'.repeat(10_000);
  const list = Array.from({ length: 5_000 }, () => ({ on: true }));
  const bytes = Buffer.from(encoded({ name, list }), 'hex');
  expect(bytes.length).toBe(3 + 10_000 + 2 + 4 * 5_000 + 3);
  expect(bytes.subarray(0, 5).toString('hex')).toBe('0a904e7878');
});
