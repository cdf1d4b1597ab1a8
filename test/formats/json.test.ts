import { expect, test } from 'vitest';
import { exactJson, jsonObject, pythonJson } from '../../src/formats/json.ts';

test.each([
  ['{"a": NaN, "b": [Infinity, -Infinity]}', { a: Number.NaN, b: [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY] }],
  ['{"a": "NaN, \\"Infinity\\""}', { a: 'NaN, "Infinity"' }],
  ['NaN', Number.NaN],
])('%s as Python writes it', (text, expected) => expect(pythonJson(text, Number)).toEqual(expected));

test('what stands for a bare token is up to who reads', () =>
  expect(pythonJson('[NaN, -Infinity, 1]', () => null)).toEqual([null, null, 1]));

test.each(['{"a": NaN1}', '{"a": nan}', ''])('%s is no JSON, bare tokens or not', (text) =>
  expect(() => pythonJson(text, Number)).toThrow(SyntaxError),
);

test.each([
  ['{"a":1}', { a: 1 }],
  ['[1]', null],
  ['null', null],
  ['{', null],
])('%s as an object is %j', (text, expected) => expect(jsonObject(text)).toEqual(expected));

test('numbers keep the digits that they were written with', () => {
  const text = '{"a":12345678901234567890,"b":[1.0,1e400,-0],"c":"1.0","d":null}';
  expect(JSON.stringify(exactJson(text))).toBe(text);
  expect(() => exactJson('{')).toThrow(SyntaxError);
});
