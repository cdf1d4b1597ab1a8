import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { createSecureContext, getCACertificates, setDefaultCACertificates } from 'node:tls';
import { calibrate } from '../benchmark/calibrate.ts';
import { baseUrl, connect, modelOf } from '../benchmark/connect.ts';
import { expectedSeconds, longestE2e, secondsLeft, timeText, usualProbes } from '../benchmark/duration.ts';
import type { Clock } from '../benchmark/endpoint.ts';
import type { Api } from '../benchmark/http-endpoint.ts';
import { appendResults, existingResults } from '../benchmark/results-file.ts';
import { doubling, sizesOf } from '../benchmark/sizes.ts';
import { type SweepOptions, sweep } from '../benchmark/sweep.ts';
import { tokenizerOf } from '../benchmark/tokenizer.ts';
import type { Environment } from '../config/settings.ts';
import type { Slo } from '../profiles/profile-document.ts';
import { GpumixError } from '../vocabulary/errors.ts';
import { seeded } from '../vocabulary/random.ts';
import { type BenchmarkProgress, benchmarkProgress } from './benchmark-progress.ts';
import {
  type Command,
  type CommandStreams,
  choiceOption,
  type FlagValues,
  inGroup,
  numberOption,
  percentileOption,
  positiveOption,
  readOptions,
  textOf,
  valueOption,
  wholeOption,
} from './command.ts';
import { wrapped } from './wrap.ts';

const options: Command['options'] = {
  ...inGroup('endpoint', {
    endpoint: valueOption('URL', 'URL of an OpenAI server', 'http://localhost:8010'),
    api: choiceOption(['completions', 'chat'], 'completions|chat', 'API to measure', 'completions'),
    model: { ...valueOption('NAME', 'model name at the endpoint; by default its only model'), short: 'm' },
    timeout: valueOption('SECONDS', 'maximum silence of the endpoint (s)', '120'),
    'api-key': valueOption('KEY', 'bearer token; prefer a file or the environment (GPUMIX_API_KEY)'),
    'api-key-file': valueOption('FILE', 'file with the bearer token'),
    'ca-file': valueOption('FILE', 'PEM file of further authorities that may sign its certificate'),
  }),
  ...inGroup('results', {
    output: { ...valueOption('FILE', 'file to append JSON lines to; by default result/MODEL.jsonl'), short: 'o' },
  }),
  ...inGroup('sizes and rates', {
    'input-start': valueOption('TOKENS', 'smallest input; doubled up to the limit', '4'),
    'input-limit': valueOption('TOKENS', 'largest input', '4096'),
    'output-start': valueOption('TOKENS', 'smallest output; doubled up to the limit', '4'),
    'output-limit': valueOption('TOKENS', 'largest output', '4096'),
    'rate-start': valueOption('RATE', 'first rate of the first size (req/s); by default from the duration of one request'),
    'rate-limit': valueOption('RATE', 'highest rate (req/s)', '64'),
  }),
  ...inGroup('limits', {
    ttft: valueOption('SECONDS', 'limit of the time to the first token (s); 2 if no limit is given'),
    tpot: valueOption('SECONDS', 'limit of the time per output token (s); 0.1 if no limit is given'),
    e2e: valueOption('SECONDS', 'limit of the end-to-end time (s)'),
    tpat: valueOption('SECONDS', 'limit of the end-to-end time per token, input and output (s)'),
    percentile: valueOption('0|50|90|99', 'percentage of the requests that must keep the limits; 0 = the mean must', '99'),
  }),
  ...inGroup('measuring', {
    requests: valueOption('COUNT', 'number of requests to count at each rate', '300'),
    'probe-seconds': valueOption('SECONDS', 'maximum time to count requests at one rate (s)', '300'),
    precision: valueOption('SHARE', 'relative precision at which the search ends', '0.05'),
    tokenizer: valueOption('FILE', 'tokenizer.json of the model; by default the endpoint counts the tokens'),
    temperature: valueOption('NUMBER', 'sampling temperature', '0.0'),
    seed: valueOption('NUMBER', 'seed of arrivals and prompts', '0'),
    'dry-run': { type: 'boolean', help: 'print what would be measured and how long it takes, without any request' },
  }),
};

type Measuring = Omit<SweepOptions, 'model'>;

