import { main } from '../../src/cli/gpumix.ts';

/** Runs a command in this process: its exit status, what it said, and the last line on stderr. */
export const runCommand = async (...argv: string[]) => {
  const said = { out: '', err: '' };
  const status = await main(argv, {
    stdout: (text) => {
      said.out += text;
    },
    stderr: (text) => {
      said.err += text;
    },
  });
  return { status, ...said, last: said.err.trimEnd().split('\n').at(-1) };
};
