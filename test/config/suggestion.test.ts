import { expect, test } from 'vitest';
import { suggestion } from '../../src/config/suggestion.ts';

const commands = ['serve', 'plan', 'profile', 'demo', 'doctor'];

test('a slip of the keys, and a word that was begun, mean the one that is near', () => {
  expect(['sevre', 'pln', 'doc', 'profil', 'dmeo'].map((word) => suggestion(word, commands))).toEqual([
    'serve',
    'plan',
    'doctor',
    'profile',
    'demo',
  ]);
});

test('another word means nothing, nor does a beginning of several', () => {
  expect(['status', 'p', ''].map((word) => suggestion(word, commands))).toEqual([null, null, null]);
});
