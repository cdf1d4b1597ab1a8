import { historySeconds, readConfig } from '../config/serve-config.ts';
import { planOf } from '../planner/plan/plan-of-snapshot.ts';
import { compare, pauses, runPlanner, type Scenario } from '../simulation/compare.ts';
import { type Fault, faultKinds, parseFaults } from '../simulation/faults.ts';
import { mixtures, syntheticRates } from '../simulation/mixtures.ts';
import { plotOf } from '../simulation/plot.ts';
import type { PolicyOutcome } from '../simulation/policy-run.ts';
import { type ProfileSetName, profileSet, profileSetNames } from '../simulation/profile-sets.ts';
import { merged, poisson, superposed, type Traffic, traced } from '../simulation/traffic.ts';
import { GpumixError } from '../vocabulary/errors.ts';
import { element } from '../vocabulary/list-element.ts';
import { type RouterKnowledge, routerKnowledges } from '../vocabulary/planning-documents.ts';
import { parseTrace } from '../workload/gateway-records.ts';
import {
  type Command,
  choiceOption,
  type FlagValues,
  inGroup,
  numberOption,
  readOptions,
  refuseUseless,
  shareOption,
  textOf,
  valueOption,
  wholeOption,
} from './command.ts';
import { type Progress, progressOn } from './progress.ts';
import { readText } from './read-text.ts';
import { columns } from './table.ts';
import { checkWritable, writeText } from './write-text.ts';

/** Between two copies of a trace (s). */
const shiftSeconds = 30;

const options: Command['options'] = {
  ...inGroup('traffic', {
    traffic: choiceOption(
      Object.keys(syntheticRates),
      'KIND',
      `${Object.keys(syntheticRates).join(', ')}; made up from a seed`,
      'steady',
    ),
    rate: valueOption('N', 'usual rate (req/s); steps and peaks are four times as high', '10'),
    mixture: choiceOption(Object.keys(mixtures), 'NAME', `request sizes: ${Object.keys(mixtures).join(', ')}`, 'mixed'),
    trace: valueOption('FILE,...', 'trace to play instead (CSV: time, input tokens, output tokens); several are merged'),
    copies: valueOption('N', `number of copies of the trace, each ${shiftSeconds} s later`, '1'),
    seconds: valueOption('S', 'duration [3600; for day a day, for a trace its length]'),
  }),
  ...inGroup('fleet', {
    profiles: choiceOption(profileSetNames, 'SET', `profiles and engines: ${profileSetNames.join(', ')}`, 'llama-8b'),
    slowdown: valueOption('F', 'factor by which the engines are slower than the measured ones', '1'),
    startup: valueOption('S', 'time from the creation of a replica to Ready (s)', '120'),
    stock: valueOption('GPU=N,...', 'number of available GPUs by type; other types are not limited'),
    faults: valueOption(
      'FAULT,...',
      `faults to play, as KIND[:GPU]@FROM[-UNTIL] in seconds: ${Object.keys(faultKinds).join(', ')}`,
    ),
    routing: choiceOption(routerKnowledges, 'MODE', 'what the router knows of a request: size, input, load or none', 'size'),
    'serve-late': valueOption(
      'F',
      'share of the turns that the gateway gives to late requests; 1 = first come, first served',
      '0.1',
    ),
    attainment: valueOption('F', 'share of the requests that are to be within the SLO [the default of serve]'),
    headroom: valueOption('F', 'least extra demand to plan for [the default of serve]'),
    seed: valueOption('N', 'seed of all random numbers', '1'),
  }),
  ...inGroup('what is run and shown', {
    alone: { type: 'boolean', help: 'run gpumix only, without the baselines' },
    svg: valueOption('FILE', 'write a plot of demand, replicas and cost'),
    json: { type: 'boolean', help: 'print the outcomes as one document and nothing else' },
  }),
};

export const simulateCommand: Command = {
  options,
  examples: ['gpumix simulate --traffic spike --stock H100=2', 'gpumix simulate --trace requests.csv --copies 4 --svg plot.svg'],
  run: async (argv, io) => {
    const flags = readOptions(options, argv);
    const trace = textOf(flags, 'trace') !== null;
    refuseUseless(options, argv, trace ? ofMadeUp : ['copies'], trace ? 'with --trace' : 'without --trace');
    const svg = textOf(flags, 'svg');
    if (svg !== null) await checkWritable(svg, '--svg');
    const scenario = await scenarioOf(flags);
    const alone = flags['alone'] === true;
    const progress = progressOn(io);
    const watched = { ...scenario, onTime: runProgress(progress, scenario, alone ? 1 : runsOf(scenario)) };
    const outcomes = alone ? [await runPlanner(watched)] : await compare(watched);
    progress.end();
    if (svg !== null) await writeText(svg, plotOf(outcomes), '--svg');
    if (flags['json'] === true) io.stdout(`${JSON.stringify({ outcomes })}\n`);
    else io.stdout(outcomesTable(outcomes));
    return 0;
  },
};

/**
 * Runs of a comparison: gpumix, also with a warm replica, the static peak, and each GPU type alone, by gpumix and by three HPAs.
 */
const runsOf = (scenario: Scenario): number => 2 + (pauses(scenario) ? 1 : 0) + 4 * scenario.set.variants.length;

