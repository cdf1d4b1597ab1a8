import { expect, test } from 'vitest';
import { matches, parseLabelSelector, selectorObject, selectorText } from '../../src/api/label-selector.ts';

test.each([
  { text: '', canonical: '', object: null },
  { text: 'a', canonical: 'a', object: { matchExpressions: [{ key: 'a', operator: 'Exists' }] } },
  { text: '!a', canonical: '!a', object: { matchExpressions: [{ key: 'a', operator: 'DoesNotExist' }] } },
  { text: 'b==2, a = 1', canonical: 'a=1,b=2', object: { matchLabels: { a: '1', b: '2' } } },
  { text: 'a=', canonical: 'a=', object: { matchLabels: { a: '' } } },
  { text: 'a!=1', canonical: 'a!=1', object: { matchExpressions: [{ key: 'a', operator: 'NotIn', values: ['1'] }] } },
  {
    text: 'a in (y,x)',
    canonical: 'a in (x,y)',
    object: { matchExpressions: [{ key: 'a', operator: 'In', values: ['x', 'y'] }] },
  },
  {
    text: 'a notin (,x)',
    canonical: 'a notin (,x)',
    object: { matchExpressions: [{ key: 'a', operator: 'NotIn', values: ['', 'x'] }] },
  },
  { text: 'a in ()', canonical: 'a in ()', object: { matchExpressions: [{ key: 'a', operator: 'In', values: [''] }] } },
  {
    text: 'in in (in,notin)',
    canonical: 'in in (in,notin)',
    object: { matchExpressions: [{ key: 'in', operator: 'In', values: ['in', 'notin'] }] },
  },
  {
    text: 'a>1,a<9',
    canonical: 'a>1,a<9',
    object: {
      matchExpressions: [
        { key: 'a', operator: 'Gt', values: ['1'] },
        { key: 'a', operator: 'Lt', values: ['9'] },
      ],
    },
  },
  {
    text: 'example.com/a-b_c.d=v',
    canonical: 'example.com/a-b_c.d=v',
    object: { matchLabels: { 'example.com/a-b_c.d': 'v' } },
  },
  {
    text: 'gpu=l20,tier in (a,b)',
    canonical: 'gpu=l20,tier in (a,b)',
    object: { matchLabels: { gpu: 'l20' }, matchExpressions: [{ key: 'tier', operator: 'In', values: ['a', 'b'] }] },
  },
])('selector "$text" is read', ({ text, canonical, object }) => {
  const selector = parseLabelSelector(text);
  expect(selectorText(selector)).toBe(canonical);
  expect(selectorObject(selector)).toEqual(object);
});

test.each([
  { text: 'a in', message: "unable to parse requirement: found '' expected: '('" },
  { text: 'a in (x', message: "unable to parse requirement: found '', expected: ',', or identifier" },
  { text: 'a in (x y)', message: "unable to parse requirement: found 'y', expected: ',' or ')'" },
  { text: 'a,', message: "found '', expected: identifier after ','" },
  { text: 'a=1 b', message: "found 'b', expected: ',' or 'end of string'" },
  { text: '=a', message: "found '=', expected: !, identifier, or 'end of string'" },
  { text: '!', message: "unable to parse requirement: found '', expected: identifier" },
  { text: 'a b', message: "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt" },
  {
    text: 'a constructor b',
    message: "unable to parse requirement: found 'constructor', expected: in, notin, =, ==, !=, gt, lt",
  },
  { text: 'a=(', message: "unable to parse requirement: found '(', expected: identifier" },
  {
    text: 'a>x',
    message:
      "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer",
  },
  { text: '-a=1', message: 'unable to parse requirement: key: Invalid value: "-a": not a qualified label name' },
  { text: 'A.b/c=1', message: 'unable to parse requirement: key: Invalid value: "A.b/c": not a qualified label name' },
  { text: 'a=x-', message: 'unable to parse requirement: values[0][a]: Invalid value: "x-": not a valid label value' },
])('selector "$text" is refused', ({ text, message }) => {
  expect(() => parseLabelSelector(text)).toThrow(expect.objectContaining({ message, code: 400 }));
});

test.each([
  { text: 'a=1', labels: { a: '1' }, met: true },
  { text: 'a=1', labels: { a: '2' }, met: false },
  { text: 'a=1', labels: {}, met: false },
  { text: 'a!=1', labels: {}, met: true },
  { text: 'a notin (1)', labels: {}, met: true },
  { text: 'a notin (1)', labels: { a: '1' }, met: false },
  { text: 'a', labels: { a: '' }, met: true },
  { text: '!a', labels: { a: '' }, met: false },
  { text: 'a=', labels: {}, met: false },
  { text: 'a>5', labels: { a: '10' }, met: true },
  { text: 'a>5', labels: { a: 'ten' }, met: false },
  { text: 'a<5', labels: {}, met: false },
  { text: 'toString', labels: {}, met: false },
  { text: 'a=1,b in (2,3)', labels: { a: '1', b: '3' }, met: true },
])('labels $labels meet "$text": $met', ({ text, labels, met }) => {
  expect(matches(parseLabelSelector(text), labels as Record<string, string>)).toBe(met);
});
