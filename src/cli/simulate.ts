import { readFile, writeFile } from 'node:fs/promises';
import { historySeconds, readConfig } from '../config/serve-config.ts';
import { planOf } from '../planner/plan/plan-of-snapshot.ts';
import { compare, runPlanner, type Scenario } from '../simulation/compare.ts';
import { faultKinds, parseFaults } from '../simulation/faults.ts';
import { mixtures, syntheticRates } from '../simulation/mixtures.ts';
import { plotOf } from '../simulation/plot.ts';
import { type ProfileSetName, profileSet, profileSetNames } from '../simulation/profile-sets.ts';
import type { Outcome } from '../simulation/simulate.ts';
import { merged, poisson, superposed, type Traffic, traced } from '../simulation/traffic.ts';
import { element } from '../vocabulary/element.ts';
import { GpumixError } from '../vocabulary/errors.ts';
import { type Routing, routings } from '../vocabulary/planning-documents.ts';
import { parseTrace } from '../workload/gateway-records.ts';
import { type Command, numberOption, readOptions } from './command.ts';

/** Between two copies of a trace (s). */
const shiftSeconds = 30;

const options: Command['options'] = {
  traffic: {
    type: 'string',
    value: 'KIND',
    default: 'steady',
    help: `${Object.keys(syntheticRates).join(', ')}: made up, by a seed`,
  },
  rate: {
    type: 'string',
    value: 'N',
    default: '10',
    help: 'usual rate of it (req/s); steps and peaks are four times as high',
  },
  mixture: {
    type: 'string',
    value: 'NAME',
    default: 'mixed',
    help: `sizes of its requests: ${Object.keys(mixtures).join(', ')}`,
  },
  trace: {
    type: 'string',
    value: 'FILE,...',
    help: 'a trace instead (CSV: time, input tokens, output tokens); several are added',
  },
  copies: {
    type: 'string',
    value: 'N',
    default: '1',
    help: `so many copies of the trace at once, each ${shiftSeconds} s later`,
  },
  seconds: { type: 'string', value: 'S', help: 'how long [3600, a day for day; of a trace its length]' },
  profiles: {
    type: 'string',
    value: 'SET',
    default: 'llama-8b',
    help: `profiles and engines: ${profileSetNames.join(', ')}`,
  },
  slowdown: {
    type: 'string',
    value: 'F',
    default: '1',
    help: 'how many times slower the engines are than those that were measured',
  },
  startup: { type: 'string', value: 'S', default: '120', help: 'from the creation of a replica to Ready (s)' },
  stock: { type: 'string', value: 'GPU=N,...', help: 'GPUs that can be had, by type; others are not limited' },
  faults: {
    type: 'string',
    value: 'FAULT,...',
    help: `what goes wrong, as KIND[:GPU]@FROM[-UNTIL] in seconds: ${Object.keys(faultKinds).join(', ')}`,
  },
  routing: {
    type: 'string',
    value: 'MODE',
    default: 'size',
    help: 'what the router knows of a request: size, input, load or none',
  },
  headroom: { type: 'string', value: 'F', help: 'extra demand planned for [the default of serve]' },
  seed: { type: 'string', value: 'N', default: '1', help: 'of everything that is drawn' },
  alone: { type: 'boolean', help: 'gpumix only, without the baselines' },
  svg: { type: 'string', value: 'FILE', help: 'a plot of demand, replicas and cost' },
  json: { type: 'boolean', help: 'print the outcomes as one document and nothing else' },
};

export const simulate: Command = {
  name: 'simulate',
  summary: 'traffic and profiles to cost, SLO attainment and churn, next to baselines',
  options,
  run: async (argv, io) => {
    const given = readOptions(options, argv);
    const scenario = await scenarioOf(given);
    const outcomes = given['alone'] === true ? [await runPlanner(scenario)] : await compare(scenario);
    if (typeof given['svg'] === 'string') await writeFile(given['svg'], plotOf(outcomes));
    if (given['json'] === true) io.stdout(`${JSON.stringify({ outcomes })}\n`);
    else io.stdout(outcomesTable(outcomes));
    return 0;
  },
};

