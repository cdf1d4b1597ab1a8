import type { PolicyOutcome } from '../../src/simulation/policy-run.ts';
import { type Result, runAll, scenarioNames } from '../simulate/runs.ts';
import { benchProgress } from './bench-progress.ts';
import { publish } from './publish.ts';

/** `npm run bench -- simulate [--json]`: gpumix and all baselines in every scenario; the table is put into docs/benchmarks.md. */
export const bench = async (argv: readonly string[]): Promise<number> => {
  const json = argv.includes('--json');
  const only = argv.find((argument) => !argument.startsWith('-'));
  const results: Result[] = [];
  const progress = benchProgress('simulate');
  const scenarios = scenarioNames(only).length;
  for await (const result of runAll(only, (share) => progress.tell((results.length + share) / scenarios))) {
    results.push(result);
    if (!json) progress.print(tableOf([result]));
  }
  progress.end();
  if (json) process.stdout.write(`${JSON.stringify({ summary: results.map(summaryOf) })}\n`);
  else if (only === undefined) publish('simulate', tableOf(results));
  return 0;
};

const summaryOf = ({ scenario, outcomes, clairvoyant, extrapolated }: Result) => ({
  scenario,
  clairvoyant,
  extrapolated,
  outcomes: outcomes.map(({ samples, ...rest }) => rest),
});

const tableOf = (results: readonly Result[]): string =>
  [
    '| scenario | policy | cost | of gpumix | within SLO | unserved | changes/h | largest gap |',
    '|---|---|---|---|---|---|---|---|',
    ...results.flatMap(({ scenario, outcomes, clairvoyant: { cost, attainment }, extrapolated }) => [
      ...outcomes.map((outcome, index) => row(index === 0 ? scenario : '', outcome, outcomes[0]!.cost)),
      `| | future known, with the hold-down | ${cost.toFixed(2)} | ${(cost / outcomes[0]!.cost).toFixed(2)} | ${percent(attainment)} | | | |`,
      ...extrapolatedRow(extrapolated),
    ]),
  ].join('\n');

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;

const extrapolatedRow = (shares: Result['extrapolated']): readonly string[] => {
  const named = Object.entries(shares).map(([gpu, share]) => `${gpu} ${(100 * share).toFixed(0)} %`);
  return named.length === 0 ? [] : [`| | extrapolated demand: ${named.join(', ')} | | | | | | |`];
};

const row = (
  scenario: string,
  { policy, cost, attainment, unserved, changesPerHour, capacityGap }: PolicyOutcome,
  own: number,
): string =>
  `| ${[
    scenario,
    policy,
    cost.toFixed(2),
    (cost / own).toFixed(2),
    percent(attainment),
    unserved,
    changesPerHour.toFixed(0),
    `${(100 * capacityGap).toFixed(0)} %`,
  ].join(' | ')} |`;