/** `aibrix_benchmark` with its flags, and a search for the rate in place of its doubling. */
export const benchmarkCommand: Command = {
  options,
  examples: [
    'gpumix benchmark --endpoint http://engine:8000 --dry-run',
    'gpumix benchmark --endpoint http://engine:8000 --ttft 1 --tpot 0.05 -o l40s.jsonl',
  ],
  run: async (argv, io, environment) => {
    const values = readOptions(options, argv);
    const plan = measuringOf(values);
    const asking = await askingOf(values, environment);
    const dry = values['dry-run'] === true;
    const model = dry ? '' : await modelOf(asking.url, textOf(values, 'model'), asking.apiKey, asking.timeoutSeconds);
    const planned = planLines(plan).join('\n');
    if (dry) io.stdout(`${wrapped(planned, io.columns)}\n`);
    else io.stderr(`${wrapped(planned, io.errorColumns)}\n`);
    if (!dry) await measure(values, { ...plan, model }, asking, io);
    return 0;
  },
};

const measuringOf = (values: FlagValues): Measuring => {
  const number = (name: string, least: number): number => numberOption(name, values[name], least);
  const ticks = (name: string): readonly number[] => {
    const start = wholeOption(`${name}-start`, values[`${name}-start`], 1);
    const limit = number(`${name}-limit`, 1);
    if (start > limit) throw new GpumixError('BAD_USAGE', `--${name}-start is above --${name}-limit`);
    return doubling(start, limit);
  };
  const positive = (name: string): number => positiveOption(name, values[name]);
  return {
    inputs: ticks('input'),
    outputs: ticks('output'),
    rateStart: values['rate-start'] === undefined ? null : positive('rate-start'),
    rateLimit: positive('rate-limit'),
    slo: sloOf(values),
    requests: wholeOption('requests', values['requests'], 1),
    mostSeconds: positive('probe-seconds'),
    precision: number('precision', 0.005),
    seed: wholeOption('seed', values['seed'], 0),
    temperature: number('temperature', 0),
  };
};

const sloOf = (values: FlagValues): Slo => {
  const percentile = percentileOption(values);
  const set = (['ttft', 'tpot', 'e2e', 'tpat'] as const).flatMap((name) =>
    values[name] === undefined ? [] : [[name, positiveOption(name, values[name])] as const],
  );
  // Loads of different sizes add up where both parts of a request are limited.
  return { percentile, ...(set.length === 0 ? { ttft: 2, tpot: 0.1 } : Object.fromEntries(set)) };
};

/** What a fast engine needs of the longest: requests are far from their limits, and many run at once. */
const leastOfMost = 1 / 12;

const planLines = (plan: Measuring): readonly string[] => {
  const { inputs, outputs, slo, requests, precision } = plan;
  const sizes = sizesOf(inputs, outputs);
  const [first, last] = [sizes[0]!, sizes.at(-1)!];
  const { percentile, ...limits } = slo;
  const limitText = Object.entries(limits).map(([name, seconds]) => `${name} < ${seconds} s`);
  return [
    `${sizes.length} sizes: ${inputs.join(', ')} tokens in x ${outputs.join(', ')} out`,
    `within ${limitText.join(', ')} (${percentile === 0 ? 'mean' : `p${percentile}`}), to ${(100 * precision).toFixed(1)} % of the rate`,
    `about ${usualProbes} rates a size; each until the batch is full, then ${requests} requests or more`,
    `at most ${timeText(expectedSeconds(first, plan))} for the smallest size, where a request may last ${timeText(longestE2e(first, slo))}; ${timeText(expectedSeconds(last, plan))} for the largest (${timeText(longestE2e(last, slo))})`,
    `between ${timeText(leastOfMost * secondsLeft(sizes, plan, []))} and ${timeText(secondsLeft(sizes, plan, []))} in all, by how fast the engine is; what is left is told after each size`,
  ];
};

/** For the whole process: OpenAI's calls and the list of models are asked by different clients. */
const trust = (file: string): void => {
  try {
    const certificates = readFileSync(file, 'utf8');
    createSecureContext({ ca: certificates });
    if (!certificates.includes('-----BEGIN CERTIFICATE-----')) throw new Error('no certificate in it');
    setDefaultCACertificates([...getCACertificates('default'), certificates]);
  } catch (cause) {
    throw new GpumixError('BAD_USAGE', `--ca-file ${file} cannot be used`, { cause });
  }
};

