import { text } from 'node:stream/consumers';
import { type Explanation, explanationOf } from '../planner/plan/explanation.ts';
import { type FloorBeyondLimit, floorsBeyondLimits, floorText } from '../planner/plan/floors-beyond-limits.ts';
import { planOf } from '../planner/plan/plan-of-snapshot.ts';
import { parseSnapshot } from '../planner/plan/snapshot-document.ts';
import { shortageText } from '../planner/report/hold-texts.ts';
import { GpumixError, located } from '../vocabulary/errors.ts';
import { type ModelPlan, type Plan, servesAll } from '../vocabulary/planning-documents.ts';
import { type Command, readOptions, valueOption } from './command.ts';
import { bindingTexts, costText, mixText, sizeText } from './plan-texts.ts';
import { readText } from './read-text.ts';
import { columns } from './table.ts';

const options: Command['options'] = {
  snapshot: valueOption('FILE', 'snapshot to solve; - reads standard input'),
  json: { type: 'boolean', help: 'print the plan document and nothing else' },
  explain: {
    type: 'boolean',
    help: 'also print the limits that bind, what one more GPU or a better router saves, and the next best mix',
  },
};

export const planCommand: Command = {
  options,
  usage: '--snapshot FILE [flags]',
  examples: [
    'gpumix plan --snapshot snapshot.json --explain',
    'kubectl exec POD -- cat /snapshots/last.json | gpumix plan --snapshot - --json',
  ],
  run: async (argv, io) => {
    const { snapshot: path, json, explain } = readOptions(options, argv);
    if (typeof path !== 'string') throw new GpumixError('BAD_USAGE', '--snapshot FILE is missing');
    const document = path === '-' ? (await text(process.stdin)).replace(/^\uFEFF/, '') : await readText(path, 'BAD_USAGE');
    const snapshot = located(path === '-' ? 'standard input' : path, () => parseSnapshot(document));
    const result = planOf(snapshot, { routed: true }, () => performance.now());
    const explanation = explain === true ? explanationOf(snapshot) : null;
    const floors = floorsBeyondLimits(snapshot);
    const answer = {
      ...result,
      ...(floors.length === 0 ? {} : { floorsBeyondLimits: floors }),
      ...(explanation === null ? {} : { explanation }),
    };
    if (json === true) io.stdout(`${JSON.stringify(answer)}\n`);
    else io.stdout(table(result, floors) + (explanation === null ? '' : explained(explanation)));
    return servesAll(result) ? 0 : 1;
  },
};

/** The plan for people. */
export const table = (result: Plan, floors: readonly FloorBeyondLimit[] = []): string => {
  const rows = result.models.flatMap((model) =>
    Object.entries(model.replicas).map(([variant, replicas]) => [model.name, variant, String(replicas)]),
  );
  const lines = columns([['MODEL', 'VARIANT', 'REPLICAS'], ...rows]);
  const proof = result.gap === null ? servedProof(result.servedGap) : `, gap ${percent(result.gap)}`;
  const status = `${result.status}: ${costText(result.cost)}${proof}`;
  return [...lines, status, ...floors.map(floorText), ...result.models.flatMap(remarks), ''].join('\n');
};

const percent = (share: number): string => `${(100 * share).toPrecision(2)} %`;

/** How sure it is that no more can be served. */
const servedProof = (gap: number | null): string => {
  if (gap === null) return '';
  return gap === 0 ? ', no more can be served' : `, up to ${percent(gap)} of the demand more may be servable`;
};

const remarks = (model: ModelPlan): string[] => [
  ...model.beyondSlo.map((row) => `${model.name}: ${sizeText(row)} is beyond every SLO, charged by extrapolation`),
  ...model.unserved.map((row) => `${model.name}: ${sizeText(row)} is not served (${shortageText(row.reason)})`),
];

/** The explanation for people. */
export const explained = (explanation: Explanation): string => {
  const { routing, singleType, runnersUp } = explanation;
  const costs = (entries: readonly (readonly [string, number | null])[]): string =>
    entries.map(([name, cost]) => `${name} ${cost === null ? 'not possible' : costText(cost)}`).join(', ');
  return [
    ...bindingTexts(explanation),
    `by router: ${costs(Object.entries(routing))}`,
    `one GPU type alone: ${costs(singleType.map(({ gpu, cost }) => [gpu, cost]))}`,
    ...runnersUp.map(({ model, replicas, cost }) => `${model}, next best: ${mixText(replicas)} at ${costText(cost)}`),
    '',
  ].join('\n');
};
