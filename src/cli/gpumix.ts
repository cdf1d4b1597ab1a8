import type { Environment } from '../config/settings.ts';
import { suggestion } from '../config/suggestion.ts';
import { version } from '../runtime/version.ts';
import { GpumixError, messageOf } from '../vocabulary/errors.ts';
import type { CommandStreams, UnloadedCommand } from './command.ts';
import type { ListedCommand } from './help.ts';

const commands: Readonly<Record<string, UnloadedCommand>> = {
  serve: {
    summary: 'plan replicas and serve them as custom metrics',
    load: async () => (await import('./serve.ts')).serveCommand,
  },
  gateway: {
    summary: 'serve OpenAI’s API: count, hold and route requests by the plan',
    load: async () => (await import('./gateway.ts')).gatewayCommand,
  },
  plan: {
    summary: 'solve one snapshot and print the plan',
    load: async () => (await import('./plan.ts')).planCommand,
  },
  demo: {
    summary: 'show plans and savings on an embedded fleet; needs no cluster and no Redis',
    load: async () => (await import('./demo.ts')).demoCommand,
  },
  replay: {
    summary: 'write a trace to Redis as a gateway would',
    load: async () => (await import('./replay.ts')).replayCommand,
  },
  benchmark: {
    summary: 'measure an OpenAI endpoint by request size; continues where it stopped',
    load: async () => (await import('./benchmark.ts')).benchmarkCommand,
  },
  profile: {
    summary: 'make a profile from benchmark results, limits and a price',
    load: async () => (await import('./profile.ts')).profileCommand,
  },
  simulate: {
    summary: 'compare cost and SLO attainment with other policies in virtual time',
    load: async () => (await import('./simulate.ts')).simulateCommand,
  },
  explain: {
    summary: 'say why a Deployment has this number of replicas; takes the flags of serve',
    load: async () => (await import('./explain.ts')).explainCommand,
  },
  doctor: {
    summary: 'find out why nothing scales, from Redis to the HPAs; takes the flags of serve',
    load: async () => (await import('./doctor.ts')).doctorCommand,
  },
  complete: {
    summary: 'print shell completion for bash, zsh, fish or powershell',
    load: async () => (await import('./complete.ts')).completeCommand(commands),
  },
};

/** The commands as `--help` and shell completion list them. */
const listed = Object.entries(commands).map(([name, { summary }]) => ({ name, summary }));
/** The width of help where output goes to no terminal. */
const usualColumns = 80;

/** Runs the command that the arguments name and returns the exit status. */
export const main = async (argv: readonly string[], io: CommandStreams, environment: Environment = {}): Promise<number> => {
  const [name = '--help', ...rest] = argv[0] === 'help' ? [argv[1] ?? '--help', '--help'] : argv;
  if (name === '--version') io.stdout(`${version}\n`);
  else if (name === '--help' || name === '-h') {
    const { overviewHelp } = await import('./help.ts');
    io.stdout(overviewHelp(listed, io.columns ?? usualColumns));
  } else {
    const found = Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (found === undefined) {
      const meant = suggestion(name, [...Object.keys(commands), '--help', '--version']);
      const more = meant === null ? 'gpumix --help lists them' : `did you mean ${meant}?`;
      io.stderr(`gpumix: there is no command ${JSON.stringify(name)}; ${more} (BAD_USAGE)\n`);
      return 2;
    }
    return await runCommand({ name, ...found }, rest, io, environment);
  }
  return 0;
};

const runCommand = async (
  row: UnloadedCommand & ListedCommand,
  argv: readonly string[],
  io: CommandStreams,
  environment: Environment,
): Promise<number> => {
  const command = await row.load();
  if (argv.includes('--help') || argv.includes('-h')) {
    const { commandHelp } = await import('./help.ts');
    io.stdout(commandHelp(row, command, io.columns ?? usualColumns));
    return 0;
  }
  try {
    return await command.run(argv, io, environment);
  } catch (error) {
    if (!(error instanceof GpumixError)) throw error;
    io.stderr(
      `${messageOf(error)
        .split('\n')
        .map((line) => `gpumix ${row.name}: ${line} (${error.code})`)
        .join('\n')}\n`,
    );
    return 2;
  }
};

/** Runs gpumix as a process. */
export const start = async (): Promise<void> => {
  process.stdout.on('error', outputFailed);
  // A caller that does not take our messages gets the status all the same.
  process.stderr.on('error', () => {});
  const argv = process.argv.slice(2);
  const io = {
    stdout: (text: string) => void process.stdout.write(text),
    stderr: (text: string) => void process.stderr.write(text),
    ...(process.stdout.isTTY ? { columns: process.stdout.columns } : {}),
    ...(process.stderr.isTTY ? { errorColumns: process.stderr.columns } : {}),
  };
  process.exitCode = await main(argv, io, process.env);
  // A server that was asked to stop has closed what it opened, and one that could not start need not: a client library's timer
  // must not hold the process. Output that failed is told of before that.
  if (process.exitCode === 2 || argv[0] === 'serve' || argv[0] === 'gateway') setImmediate(() => process.exit());
};

const outputFailed = (error: NodeJS.ErrnoException): void => {
  // Whoever reads our output may stop early (head).
  if (error.code === 'EPIPE') process.exit();
  process.stderr.write(`gpumix: the output cannot be written: ${error.message}\n`);
  process.exit(2);
};

if (import.meta.main) await start();
