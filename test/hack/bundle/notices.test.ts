import { expect, test } from 'vitest';
import { notices } from '../../../hack/bundle/notices.ts';

const one = {
  name: 'one',
  version: '1.0.0',
  license: 'ISC',
  repository: 'https://example.com/one',
  author: 'Somebody',
  texts: ['Text of one'],
};

test('each package stands with its version, its licence and the text of it', () => {
  const text = notices([one, { ...one, name: 'two', texts: ['Text of two', 'Notice of two'] }]);
  expect(text).toContain('code of these 2 packages');
  expect(text).toContain('one 1.0.0 (ISC)\nhttps://example.com/one\n\nText of one\n');
  expect(text).toContain('Text of two\n\nNotice of two\n');
});

test('a package without a licence file: the MIT License has a known text, and no other has', () => {
  expect(notices([{ ...one, license: 'MIT', texts: [] }])).toContain('Copyright (c) Somebody\n\nPermission is hereby granted');
  expect(() => notices([{ ...one, texts: [] }])).toThrow('one has no licence file, and no text of ISC is known');
});
