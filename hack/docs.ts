/**
 * Writes the generated parts of the documents, each between `<!-- NAME:begin -->` and `<!-- NAME:end -->`, and docs/doctor.md.
 *
 *   node hack/docs.ts           write them
 *   node hack/docs.ts --check   fail where one differs
 */
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Registry } from 'prom-client';
import { findingKinds } from '../src/cli/finding-kinds.ts';
import { main } from '../src/cli/gpumix.ts';
import { routerOf, strategies } from '../src/cluster/router-names.ts';
import { gatewaySettings } from '../src/config/gateway-config.ts';
import { settings } from '../src/config/serve-config.ts';
import { flagOf, type SettingsTable, variableOf } from '../src/config/settings.ts';
import { apiCalls } from '../src/gateway/api-calls.ts';
import { gatewayMetrics } from '../src/gateway/gateway-metrics.ts';
import { refusalCodes } from '../src/gateway/refusals.ts';
import { planOf } from '../src/planner/plan/plan-of-snapshot.ts';
import { parseSnapshot } from '../src/planner/plan/snapshot-document.ts';
import { driftGauge, plannerRegistry } from '../src/planner/publish/planner-metrics.ts';
import { faultKinds } from '../src/simulation/faults.ts';
import { errorCodes } from '../src/vocabulary/errors.ts';

const root = join(import.meta.dirname, '..');

const help = async (...argv: string[]): Promise<string> => {
  let text = '';
  await main([...argv, '--help'], {
    stdout: (part) => {
      text += part;
    },
    stderr: () => {},
  });
  return text.trimEnd();
};

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
const code = (text: string): string => (text === '' ? '' : `\`${text}\``);

const settingsTable = (settings: SettingsTable): string =>
  table(
    ['flag', 'environment', 'default', 'meaning'],
    Object.entries(settings).map(([name, row]) => [
      code(`--${flagOf(name)}`),
      code(variableOf(name, row)),
      code(row.default),
      row.help.replaceAll('|', '\\|').replaceAll('<', '&lt;'),
    ]),
  );

const metricsTable = (registry: Registry): string =>
  table(
    ['metric', 'labels', 'meaning'],
    (registry.getMetricsAsArray() as unknown as readonly { name: string; help: string; labelNames: readonly string[] }[]).map(
      ({ name, help, labelNames }) => [code(name), labelNames.map(code).join(', '), help],
    ),
  );
/** The planner's metrics, of which nothing is read here but names and meanings. */
const plannerMetrics = (): Registry => {
  const nothing = { allTargets: () => [], models: () => [], plan: () => null, publishedAt: () => null };
  const registry = plannerRegistry(
    nothing,
    () => false,
    () => 0,
  );
  driftGauge(registry, () => new Map());
  return registry;
};
const gatewayRegistry = (): Registry =>
  gatewayMetrics({
    waiting: () => [],
    pods: () => [],
    keptRecords: () => 0,
    missingGateways: () => 0,
    inFlight: () => 0,
  }).registry;

/** What a router is planned for as, for people. */
const plannedAs = (name: string): string => {
  const router = routerOf(name);
  if (router === null || typeof router === 'string') return 'nothing: refused';
  return `${code(router.routerKnowledge)}${router.note === null ? '' : ', with a warning'}`;
};

const referenceParts: Readonly<Record<string, string>> = {
  commands: `\`\`\`\n${await help()}\n\`\`\``,
  settings: settingsTable(settings),
  'gateway-settings': settingsTable(gatewaySettings),
  errors: table(
    ['code', 'meaning'],
    Object.entries(errorCodes).map(([name, meaning]) => [code(name), meaning]),
  ),
  metrics: metricsTable(plannerMetrics()),
  'gateway-metrics': metricsTable(gatewayRegistry()),
  paths: table(
    ['path', 'streams', 'in records, and routed by size'],
    Object.values(apiCalls).map(({ paths, stream, sized }) => [
      paths.map((path) => code(`POST ${path}`)).join(', '),
      stream === null ? 'no' : 'yes',
      sized ? 'yes' : 'only if its engine tells its size; routed by load',
    ]),
  ),
  refusals: table(
    ['code', 'status', 'meaning'],
    Object.entries(refusalCodes).map(([name, { status, meaning }]) => [code(name), String(status ?? 'of the pod'), meaning]),
  ),
};

/** A decision by its page: number, title, date, status. */
const decisionOf = (page: string): readonly string[] => {
  const text = readFileSync(join(root, page), 'utf8');
  const [, number, title, date, status] = /^# (\d+)\. (.+)\n\nDate: (\S+)\n\nStatus: (.+)\n/.exec(text) ?? [];
  if (number === undefined || page !== `docs/decisions/${number.padStart(4, '0')}-${basename(page).slice(5)}`)
    throw new Error(`${page} does not begin with "# NUMBER. TITLE", "Date: " and "Status: ", or has another number`);
  return [number, `[${title}](${page})`, date!, status!];
};
const decisions = globSync('docs/decisions/*.md', { cwd: root }).sort();

