import { expect, test } from 'vitest';
import { parsedArguments } from '../../src/config/command-line.ts';

const options = { name: { type: 'string', short: 'n' }, fast: { type: 'boolean' } } as const;
const usage = (message: string) => expect.objectContaining({ code: 'BAD_USAGE', message });

test('those without a flag are counted, and the first too many is named', () => {
  expect(parsedArguments(options, ['file', '--name', 'x', '--fast'], 1)).toMatchObject({
    values: { name: 'x', fast: true },
    positionals: ['file'],
  });
  expect(() => parsedArguments(options, ['file', 'other'], 1)).toThrow(
    usage('unexpected argument "other"; --help says what is expected'),
  );
});

test('a value may be a negative number, a dash, or anything after =', () => {
  const name = (...args: string[]) => parsedArguments(options, args, 0).values['name'];
  expect([name('--name', '-1'), name('-n', '-.5'), name('--name', '-'), name('--name=--x'), name('--name=')]).toEqual([
    '-1',
    '-.5',
    '-',
    '--x',
    '',
  ]);
});

test.each([
  [['--nmae'], 'there is no flag --nmae; did you mean --name?'],
  [['--fa'], 'there is no flag --fa; did you mean --fast?'],
  [['--constructor'], 'there is no flag --constructor; --help lists them'],
  [['-x'], 'there is no flag -x; --help lists them'],
  [['--name'], '--name needs a value'],
  [['--name', '--fast'], '--name needs a value'],
  [['-n', '--fast'], '-n needs a value'],
  [['--fast=yes'], '--fast takes no value'],
])('%j is bad usage, in one sentence', (args, message) => {
  expect(() => parsedArguments(options, args, 0)).toThrow(usage(message));
});
