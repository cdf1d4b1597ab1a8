import { RootCommand, script } from '@bomb.sh/tab';
import { GpumixError } from '../vocabulary/errors.ts';
import type { Command, UnloadedCommand } from './command.ts';

const shells = ['bash', 'zsh', 'fish', 'powershell'];

/**
 * `gpumix complete SHELL` prints what a shell needs to complete our command lines; that calls `gpumix complete -- WORDS`. Only
 * the command that is being written is loaded.
 * @param commands by name
 */
export const completeCommand = (commands: Readonly<Record<string, UnloadedCommand>>): Command => ({
  options: {},
  usage: shells.join('|'),
  examples: ['source <(gpumix complete bash)', 'gpumix complete fish > ~/.config/fish/completions/gpumix.fish'],
  run: async ([shell = '', ...words]) => {
    if (shell === '--') (await completions(commands, words[0] ?? '')).parse([...words]);
    else if (shells.includes(shell)) script(shell, 'gpumix', 'gpumix');
    else throw new GpumixError('BAD_USAGE', `name the shell: ${shells.join(', ')}`);
    return 0;
  },
});

const completions = async (commands: Readonly<Record<string, UnloadedCommand>>, current: string): Promise<RootCommand> => {
  const root = new RootCommand();
  root.option('version', 'the version');
  root.option('help', 'the commands');
  for (const [name, { summary, load }] of Object.entries(commands)) {
    const command = root.command(name, summary);
    if (name !== current) continue;
    if (name === 'complete')
      command.argument('shell', (complete) => {
        for (const shell of shells) complete(shell, '');
      });
    for (const [flag, { type, choices, help }] of Object.entries((await load()).options)) {
      if (type === 'boolean') command.option(flag, help);
      else
        command.option(flag, help, (complete) => {
          for (const choice of choices ?? []) complete(choice, '');
        });
    }
    command.option('help', 'the flags');
  }
  return root;
};
