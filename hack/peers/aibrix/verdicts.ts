import type { Judged } from '../judged.ts';

/** Targets and spec.replicas of all Deployments at one moment (Unix seconds). */
export interface Sample {
  readonly at: number;
  readonly target: ReadonlyMap<string, number>;
  readonly spec: ReadonlyMap<string, number>;
}

export interface Phase {
  readonly name: string;
  /** Whether the autoscaler can read its metric: there was none yet, it can, or it cannot any more. */
  readonly kind: 'before gpumix' | 'readable' | 'away';
  readonly from: number;
  to: number;
}

/** What one autoscaler did. */
export interface Verdict {
  /** Seconds from a change of the target until the replicas were the same, of changes upward and downward. */
  readonly up: readonly number[];
  readonly down: readonly number[];
  /** Changes of the target that the replicas had not followed before the next one, or the end. */
  readonly notFollowed: number;
  /** How often spec.replicas fell below a target that stood, while the metric could be read. */
  readonly halvings: number;
  /** The same while it could not be read. */
  readonly fallsWhileAway: number;
  /** The same while the machine stood still, or just after: then nobody could read anything, and nothing is asked of anybody. */
  readonly fallsAtRest: number;
  /** Least share of the target that was left while it could not be read. */
  readonly leastShare: number;
  /** What was left of the replicas while the controller ran and gpumix did not yet. */
  readonly leftBefore: number | undefined;
  readonly endsAt: number | undefined;
}

/**
 * Samples are a second apart. Where one comes so much later (s), the machine has stood still, and the autoscaler too has waited
 * in vain for what it read; what it makes of that comes within the time after.
 */
const stillSeconds = 10;
const afterStillSeconds = 60;

/** Changes of a target less than this apart (s) are one: the plan is on its way. */
const settled = 25;

/** Judges one autoscaler by its samples, a second apart. */
export const verdictOf = (name: string, samples: readonly Sample[], phases: readonly Phase[]): Verdict => {
  const inPhase = (kind: Phase['kind'], at: number): boolean =>
    phases.some((phase) => phase.kind === kind && at >= phase.from && at < phase.to);
  const points = samples.flatMap(({ at, target, spec }) => {
    const [wanted, have] = [target.get(name), spec.get(name)];
    return wanted === undefined || have === undefined ? [] : [{ at, target: wanted, spec: have, away: inPhase('away', at) }];
  });
  const up: number[] = [];
  const down: number[] = [];
  let [notFollowed, halvings, fallsWhileAway, fallsAtRest, leastShare] = [0, 0, 0, 0, 1];
  let stoodStillAt = Number.NEGATIVE_INFINITY;
  let change: { at: number; upward: boolean; from: number } | null = null;
  for (const [index, point] of points.entries()) {
    const before = points[index - 1];
    if (before === undefined) continue;
    if (point.at - before.at > stillSeconds) stoodStillAt = point.at;
    if (point.target !== before.target && !point.away) {
      if (change !== null && point.at - change.at > settled) notFollowed += 1;
      change = { at: point.at, from: before.spec, upward: point.target > before.spec };
    }
    if (change !== null && point.spec === point.target) {
      (change.upward ? up : down).push(point.at - change.at);
      change = null;
    }
    if (point.spec < before.spec && point.spec < point.target && point.target === before.target) {
      if (point.away) fallsWhileAway += 1;
      else if (point.at - stoodStillAt < afterStillSeconds) fallsAtRest += 1;
      else halvings += 1;
    }
    if (point.away) leastShare = Math.min(leastShare, point.spec / point.target);
  }
  if (change !== null) notFollowed += 1;
  const before = samples.filter(({ at }) => inPhase('before gpumix', at)).flatMap(({ spec }) => spec.get(name) ?? []);
  const leftBefore = before.length === 0 ? undefined : Math.min(...before);
  const falls = { halvings, fallsWhileAway, fallsAtRest, leastShare };
  return { up, down, notFollowed, ...falls, leftBefore, endsAt: points.at(-1)?.spec };
};

/**
 * What an autoscaler is asked: to follow its target and never fall below it, while the metric can be read or also while it
 * cannot.
 */
export type Asked = 'readable' | 'always';

/**
 * A table, one line per autoscaler.
 * @param asked of whom something is asked
 */
export const verdicts = (
  names: readonly string[],
  samples: readonly Sample[],
  phases: readonly Phase[],
  asked: ReadonlyMap<string, Asked> = new Map(),
): Judged => {
  const all = names.map((name) => ({ name, of: verdictOf(name, samples, phases) }));
  const text = [
    'autoscaler | followed up (s) | down (s) | not followed | halvings | falls while the machine stood still | falls while gpumix was away | least share left then | replicas left of 3 before gpumix ran | replicas at the end',
    '---|---|---|---|---|---|---|---|---|---',
    ...all.map(({ name, of }) => {
      const counts = [
        of.notFollowed,
        of.halvings,
        of.fallsAtRest,
        of.fallsWhileAway,
        percent(of.leastShare),
        of.leftBefore,
        of.endsAt,
      ];
      return [name, list(of.up), list(of.down), ...counts].join(' | ');
    }),
  ].join('\n');
  const missed = all.flatMap(({ name, of }) => {
    const what = asked.get(name);
    if (what === undefined) return [];
    return [
      ...(of.up.length > 0 && of.notFollowed === 0 ? [] : [`${name}: did not follow its target`]),
      ...(of.halvings === 0 ? [] : [`${name}: fell ${of.halvings} times below a target that stood`]),
      ...(what === 'readable' || of.fallsWhileAway === 0 ? [] : [`${name}: fell while gpumix was away`]),
    ];
  });
  return { text, missed };
};

const list = (seconds: readonly number[]): string => seconds.map((value) => Math.round(value)).join(', ') || '-';
const percent = (share: number): string => `${Math.round(100 * share)} %`;
