import { expect, test } from 'vitest';
import { partVerdicts } from '../../hack/peers/aibrix/demand-verdicts.ts';
import { type Phase, verdictOf } from '../../hack/peers/aibrix/verdicts.ts';

/** One sample a second: [target, spec.replicas]. */
const samples = (...pairs: readonly (readonly [number, number])[]) =>
  pairs.map(([target, spec], at) => ({ at, target: new Map([['chat', target]]), spec: new Map([['chat', spec]]) }));
const judged = (pairs: readonly (readonly [number, number])[], phases: readonly Phase[] = []) =>
  verdictOf('chat', samples(...pairs), phases);

test('a rise that is followed has its seconds, and a fall below a target that stands is a halving', () => {
  const verdict = judged([
    [1, 1],
    [4, 1],
    [4, 2],
    [4, 4],
    [4, 2],
    [4, 4],
  ]);
  expect(verdict).toMatchObject({ up: [2], down: [], notFollowed: 0, halvings: 1, fallsWhileAway: 0 });
});

test('a descent to a lower target is no halving, and one that never arrives is not followed', () => {
  expect(
    judged([
      [4, 4],
      [2, 4],
      [2, 3],
      [2, 2],
    ]),
  ).toMatchObject({ down: [2], halvings: 0, notFollowed: 0 });
  expect(
    judged([
      [4, 4],
      [2, 4],
      [2, 3],
    ]),
  ).toMatchObject({ down: [], halvings: 0, notFollowed: 1 });
});

test('what falls while the metric cannot be read is counted apart', () => {
  const away: Phase = { name: 'gpumix is away', kind: 'away', from: 1, to: 3 };
  const verdict = judged(
    [
      [4, 4],
      [4, 3],
      [4, 2],
      [4, 4],
    ],
    [away],
  );
  expect(verdict).toMatchObject({ halvings: 0, fallsWhileAway: 2, leastShare: 0.5 });
});

test('demand is compared with what was sent over the window that gpumix had the records of', () => {
  const sent = Array.from({ length: 200 }, (_, index) => 1000 + index); // one a second
  const moments = Array.from({ length: 150 }, (_, second) => ({
    at: 1012 + second,
    planned: { at: 1012 + second, rate: second < 100 ? 1 : 0.4 },
    blind: null,
    target: new Map([['chat', 1]]),
    spec: new Map([['chat', 1]]),
  }));
  const table = partVerdicts([{ name: 'steady', kind: 'steady', from: 1000, to: 1160 }], moments, sent, [], 30);
  const [name, mean, least] = table.split('\n').at(-1)?.split(' | ') ?? [];
  expect(name).toBe('steady');
  expect(Number.parseFloat(mean ?? '')).toBeGreaterThan(60);
  expect(Number.parseFloat(mean ?? '')).toBeLessThan(90);
  expect(Number.parseFloat(least ?? '')).toBeCloseTo(40, 5);
});
