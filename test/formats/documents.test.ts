import { expect, test } from 'vitest';
import * as z from 'zod/mini';
import { checked, count, counts, oneOf, text } from '../../src/formats/documents.ts';

const schema = z.strictObject({
  name: text,
  sizes: z.array(z.tuple([count, count])),
  stock: z.nullish(counts),
  mode: z.nullish(oneOf(['a', 'b'])),
});

test('all that is wrong is said, after the path of its field', () =>
  expect(checked(schema, { sizes: [[1, -2], 3], stock: [], mode: 'c', more: 1, 'and more': 2 })).toEqual({
    problems: [
      'name: must be a text, not missing',
      'sizes[0][1]: must be a whole number of at least 0, not -2',
      'sizes[1]: must be a list, not 3',
      'stock: must be an object, not []',
      'mode: must be one of a, b, not "c"',
      'more: unknown field',
      'and more: unknown field',
    ],
  }));

test('a list that is too short or too long says how many it must have', () =>
  expect(checked(schema, { name: 'x', sizes: [[1], [1, 2, 3]] })).toEqual({
    problems: ['sizes[0]: must have at least 2 entries', 'sizes[1]: must have at most 2 entries'],
  }));

test('no object at all has no path', () => expect(checked(schema, null)).toEqual({ problems: ['must be an object, not null'] }));

test('what fits is handed on', () =>
  expect(checked(schema, { name: 'x', sizes: [], stock: { L4: 2 } })).toEqual({
    document: { name: 'x', sizes: [], stock: { L4: 2 } },
  }));
