import { expect, test } from 'vitest';
import { partVerdicts } from '../../../../hack/peers/aibrix/demand-verdicts.ts';
import { type Phase, verdictOf, verdicts } from '../../../../hack/peers/aibrix/verdicts.ts';

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

test('what falls when the machine has stood still is counted apart too, for a minute', () => {
  const after = (seconds: number) => {
    const pairs = Array.from({ length: seconds + 2 }, (_, index) => [4, index === seconds + 1 ? 3 : 4] as const);
    return verdictOf(
      'chat',
      samples(...pairs).map((one) => ({ ...one, at: one.at === 0 ? 0 : one.at + 14 })),
      [],
    );
  };
  expect(after(5)).toMatchObject({ halvings: 0, fallsAtRest: 1 });
  expect(after(70)).toMatchObject({ halvings: 1, fallsAtRest: 0 });
});

test('a miss is said of those alone that are asked', () => {
  const falls = samples([4, 1], [2, 1], [2, 2], [2, 1]);
  const { missed } = verdicts(['chat', 'other'], falls, [], new Map([['chat', 'readable']]));
  expect(missed).toEqual(['chat: fell 1 times below a target that stood']);
  expect(verdicts(['chat'], falls, []).missed).toEqual([]);
});

/** One request a second, and a plan each 10 s, of which gpumix asks engines. */
const partOf = (kind: 'steady' | 'ramp', planned: (at: number) => number) => {
  const sent = Array.from({ length: 240 }, (_, index) => 1000 + index);
  const ended = sent.map((at) => ({ at, seconds: 4, kind: 0, status: 200 }));
  const replicas = new Map([['chat', 1]]);
  const moments = Array.from({ length: 22 }, (_, index) => {
    const at = 1012 + 10 * index;
    return { at, asking: { at, rate: planned(at) }, blind: null, target: replicas, spec: replicas };
  });
  return partVerdicts([{ name: 'part', kind, settleSeconds: 60, from: 1000, to: 1230 }], moments, sent, ended, 30, ['asking']);
};

test('demand is compared with what was sent over the window that gpumix had the records of', () => {
  const right = partOf('steady', () => 1.04);
  expect(right.missed).toEqual([]);
  expect(right.text.split('\n').at(-1)).toMatch(/^part \| 230 \| 104\.0 %, 104\.0 % \| /);
});

test('a mean that is off by more than 5 %, and one plan below half, are misses', () => {
  expect(partOf('steady', () => 1.06).missed).toEqual(['part, asking engines: planned 106.0 % of what was sent']);
  expect(partOf('steady', (at) => (at === 1012 + 60 ? 0.4 : 1.02)).missed).toEqual([
    'part, asking engines: once only 40.0 % of what was sent',
  ]);
});

test('a ramp may be behind by the duration of a request', () => {
  const sent = Array.from({ length: 1200 }, (_, index) => 1000 + Math.sqrt(40 * index)); // rate (t - 1000) / 20
  const replicas = new Map([['chat', 1]]);
  const behind = (late: number) => {
    const moments = Array.from({ length: 18 }, (_, index) => {
      const at = 1012 + 10 * index;
      const rate = Math.max(0.01, (at - 2 - 15 - late - 1000) / 20); // the middle of the window
      return { at, asking: { at, rate }, blind: null, target: replicas, spec: replicas };
    });
    const ended = sent.map((at) => ({ at, seconds: 4, kind: 0, status: 200 }));
    const part = { name: 'part', kind: 'ramp', settleSeconds: 60, from: 1000, to: 1180 } as const;
    return partVerdicts([part], moments, sent, ended, 30, ['asking']).missed.filter((what) => what.includes('behind'));
  };
  expect(behind(3)).toEqual([]);
  expect(behind(8)).toEqual(['part, asking engines: 8.0 s behind, a request takes 4.0 s']);
});
