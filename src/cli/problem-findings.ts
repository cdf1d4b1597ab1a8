import { type Finding, wrong } from './finding.ts';
import type { FindingId } from './finding-kinds.ts';

/** Of what `serve` warns, which words say what it is about; the first that fit count. */
const kinds: readonly (readonly [RegExp, FindingId])[] = [
  [/^may not /, 'right-missing'],
  [/^Redis takes no write/, 'redis-read-only'],
  [/^Redis|no connection to Redis/, 'redis-away'],
  [/^our clock differs/, 'clock'],
  [/cannot wake/, 'cannot-wake'],
  [/undercount possible/, 'gateway-replicas'],
  [/not all demand can be served/, 'unserved'],
  [/swap blocked/, 'swap-blocked'],
  [/out of stock/, 'out-of-stock'],
  [/not followed:/, 'not-followed'],
  [/beyond the SLO/, 'beyond-slo'],
  [/extrapolated/, 'extrapolated'],
  [/its gateway (?:does not )?count|than its records say/, 'record-defect'],
  [/model\.aibrix\.ai\/|gpumix\.io\//, 'label'],
  [/profile/, 'profile'],
];

/** What `serve` would warn of, as a finding. */
export const problemFinding = (problem: string): Finding =>
  wrong(kinds.find(([words]) => words.test(problem))?.[1] ?? 'problem', '', problem);
