import { suggestion } from '../config/suggestion.ts';
import { version } from '../runtime/version.ts';
import { GpumixError, messageOf } from '../vocabulary/errors.ts';
import type { CommandStreams, UnloadedCommand } from './command.ts';
import type { ListedCommand } from './help.ts';

const commands: Readonly<Record<string, UnloadedCommand>> = {
  serve: {
    summary: 'the adapter: watch, read, solve, publish, answer',
    load: async () => (await import('./serve.ts')).serveCommand,
  },
  gateway: {
    summary: 'OpenAI-compatible front: counts, holds, routes by the plan',
    load: async () => (await import('./gateway.ts')).gatewayCommand,
  },
  plan: {
    summary: 'the solver on a laptop: snapshot in, plan out',
    load: async () => (await import('./plan.ts')).planCommand,
  },
  demo: {
    summary: 'everything on embedded defaults: no cluster, no Redis server, no arguments',
    load: async () => (await import('./demo.ts')).demoCommand,
  },
  replay: {
    summary: 'a trace file into Redis, as a gateway would have written it',
    load: async () => (await import('./replay.ts')).replayCommand,
  },
  benchmark: {
    summary: 'an OpenAI endpoint to results by request size; goes on where it was stopped',
    load: async () => (await import('./benchmark.ts')).benchmarkCommand,
  },
  profile: {
    summary: 'results of a benchmark, limits and a price to a profile',
    load: async () => (await import('./profile.ts')).profileCommand,
  },
  simulate: {
    summary: 'traffic and profiles to cost, SLO attainment and churn, next to baselines',
    load: async () => (await import('./simulate.ts')).simulateCommand,
  },
  explain: {
    summary: 'why a Deployment has this number of replicas; takes the flags of serve',
    load: async () => (await import('./explain.ts')).explainCommand,
  },
  doctor: {
    summary: 'why nothing scales: each link from Redis to the HPAs; takes the flags of serve',
    load: async () => (await import('./doctor.ts')).doctorCommand,
  },
  complete: {
    summary: 'shell completion: source <(gpumix complete bash), or zsh, fish, powershell',
    load: async () => (await import('./complete.ts')).completeCommand(commands),
  },
};

/** As `--help` and shell completion list them. */
const listed = Object.entries(commands).map(([name, { summary }]) => ({ name, summary }));
/** Where output goes to no terminal. */
const usualColumns = 80;

/** Runs the command that the arguments name and returns the exit status. */
export const main = async (argv: readonly string[], io: CommandStreams): Promise<number> => {
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
    return await runCommand({ name, ...found }, rest, io);
  }
  return 0;
};

const runCommand = async (row: UnloadedCommand & ListedCommand, argv: readonly string[], io: CommandStreams): Promise<number> => {
  const command = await row.load();
  if (argv.includes('--help') || argv.includes('-h')) {
    const { commandHelp } = await import('./help.ts');
    io.stdout(commandHelp(row, command, io.columns ?? usualColumns));
    return 0;
  }
  try {
    return await command.run(argv, io);
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
  // Who does not take our messages gets the status all the same.
  process.stderr.on('error', () => {});
  const argv = process.argv.slice(2);
  process.exitCode = await main(argv, {
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
    ...(process.stdout.isTTY ? { columns: process.stdout.columns } : {}),
    ...(process.stderr.isTTY ? { errorColumns: process.stderr.columns } : {}),
  });
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
