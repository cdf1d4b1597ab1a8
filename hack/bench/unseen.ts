import { cheapestOfBest, runEachType, runHpas, runPlanner, runStaticPeak, type Scenario } from '../../src/simulation/compare.ts';
import type { PolicyOutcome } from '../../src/simulation/policy-run.ts';
import { cheapestKnown, reachable } from '../simulate/known-future.ts';
import { scenario } from '../simulate/scenarios.ts';
import { undoneChanges } from '../simulate/undone-changes.ts';
import { countedFrom, knownTraffic, unseenTraffic } from '../simulate/unseen-traffic.ts';
import { publish } from './publish.ts';

/** What is asked for: so many of the requests within the SLO. */
const share = 0.99;
const seeds = [1, 2, 3, 4, 5];

/** What each of these comes to, of one seed. */
type Runs = Readonly<Record<'gpumix' | 'single' | 'hpa' | 'peak' | 'known' | 'reachable', PolicyOutcome>>;

/**
 * `npm run bench -- unseen [NAME] [--quick]`: gpumix with the defaults of `serve` on traffic that none of them was tuned on, over
 * five seeds, beside the best GPU type alone, the best HPA on requests per second, a static peak, the cheapest fleet that is
 * known to attain 99 %, and what can be reached without knowing the future.
 */
export const unseen = async (argv: readonly string[]): Promise<number> => {
  const quick = argv.includes('--quick');
  const only = argv.find((argument) => !argument.startsWith('-')) ?? '';
  const lines = [...head];
  for (const [name, make] of Object.entries({ ...knownTraffic, ...unseenTraffic })) {
    if (!name.includes(only)) continue;
    const runs: Runs[] = [];
    for (const seed of quick ? seeds.slice(0, 1) : seeds) runs.push(await allOf(scenario(make(seed)), countedFrom[name] ?? 0));
    lines.push(line(name, runs));
    process.stdout.write(`${lines.at(-1)}\n`);
  }
  if (!quick && only === '') publish('unseen', lines.join('\n'));
  return 0;
};

const allOf = async (given: Scenario, from: number): Promise<Runs> => ({
  gpumix: counted(await runPlanner(given), from),
  single: cheapestOfBest((await runEachType(given)).map((one) => counted(one, from))),
  hpa: counted((await runHpas(given)).at(-1)!, from),
  peak: counted(await runStaticPeak(given), from),
  known: counted(await cheapestKnown(given, share), from),
  reachable: counted(await reachable(given, share), from),
});

/** Attained by the requests that ended, or were given up, after a time. */
const counted = (outcome: PolicyOutcome, from: number): PolicyOutcome => {
  const before = outcome.samples.find(({ time }) => time >= from);
  if (from === 0 || before === undefined) return outcome;
  const over = before.ended + before.unserved;
  const missed = outcome.requests * (1 - outcome.attainment) - (over - before.within);
  return { ...outcome, attainment: 1 - missed / (outcome.requests - over) };
};

const head = [
  '| traffic | gpumix: cost, within SLO, worst seed | cost of the cheapest known | p99.9, longest TTFT (s) | changes/h, undone a day | best type alone | HPA on requests per second | static peak | cheapest known | reachable |',
  '|---|---|---|---|---|---|---|---|---|---|',
];

const line = (name: string, runs: readonly Runs[]): string => {
  const mean = (of: (run: Runs) => number): number => runs.reduce((sum, run) => sum + of(run), 0) / runs.length;
  const both = (key: keyof Runs): string =>
    `${mean((run) => run[key].cost).toFixed(2)}, ${percent(mean((run) => run[key].attainment))}`;
  const day = 86_400 / runs[0]!.gpumix.samples.at(-1)!.time;
  return `| ${[
    name,
    `${both('gpumix')}, ${percent(Math.min(...runs.map(({ gpumix }) => gpumix.attainment)))}`,
    mean((run) => run.gpumix.cost / run.known.cost).toFixed(2),
    `${mean((run) => run.gpumix.ttftP999Seconds).toFixed(0)}, ${mean((run) => run.gpumix.longestTtftSeconds).toFixed(0)}`,
    `${mean((run) => run.gpumix.changesPerHour).toFixed(0)}, ${mean((run) => day * undoneChanges(run.gpumix.samples)).toFixed(0)}`,
    both('single'),
    both('hpa'),
    both('peak'),
    both('known'),
    both('reachable'),
  ].join(' | ')} |`;
};

const percent = (value: number): string => `${(100 * value).toFixed(2)} %`;
