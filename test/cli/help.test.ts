import { expect, test } from 'vitest';
import { main } from '../../src/cli/gpumix.ts';

const commands = 'serve gateway plan demo replay benchmark profile simulate explain doctor complete'.split(' ');
const helpAt = async (columns: number, ...argv: string[]): Promise<string> => {
  let text = '';
  const stdout = (part: string) => {
    text += part;
  };
  expect(await main(argv, { stdout, stderr: () => {}, columns })).toBe(0);
  return text;
};
/** Examples are to be copied whole. */
const wrapped = (help: string): readonly string[] => help.replace(/\nexamples:[\s\S]*/, '').split('\n');

test.each([80, 120])('in %i columns no line is longer, and no word is broken', async (columns) => {
  for (const command of ['--help', ...commands]) {
    const argv = command === '--help' ? [command] : ['help', command];
    const help = await helpAt(columns, ...argv);
    expect(wrapped(help).filter((line) => line.length > columns)).toEqual([]);
    const words = (text: string) => text.split(/\s+/).join(' ');
    expect(words(help)).toBe(words(await helpAt(1000, ...argv)));
  }
});

test.each(commands)('%s --help has a usage, groups and an example, the same as help %s', async (command) => {
  const help = await helpAt(80, command, '--help');
  expect(help).toBe(await helpAt(80, 'help', command));
  expect(help).toMatch(new RegExp(`^usage: gpumix ${command} \\S`));
  expect(help).toMatch(new RegExp(`\nexamples:\n  .*gpumix(\\.js)? ${command}`));
  if (command !== 'complete') expect(help).toMatch(/\n\n[a-zA-Z][\w ,]*:\n {2}-/);
});

test('a group stands once, and a value is named as it was', async () => {
  const help = await helpAt(80, 'serve', '--help');
  expect(help.match(/^redis:$/gm)).toHaveLength(1);
  expect(help).toContain('  --secure-port PORT ');
  expect(await helpAt(80, 'benchmark', '--help')).toContain('  -o, --output FILE ');
});
