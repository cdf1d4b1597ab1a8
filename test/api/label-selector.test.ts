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
  { text: 'a in', why: '"a in" is no requirement' },
  { text: 'a in (x', why: '"a in (x" is no requirement' },
  { text: 'a in (x y)', why: '"x y" is no label value' },
  { text: 'a,', why: '"" is no requirement' },
  { text: 'a=1 b', why: '"a=1 b" is no requirement' },
  { text: 'c,=a', why: '"=a" is no requirement' },
  { text: '!', why: '"!" is no requirement' },
  { text: 'a b', why: '"a b" is no requirement' },
  { text: 'a constructor b', why: '"a constructor b" is no requirement' },
  { text: 'a=(', why: '"a=(" is no requirement' },
  { text: 'ain (x)', why: '"ain (x)" is no requirement' },
  { text: 'a>x', why: '> takes an integer' },
  { text: '-a=1', why: '"-a" is no label key' },
  { text: 'A.b/c=1', why: '"A.b/c" is no label key' },
  { text: 'a=x-', why: '"x-" is no label value' },
])('selector "$text" is refused', ({ text, why }) => {
  const message = `not a label selector: ${why}`;
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
