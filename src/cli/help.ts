import { Command as Program, Option as ProgramOption } from 'commander';
import type { Command } from './command.ts';

/** What `gpumix --help` lists of a command. */
export interface ListedCommand {
  readonly name: string;
  readonly summary: string;
}

/** `gpumix COMMAND --help`: how it is called, its flags by group, and examples. @param width of the terminal (columns) */
export const commandHelp = ({ name, summary }: ListedCommand, command: Command, width: number): string => {
  const program = programOf(`gpumix ${name}`, summary, width).usage(command.usage ?? '[flags]');
  for (const [flag, { short, value, default: otherwise = '', help, group }] of Object.entries(command.options)) {
    const flags = `${short === undefined ? '' : `-${short}, `}--${flag}${value === undefined ? '' : ` <${value}>`}`;
    const option = new ProgramOption(flags, `${help}${otherwise === '' ? '' : ` [${otherwise}]`}`);
    program.addOption(option.helpGroup(`${group ?? 'flags'}:`));
  }
  const examples = (command.examples ?? []).map((example) => `  ${example}\n`);
  return `${program.helpInformation()}${examples.length === 0 ? '' : `\nexamples:\n${examples.join('')}`}`;
};

/** `gpumix --help`. */
export const overviewHelp = (commands: readonly ListedCommand[], width: number): string => {
  const program = programOf('gpumix', 'plan the cheapest mix of GPUs that serves LLM traffic within its SLO', width);
  program.usage('COMMAND [flags]');
  for (const { name, summary } of commands) program.addCommand(new Program(name).description(summary).helpOption(false));
  const more = [
    'gpumix COMMAND --help, or gpumix help COMMAND, shows the flags of a command, gpumix --version the version.',
    'Exit status: 0 done; 1 the answer is no (infeasible, a check failed); 2 bad usage or bad input.',
  ];
  const helper = program.createHelp();
  return [program.helpInformation(), ...more.map((line) => helper.boxWrap(line, width)), ''].join('\n');
};

const programOf = (name: string, summary: string, width: number): Program =>
  new Program(name)
    .description(summary)
    .helpOption(false)
    .helpCommand(false)
    .configureHelp({
      helpWidth: width,
      styleTitle: (title) => title.toLowerCase(),
      // Values are named in capitals here; brackets say that something may be left out.
      optionTerm: ({ flags }) => flags.replace(/[<>]/g, ''),
    });