const sample = (name: string): string => readFileSync(join(root, `docs/samples/${name}.json`), 'utf8').trimEnd();
const shownSample = (text: string): string => `\`\`\`json\n${text}\n\`\`\``;
/** The plan of the sample snapshot. The same input gives the same plan everywhere, but the time that it took. */
const samplePlan = (): string => {
  const plan = planOf(parseSnapshot(sample('snapshot')));
  return JSON.stringify({ ...plan, solve: { ...plan.solve, milliseconds: 0.2 } }, null, 2);
};

/** Generated parts by document, each between its markers. */
const batchesOf: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'docs/reference.md': referenceParts,
  'docs/simulation.md': {
    faults: table(
      ['fault', 'what happens'],
      Object.entries(faultKinds).map(([kind, { gpu, lasts, help: what }]) => [
        code(`${kind}${gpu ? '[:GPU]' : ''}@FROM${lasts ? '-UNTIL' : ''}`),
        what,
      ]),
    ),
  },
  'docs/routers.md': {
    routers: table(
      ['strategy of AIBrix', 'requests that the H100 got', 'planned for as'],
      Object.entries(strategies).map(([name, { fastest }]) => [code(name), String(fastest ?? 'not measured'), plannedAs(name)]),
    ),
  },
  'docs/formats.md': {
    'sample-snapshot': shownSample(sample('snapshot')),
    'sample-plan': shownSample(samplePlan()),
    'sample-profile': shownSample(sample('profile')),
    'sample-routing-plan': shownSample(sample('routing-plan')),
  },
  'DECISIONS.md': { decisions: table(['', 'decision', 'date', 'status'], decisions.map(decisionOf)) },
};

/** docs/doctor.md: what each finding means. */
const doctorPage = (): string =>
  [
    '# What `gpumix doctor` finds',
    '',
    '`hack/docs.ts` writes this page. Each finding has a stable id, the object, what was seen, and what fixes it. What is wrong comes first.',
    ...Object.entries(findingKinds).flatMap(([id, { meaning, mend }]) => [
      '',
      `## ${id}`,
      '',
      `${meaning[0]!.toUpperCase()}${meaning.slice(1)}.`,
      '',
      mend === null ? 'The finding itself shows the command that fixes it.' : `Fix: ${mend}.`,
    ]),
    '',
    '## How the findings were tried',
    '',
    ...triedText,
    '',
  ].join('\n');

/** How findings were tried: those that are planted on a control plane, and those that it cannot have. */
const triedText = [
  '`test/e2e/doctor-mends.e2e.ts` plants faults on a real control plane, in a fleet that `serve` plans for: HPAs, two autoscalers, pauses and pins,',
  'APIServices, rights, the flags of AIBrix’s gateway, the clock of a gateway, and engines. It runs the commands exactly as they are printed. Then',
  'every Deployment scales to its target. `test/e2e/doctor.e2e.ts` does the same for PodAutoscalers, certificates and a cluster without HPAScaleToZero.',
  '',
  'A control plane on one machine, without kubelets, cannot have some faults. These were tried on what Kubernetes and Redis answer then:',
  '',
  '- `clock` of this host, of Redis or of the API server, since one machine has one clock: by their answers (`test/cli/clock-findings.test.ts`)',
  '- `pod-failing`, `out-of-stock`, since nothing starts or crashes: by statuses as kubelets write them (`test/cli/pod-findings.test.ts`)',
  '- `redis-away`, `redis-empty`: by a redis-server that is stopped or empty (`test/cli/doctor.test.ts`)',
  '- `redis-read-only`: by what a replica answers (`test/cli/redis-findings.test.ts`)',
  '- `pods-unreachable`, since no pod takes requests: by EndpointSlices as the API server gives them (`test/cli/gateway-reach.test.ts`)',
  '- `hpa-external`, `hpa-limited`: by HPAs as the API server gives them (`test/cli/hpa-findings.test.ts`, `test/cli/autoscaling-chain.test.ts`)',
  '- what `serve` warns about, such as `record-defect`, `gateway-replicas`, `unserved` and `swap-blocked`: by its own warnings (`test/cli/problem-findings.test.ts`)',
];

const filled = (path: string): string =>
  Object.entries(batchesOf[path]!).reduce(
    (text, [name, part]) => {
      const between = new RegExp(`(<!-- ${name}:begin -->\n)(?:[\\s\\S]*?\n)??(<!-- ${name}:end -->)`);
      if (!between.test(text)) throw new Error(`${path} has no part called ${name}`);
      return text.replace(between, (_whole, begin: string, end: string) => `${begin}${part}\n${end}`);
    },
    readFileSync(join(root, path), 'utf8'),
  );

const documents: Readonly<Record<string, string>> = {
  ...Object.fromEntries(Object.keys(batchesOf).map((path) => [path, filled(path)])),
  'docs/samples/plan.json': `${samplePlan()}\n`,
  'docs/doctor.md': doctorPage(),
};
for (const [path, text] of Object.entries(documents)) {
  const file = join(root, path);
  if (existsSync(file) && readFileSync(file, 'utf8') === text) continue;
  if (process.argv.includes('--check')) {
    console.error(`${path} is not what hack/docs.ts writes`);
    process.exitCode = 1;
  } else writeFileSync(file, text);
}