/** Runs follow each other, and each begins at 0. */
const runProgress = (progress: Progress, { traffic }: Scenario, runs: number) => {
  let run = 0;
  return (time: number): void => {
    if (time === 0) run += 1;
    progress.tell(`run ${run} of ${runs}`, (run - 1 + Math.min(1, time / traffic.seconds)) / runs);
  };
};

/** Flags of traffic that is made up. */
const ofMadeUp = ['traffic', 'rate', 'mixture', 'seed'];

const scenarioOf = async (flags: FlagValues): Promise<Scenario> => {
  const asked = ['attainment', 'headroom'].flatMap((name) => {
    const value = textOf(flags, name);
    return value === null ? [] : [`--${name}`, value];
  });
  const config = readConfig(asked, {});
  const set = profileSet(
    oneOf<ProfileSetName>(flags, 'profiles', profileSetNames),
    numberOption('startup', flags['startup'], 0),
    numberOption('slowdown', flags['slowdown'], 0.01),
  );
  const gpus = set.variants.map(({ gpu }) => gpu);
  const stock = stockOf(textOf(flags, 'stock'), gpus);
  const traffic = await trafficOf(flags);
  const routerKnowledge = oneOf<RouterKnowledge>(flags, 'routing', routerKnowledges);
  return {
    traffic,
    set,
    routerKnowledge,
    serveLate: shareOption('serve-late', flags['serve-late']),
    stock: () => stock,
    faults: faultsOf(textOf(flags, 'faults'), gpus, traffic.seconds),
    settings: {
      ...config,
      routerKnowledge,
      historySeconds: historySeconds(config),
      instance: 'simulation',
      startupSeconds: numberOption('startup', flags['startup'], 0),
      prices: {},
      keepSnapshot: true,
    },
    solve: (snapshot) => planOf(snapshot),
  };
};

const trafficOf = async (flags: FlagValues): Promise<Traffic> => {
  const seed = wholeOption('seed', flags['seed'], 0);
  const trace = textOf(flags, 'trace');
  if (trace !== null) {
    const files = trace.split(',');
    const copies = wholeOption('copies', flags['copies'], 1);
    const streams = await Promise.all(files.map(async (file) => parseTrace(await readText(file, 'BAD_TRACE'), file)));
    const length = Math.ceil(Math.max(...streams.map((stream) => stream.at(-1)!.time)));
    const seconds = flags['seconds'] === undefined ? length : numberOption('seconds', flags['seconds'], 1);
    return traced(superposed(merged(...streams), copies, shiftSeconds, length), seconds);
  }
  const kind = oneOf(flags, 'traffic', Object.keys(syntheticRates));
  const { rate, seconds: usual } = syntheticRates[kind]!;
  const seconds = flags['seconds'] === undefined ? usual : numberOption('seconds', flags['seconds'], 1);
  const mixture = mixtures[oneOf(flags, 'mixture', Object.keys(mixtures))]!;
  return poisson(rate(numberOption('rate', flags['rate'], 0.01), seconds), mixture, seconds, seed);
};

const oneOf = <T extends string>(flags: FlagValues, name: string, values: readonly T[]): T => {
  const found = values.find((value) => value === flags[name]);
  if (found === undefined)
    throw new GpumixError('BAD_USAGE', `--${name} is ${JSON.stringify(flags[name])}, none of ${values.join(', ')}`);
  return found;
};

const stockOf = (text: string | null, gpus: readonly string[]): Readonly<Record<string, number>> => {
  if (text === null) return {};
  return Object.fromEntries(
    text.split(',').map((part) => {
      const [, gpu, count] = /^([^=]+)=(\d+)$/.exec(part) ?? [];
      if (gpu === undefined) throw new GpumixError('BAD_USAGE', `--stock has ${JSON.stringify(part)}, not GPU=N`);
      if (!gpus.includes(gpu))
        throw new GpumixError('BAD_USAGE', `--stock has ${JSON.stringify(part)}: the GPU types are ${gpus.join(', ')}`);
      return [gpu, Number(count)];
    }),
  );
};

const faultsOf = (text: string | null, gpus: readonly string[], seconds: number): readonly Fault[] => {
  const faults = text === null ? [] : parseFaults(text, gpus);
  const beyond = faults.find(({ from }) => from >= seconds);
  if (beyond === undefined) return faults;
  throw new GpumixError('BAD_USAGE', `--faults has ${beyond.kind}@${beyond.from}: the run ends after ${seconds} s`);
};

/** The outcomes for people. */
export const outcomesTable = (outcomes: readonly PolicyOutcome[]): string => {
  const head = ['POLICY', 'COST', 'OF GPUMIX', 'IN SLO', 'UNSERVED', 'CHANGES/H', 'GAP'];
  const rows = outcomes.map(({ policy, cost, attainment, unserved, changesPerHour, capacityGap }) => [
    policy,
    cost.toFixed(2),
    (cost / element(outcomes, 0).cost).toFixed(2),
    `${(100 * attainment).toFixed(2)} %`,
    String(unserved),
    changesPerHour.toFixed(1),
    `${(100 * capacityGap).toFixed(0)} %`,
  ]);
  return `${columns([head, ...rows], 1).join('\n')}\n`;
};
