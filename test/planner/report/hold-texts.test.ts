import { expect, test } from 'vitest';
import { holdText, shortageText } from '../../../src/planner/report/hold-texts.ts';

test('what holds a Deployment is said in words, and a shortage that is a word already stays it', () => {
  expect(`ns/a ${holdText('newProfile')}`).toBe('ns/a has a new profile that lowers nothing yet');
  expect(shortageText('notFollowed')).toBe('what could serve it is not followed');
  expect(shortageText('stock')).toBe('stock');
});
