import { afterEach } from 'vitest';
import { lastWords } from './gpumix-process.ts';

afterEach(({ task }) => {
  if (task.result?.state === 'fail') process.stderr.write(`${lastWords()}\n`);
});
