import { join } from 'node:path';
import { type MeasuredProfile, profileOfResults } from '../benchmark/profile-of.ts';
import { parseResults } from '../benchmark/results.ts';
import { strictProblems } from '../benchmark/strict.ts';
import type { Environment } from '../config/settings.ts';
import type { Slo } from '../profiles/profile-document.ts';
import { GpumixError, located } from '../vocabulary/errors.ts';
import { redisDefaults, redisStore } from '../workload/redis.ts';
import {
  type Command,
  type CommandStreams,
  type FlagValues,
  inGroup,
  numberOption,
  percentileOption,
  positiveOption,
  readArguments,
  refuseUseless,
  textOf,
  valueOption,
  wholeOption,
} from './command.ts';
import { readText } from './read-text.ts';
import { writeText } from './write-text.ts';

const options: Command['options'] = {
  ...inGroup('results', {
    benchmark: valueOption('FILE', 'results as JSON lines; by default result/DEPLOYMENT.jsonl'),
  }),
  ...inGroup('limits', {
    tput: valueOption('RATE', 'minimum throughput (req/s)'),
    tt: valueOption('RATE', 'minimum throughput (output tokens/s)'),
    e2e: valueOption('SECONDS', 'limit of the end-to-end time (s)'),
    ttft: valueOption('SECONDS', 'limit of the time to the first token (s)'),
    tpat: valueOption('SECONDS', 'limit of the end-to-end time per token, input and output (s)'),
    tpot: valueOption('SECONDS', 'limit of the time per output token (s)'),
    percentile: valueOption('0|50|90|99', 'percentage of the requests that must keep the limits; 0 = the mean must', '0'),
  }),
  ...inGroup('what is written', {
    cost: valueOption('MONEY', 'price of one replica per hour; by default 1, with a warning'),
    output: {
      ...valueOption('FILE', 'where to write: a file, - for standard output, or redis[s]://HOST[:PORT][/DB]?model=NAME'),
      short: 'o',
    },
    'gpu-type': valueOption('TYPE', 'GPU type; the profile then serves every Deployment of the model on it'),
    'gpus-per-replica': valueOption('COUNT', 'number of GPUs of the measured replica'),
    'allow-rate-limit': {
      type: 'boolean',
      help: 'accept the highest rate of the benchmark as throughput, if it was reached',
    },
    strict: { type: 'boolean', help: 'refuse results that cannot be right, and name the line of each' },
  }),
  ...inGroup('check of the fleet', {
    check: {
      type: 'boolean',
      help: 'check the profiles of the fleet: which demand they do not cover, and which disagree with what engines serve',
    },
    seconds: valueOption('SECONDS', 'with --check: how long to watch engines; 0 = not at all (s)', '60'),
    kubeconfig: valueOption('FILE', 'with --check, as the three that follow: as for serve, which also names their variables'),
    'redis-url': valueOption('URL', 'where the gateway writes, and profiles are'),
    profiles: valueOption('FOLDER', 'of profiles'),
    'engine-metrics-port': valueOption('PORT', 'where pods serve their engine’s metrics'),
    json: { type: 'boolean', help: 'with --check: print one document and nothing else' },
  }),
  ...inGroup('what is written', {
    verbose: { type: 'boolean', short: 'v', help: 'indent the document' },
  }),
};

/** `aibrix_gen_profile` with its flags, and some of ours. */
export const profileCommand: Command = {
  options,
  usage: 'DEPLOYMENT [flags] | --check [flags]',
  examples: [
    'gpumix profile llama-8b-l40s --benchmark l40s.jsonl --ttft 1 --tpot 0.05 --percentile 99 --cost 1.86',
    'gpumix profile --check --kubeconfig ~/.kube/config',
  ],
  run: async (argv, io, environment) => {
    const { values, positionals } = readArguments(options, argv, 1);
    const [deployment] = positionals;
    if (values['check'] === true) {
      refuseUseless(options, argv, ofMaking, 'with --check, which makes no profile');
      if (deployment !== undefined) throw new GpumixError('BAD_USAGE', '--check is of all Deployments: name none');
      return await check(values, io, environment);
    }
    refuseUseless(options, argv, ofChecking, 'without --check');
    if (deployment === undefined) throw new GpumixError('BAD_USAGE', 'name the DEPLOYMENT that was measured');
    const file = textOf(values, 'benchmark') ?? join('result', `${deployment}.jsonl`);
    const text = await readText(file, 'BAD_BENCHMARK');
    const { made, problems } = located(file, () => {
      const results = parseResults(text);
      return {
        made: profileOfResults(results, profileOptions(deployment, values)),
        problems: values['strict'] === true ? strictProblems(results) : [],
      };
    });
    const capped =
      made.atRateLimit.length === 0 || values['allow-rate-limit'] === true
        ? []
        : [...made.atRateLimit, 'measure these again with a higher --rate-limit, or --allow-rate-limit'];
    const wrong = [...problems, ...capped, ...(made.nothingMeets === null ? [] : [made.nothingMeets])];
    for (const line of [...made.warnings, ...wrong]) io.stderr(`gpumix profile: ${file}: ${line}\n`);
    if (wrong.length > 0) return 1;
    const document = JSON.stringify(made.document, null, values['verbose'] === true ? 2 : undefined);
    await store(values['output'], deployment, made, `${document}\n`, io.stdout);
    for (const line of assumed(values)) io.stderr(`gpumix profile: ${line}\n`);
    return 0;
  },
};

