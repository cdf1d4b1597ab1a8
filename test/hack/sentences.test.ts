import { expect, test } from 'vitest';
import { median, sentencesOf, wordsOf } from '../../hack/sentences.ts';

test('paragraphs and items are cut into sentences; code, tables, headings and addresses are left out', () => {
  const text = `# A heading. Two.

One of four words. gpumix v0.7.0 and
\`a b c\` are [one link](http://x.y/z. A).

| a table. |
|---|

- an item
- **Bold.** Another item
\`\`\`sh
code. Code.
\`\`\`
`;
  const sentences = sentencesOf(text);
  expect(sentences).toEqual(['One of four words.', 'gpumix v0.7.0 and CODE are one link.', 'an item', 'Bold.', 'Another item']);
  expect(sentences.map(wordsOf)).toEqual([4, 7, 2, 1, 2]);
  expect(median([4, 7, 2, 1, 2])).toBe(2);
});