/** Whom to ask, and how; read, with the dry run too, before anything is measured. */
const askingOf = async (values: FlagValues, environment: Environment) => {
  const url = baseUrl(String(values['endpoint']));
  if (!/^https?:\/\//.test(url) || !URL.canParse(url))
    throw new GpumixError('BAD_USAGE', `--endpoint is ${JSON.stringify(values['endpoint'])}, not an http or https URL`);
  const api = values['api'];
  if (api !== 'completions' && api !== 'chat')
    throw new GpumixError('BAD_USAGE', `--api is ${JSON.stringify(api)}, not completions or chat`);
  const caFile = textOf(values, 'ca-file');
  if (caFile !== null) trust(caFile);
  const tokenizer = textOf(values, 'tokenizer');
  return {
    url,
    api: api as Api,
    timeoutSeconds: positiveOption('timeout', values['timeout']),
    apiKey: apiKeyOf(values, environment),
    tokenizer: tokenizer === null ? null : await tokenizerOf(tokenizer),
  };
};
type Asking = Awaited<ReturnType<typeof askingOf>>;

const measure = async (values: FlagValues, plan: SweepOptions, asking: Asking, io: CommandStreams): Promise<void> => {
  const sizes = sizesOf(plan.inputs, plan.outputs);
  const progress = benchmarkProgress(io, { ...plan, sizes: sizes.length, seconds: secondsLeft(sizes, plan, []) });
  try {
    const file = await measureInto(values, plan, asking, progress);
    progress.end();
    // A command, to be copied as it is.
    io.stderr(`gpumix benchmark: results are in ${file}: gpumix profile DEPLOYMENT --benchmark ${file} ${sloFlags(plan.slo)}\n`);
  } finally {
    progress.end();
  }
};

/** @returns the file of the results */
const measureInto = async (
  values: FlagValues,
  plan: SweepOptions,
  { tokenizer, ...asked }: Asking,
  { say, tell }: BenchmarkProgress,
): Promise<string> => {
  const { model } = plan;
  const { file, results } = await outputOf(values, model, say);
  const { endpoint, exactLength } = await connect({ ...asked, model, temperature: plan.temperature }, clock.now);
  try {
    if (!exactLength) say('the endpoint takes neither ignore_eos nor min_tokens: answers may be short');
    const { vocabulary, warning } = await calibrate(endpoint, plan.inputs.at(-1)!, seeded(plan.seed), tokenizer);
    if (warning !== null) say(warning);
    const append = (lines: readonly string[]) => appendResults(file, lines);
    await sweep(plan, { endpoint, clock, vocabulary, append, tell }, results);
    return file;
  } finally {
    endpoint.close();
  }
};

const outputOf = async (values: FlagValues, model: string, say: (line: string) => void) => {
  const file = textOf(values, 'output') ?? join('result', `${model.replaceAll('/', '_')}.jsonl`);
  const { results, cutOff } = await existingResults(file, model);
  if (cutOff > 0) say(`${file}: its last line was cut off and is taken away (${cutOff} bytes)`);
  if (results.length > 0) say(`${file}: goes on after ${results.length} lines`);
  return { file, results };
};

/** By a clock that never jumps. */
const clock: Clock = {
  now: () => performance.now() / 1000,
  until: async (time) => {
    const wait = time * 1000 - performance.now();
    if (wait > 0) await sleep(wait);
    // A client that is behind still reads what has been answered.
    else await setImmediate();
  },
};

const apiKeyOf = (values: FlagValues, environment: Environment): string | null => {
  const file = textOf(values, 'api-key-file');
  if (file !== null && textOf(values, 'api-key') !== null)
    throw new GpumixError('BAD_USAGE', '--api-key and --api-key-file cannot both be given');
  if (file === null) return textOf(values, 'api-key') ?? (environment['GPUMIX_API_KEY'] || null);
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new GpumixError('BAD_USAGE', `--api-key-file ${file} cannot be read`, { cause });
  }
};

const sloFlags = ({ percentile, ...limits }: Slo): string =>
  [...Object.entries(limits).map(([name, seconds]) => `--${name} ${seconds}`), `--percentile ${percentile}`].join(' ');