type Given = ReturnType<typeof readOptions>;

const scenarioOf = async (given: Given): Promise<Scenario> => {
  const config = readConfig(typeof given['headroom'] === 'string' ? ['--headroom', given['headroom']] : [], {});
  const set = profileSet(
    oneOf<ProfileSetName>(given, 'profiles', profileSetNames),
    numberOption('startup', given['startup'], 0),
    numberOption('slowdown', given['slowdown'], 0.01),
  );
  const stock = stockOf(given['stock']);
  return {
    traffic: await trafficOf(given),
    set,
    routing: oneOf<Routing>(given, 'routing', routings),
    stock: () => stock,
    faults:
      typeof given['faults'] === 'string'
        ? parseFaults(
            given['faults'],
            set.variants.map(({ gpu }) => gpu),
          )
        : [],
    settings: {
      ...config,
      routing: oneOf<Routing>(given, 'routing', routings),
      historySeconds: historySeconds(config),
      instance: 'simulation',
      startupSeconds: numberOption('startup', given['startup'], 0),
      prices: {},
      keepSnapshot: true,
    },
    solve: (snapshot) => planOf(snapshot),
  };
};

const trafficOf = async (given: Given): Promise<Traffic> => {
  const seed = numberOption('seed', given['seed'], 0);
  if (typeof given['trace'] === 'string') {
    const files = given['trace'].split(',');
    const copies = numberOption('copies', given['copies'], 1);
    const streams = await Promise.all(files.map(async (file) => parseTrace(await read(file), file)));
    const length = Math.ceil(Math.max(...streams.map((stream) => stream.at(-1)!.time)));
    const seconds = given['seconds'] === undefined ? length : numberOption('seconds', given['seconds'], 1);
    return traced(superposed(merged(...streams), copies, shiftSeconds, length), seconds);
  }
  const kind = oneOf(given, 'traffic', Object.keys(syntheticRates));
  const { rate, seconds: usual } = syntheticRates[kind]!;
  const seconds = given['seconds'] === undefined ? usual : numberOption('seconds', given['seconds'], 1);
  const mixture = mixtures[oneOf(given, 'mixture', Object.keys(mixtures))]!;
  return poisson(rate(numberOption('rate', given['rate'], 0.01), seconds), mixture, seconds, seed);
};

const read = async (path: string): Promise<string> => {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new GpumixError('BAD_TRACE', `${path}: cannot be read`, { cause });
  }
};

const oneOf = <T extends string>(given: Given, name: string, values: readonly T[]): T => {
  const found = values.find((value) => value === given[name]);
  if (found === undefined)
    throw new GpumixError('BAD_USAGE', `--${name} is ${JSON.stringify(given[name])}, none of ${values.join(', ')}`);
  return found;
};

const stockOf = (text: string | boolean | undefined): Readonly<Record<string, number>> => {
  if (typeof text !== 'string') return {};
  return Object.fromEntries(
    text.split(',').map((part) => {
      const [, gpu, count] = /^([^=]+)=(\d+)$/.exec(part) ?? [];
      if (gpu === undefined) throw new GpumixError('BAD_USAGE', `--stock has ${JSON.stringify(part)}, not GPU=N`);
      return [gpu, Number(count)];
    }),
  );
};

/** The outcomes for people. */
export const outcomesTable = (outcomes: readonly Outcome[]): string => {
  const head = ['POLICY', 'COST', 'OF GPUMIX', 'WITHIN SLO', 'UNSERVED', 'CHANGES/H', 'LARGEST GAP'];
  const rows = outcomes.map(({ policy, cost, attainment, unserved, changesPerHour, capacityGap }) => [
    policy,
    cost.toFixed(2),
    (cost / element(outcomes, 0).cost).toFixed(2),
    `${(100 * attainment).toFixed(2)} %`,
    String(unserved),
    changesPerHour.toFixed(1),
    `${(100 * capacityGap).toFixed(0)} %`,
  ]);
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => element(row, column).length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(element(widths, 0)) : cell.padStart(element(widths, column))))
      .join('  ');
  return `${[head, ...rows].map(line).join('\n')}\n`;
};