const ofServe = ['kubeconfig', 'redis-url', 'profiles', 'engine-metrics-port'];
const ofChecking = ['seconds', 'json', ...ofServe];
const ofMaking = Object.keys(options).filter((name) => name !== 'check' && !ofChecking.includes(name));

/** Loaded when it is asked for: making a profile needs no Kubernetes. */
const check = async (values: FlagValues, io: CommandStreams, environment: Environment): Promise<number> => {
  const flags = ofServe.flatMap((name) => (typeof values[name] === 'string' ? [`--${name}=${values[name]}`] : []));
  const { checkProfiles } = await import('./profile-check.ts');
  const watchSeconds = numberOption('seconds', values['seconds'], 0);
  return await checkProfiles(flags, { watchSeconds, json: values['json'] === true }, io, environment);
};

const profileOptions = (deployment: string, values: FlagValues) => {
  const set = limitNames.flatMap((name) =>
    values[name] === undefined ? [] : [[name, numberOption(name, values[name], 0)] as const],
  );
  const gpus = values['gpus-per-replica'];
  return {
    deployment,
    // gpumix refuses a profile that costs nothing, or that has a fraction of a GPU.
    cost: values['cost'] === undefined ? 1 : positiveOption('cost', values['cost']),
    slo: { percentile: percentileOption(values), ...Object.fromEntries(set) } as Slo,
    created: Date.now() / 1000,
    gpuType: textOf(values, 'gpu-type'),
    gpusPerReplica: gpus === undefined ? null : wholeOption('gpus-per-replica', gpus, 1),
  };
};

/** What a document says that nobody asked for. */
const assumed = (values: FlagValues): readonly string[] => [
  ...(values['cost'] === undefined ? ['--cost is not given: the document says 1'] : []),
  ...(limitNames.some((name) => values[name] !== undefined)
    ? []
    : ['no limit is given: the document holds for no SLO, and its throughput is what was served at any latency']),
];
const limitNames = ['tput', 'tt', 'e2e', 'ttft', 'tpat', 'tpot'] as const;

const store = async (
  output: string | boolean | undefined,
  deployment: string,
  { document }: MeasuredProfile,
  text: string,
  print: (text: string) => void,
): Promise<void> => {
  if (typeof output !== 'string' || output === '-') return print(text);
  if (!/^rediss?:/.test(output)) return await writeText(output, text, '--output');
  const { url, model } = redisTarget(output);
  const key = `aibrix:profile_${model}_${deployment}`;
  const redis = redisStore({ ...redisDefaults, redisUrl: url, redisTimeoutSeconds: 5 }, () => {});
  try {
    await redis.write(key, JSON.stringify(document), null);
    print(`Result stored in Redis: ${key}.\n`);
  } finally {
    await redis.close();
  }
};

/**
 * Where a profile goes in Redis, and for which model.
 * @example redisTarget('redis://u:p%40ss@h:6380/3?model=a%2Fb') // => { url: 'redis://u:p%40ss@h:6380/3', model: 'a/b' }
 * @throws GpumixError BAD_USAGE without a model
 */
export const redisTarget = (output: string): { readonly url: string; readonly model: string } => {
  const [url = '', query = ''] = output.split('?', 2);
  const model = new URLSearchParams(query).get('model') ?? '';
  if (model === '') throw new GpumixError('BAD_USAGE', '--output names a Redis without ?model=NAME');
  return { url: url.replace(/\/$/, ''), model };
};
