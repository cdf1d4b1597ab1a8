import { expect, test } from 'vitest';
import { Either, patched, When } from '../../../hack/chart/conditional.ts';

test('fields: what is new is conditional, what is removed is there where not, what differs is one or the other', () => {
  expect(patched({ kept: 1, gone: 2, other: 3 }, { gone: null, other: 4, fresh: 5 }, 'X')).toEqual({
    kept: 1,
    gone: new When('not X', 2),
    other: new Either('X', 4, 3),
    fresh: new When('X', 5),
  });
});

test('lists of named items merge by name; other lists are replaced', () => {
  const base = { env: [{ name: 'A', value: 'a' }], args: ['serve'] };
  const patch = {
    env: [
      { name: 'B', value: 'b' },
      { name: 'A', value: 'c' },
    ],
    args: ['gateway'],
  };
  expect(patched(base, patch, 'X')).toEqual({
    env: [{ name: 'A', value: new Either('X', 'c', 'a') }, new When('X', { name: 'B', value: 'b' })],
    args: new Either('X', ['gateway'], ['serve']),
  });
});

test('two patches: each item has its own condition', () => {
  const once = patched({}, { volumes: [{ name: 'a' }] }, 'X');
  expect(patched(once, { volumes: [{ name: 'b' }] }, 'Y')).toEqual({
    volumes: [new When('X', { name: 'a' }), new When('Y', { name: 'b' })],
  });
});
