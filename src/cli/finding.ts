import { type FindingId, findingKinds } from './finding-kinds.ts';

/** What one check has shown; `unknown`: it could not be made; `note`: it works, and its user should know how. */
export interface Finding {
  readonly verdict: 'ok' | 'wrong' | 'unknown' | 'note';
  /** Stable, and a heading in docs/doctor.md; null = all is well. */
  readonly id: FindingId | null;
  /** What it is of: `HPA serving/a`; empty = the text says it. */
  readonly object: string;
  /** What was seen of it. */
  readonly seen: string;
  /** The command or the field that mends it; null = docs/doctor.md says more. */
  readonly mend: string | null;
}

type Told = (id: FindingId, object: string, seen: string, mend?: string) => Finding;
const told =
  (verdict: Finding['verdict']): Told =>
  (id, object, seen, mend) => ({ verdict, id, object, seen, mend: mend ?? findingKinds[id].mend });

export const ok = (object: string, seen: string): Finding => ({ verdict: 'ok', id: null, object, seen, mend: null });
export const wrong = told('wrong');
export const unknown = told('unknown');
export const note = told('note');

/** In one line, without what mends it. @example findingText(ok('HPA serving/a', 'scales a')) // => 'HPA serving/a scales a' */
export const findingText = ({ object, seen }: Finding): string =>
  object === '' ? seen : `${object}${/^[a-z]+( |$)/.test(seen) ? ' ' : ': '}${seen}`;

const labels = { wrong: 'WRONG', unknown: '?    ', note: 'note ', ok: 'ok   ' };
const order = ['wrong', 'note', 'ok', 'unknown'] as const;

/**
 * The same in the order in which to look at them, each as the chain goes from Redis to the HPAs: what is wrong first, what
 * could not be looked at last, as that says nothing of the fleet.
 */
export const sorted = (findings: readonly Finding[]): readonly Finding[] =>
  order.flatMap((verdict) => findings.filter((finding) => finding.verdict === verdict));

/** Findings of one kind that are told one by one; of more the first is told, and where else it is. */
const mostAlike = 5;
const named = 5;

const linesOf = (finding: Finding): readonly string[] => [
  `${labels[finding.verdict]}  ${findingText(finding)}`,
  `       [${finding.id}]${finding.mend === null ? '' : ` fix: ${finding.mend}`}`,
];

const othersLine = (others: readonly Finding[]): string => {
  const objects = others.map((finding) => (finding.object === '' ? finding.seen.split(':')[0] : finding.object));
  const more = others.length > named ? ' ...' : '';
  return `       and ${others.length} more (--verbose names each): ${objects.slice(0, named).join(', ')}${more}`;
};

/** Findings for people. @param verbose whether each of what is well is named; else they are counted */
export const findingLines = (findings: readonly Finding[], verbose: boolean): readonly string[] => {
  const inOrder = sorted(findings);
  const well = inOrder.filter(({ verdict }) => verdict === 'ok');
  const linesOfAlike = (shown: readonly Finding[]): readonly string[] =>
    [...Map.groupBy(shown, ({ verdict, id }) => `${verdict} ${id}`).values()].flatMap((alike) =>
      verbose || alike.length <= mostAlike ? alike.flatMap(linesOf) : [...linesOf(alike[0]!), othersLine(alike.slice(1))],
    );
  return [
    ...linesOfAlike(inOrder.filter(({ verdict }) => verdict === 'wrong' || verdict === 'note')),
    ...(verbose ? well.map((finding) => `${labels.ok}  ${findingText(finding)}`) : []),
    ...(verbose || well.length === 0
      ? []
      : [`${labels.ok}  ${well.length} ${well.length === 1 ? 'check holds' : 'checks hold'}; --verbose names each`]),
    ...linesOfAlike(inOrder.filter(({ verdict }) => verdict === 'unknown')),
  ];
};
