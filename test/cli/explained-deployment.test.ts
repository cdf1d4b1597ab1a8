import { expect, test } from 'vitest';
import { explainDocument, explainLines, type Question } from '../../src/cli/explained-deployment.ts';
import { modelDeployment } from '../../src/cluster/variant.ts';
import { readConfig } from '../../src/config/serve-config.ts';
import { demandHistoryWith } from '../../src/planner/believe/demand-history.ts';
import { planOf } from '../../src/planner/plan/plan-of-snapshot.ts';
import { snapshotOf } from '../../src/planner/plan/snapshot-document.ts';
import { emptyMemory } from '../../src/planner/remember/tick-memory.ts';

const config = readConfig([], {});
const deployment = (annotations: Readonly<Record<string, string>> = {}) =>
  modelDeployment({
    metadata: { name: 'l40s', namespace: 'serving', labels: { 'model.aibrix.ai/name': 'm' }, annotations },
    spec: { replicas: 2 },
  })!;
const snapshot = snapshotOf({
  models: [
    {
      name: 'm',
      demand: [
        { inputTokens: 512, outputTokens: 64, arrivalRate: 5 },
        { inputTokens: 8192, outputTokens: 64, arrivalRate: 1 },
      ],
      variants: [
        { name: 'serving/l40s', gpu: 'L40S', price: 2, throughput: [2, 0], maxReplicas: 4 },
        { name: 'serving/h100', gpu: 'H100', price: 6, throughput: [6, 2] },
      ],
    },
  ],
});
const report = {
  name: 'm',
  state: 'fresh' as const,
  reason: 'the newest record is 3 s old',
  arrivalRate: 6,
  unserved: {},
  beyondSlo: 0,
  forecast: null,
  strain: 1,
  headroom: 0.1,
  dataAt: 990,
  recordDefect: null,
  deployments: ['serving/l40s', 'serving/h100'],
  swapBlocked: false,
  cannotWake: false,
  variants: [],
};
const target = (replicas: number) => {
  const decision = { replicas, asOf: 990 };
  return { namespace: 'serving', deployment: 'l40s', labels: {}, decision, standing: decision };
};
/** @param wanted by plans 60 s and 0 s ago */
const question = (published: number, wanted: readonly [number, number], annotations = {}): Question => {
  const empty = {
    decisions: new Map(),
    forgone: new Map(),
    behaviours: new Map(),
    strains: new Map(),
    trials: new Map(),
    wakings: new Map(),
  };
  const stillWanted = new Map([['serving/l40s', wanted.map((replicas, index) => ({ at: 940 + 60 * index, replicas }))]]);
  const stored = { at: 1000, targets: [target(published)], models: [report], plan: null, wanted: stillWanted, ...empty };
  return {
    deployment: deployment(annotations),
    ready: 1,
    now: 1004,
    decided: {
      memory: emptyMemory,
      targets: [target(published)],
      models: [report],
      snapshot,
      plan: planOf(snapshot),
      routes: [],
      enginesToAsk: [],
      problems: [],
      plansMade: 1,
    },
    stored: { plan: stored, ageSeconds: 4 },
  };
};

test('from what is published back to the demand, and what would be next', () => {
  expect(explainLines(question(2, [2, 2]), config)).toEqual([
    'serving/l40s: 2 replicas, published 4 s ago, from data of 10 s before',
    '  it has 2, 1 of them Ready',
    'model m is fresh: the newest record is 3 s old; 6 req/s planned for, 10 % of headroom included',
    '  5 req/s of 512 + 64 tokens: 40 % of them here, where a replica serves 2 req/s',
    'the plan of now: 1 x serving/h100 + 1 x serving/l40s at $8/h, optimal',
    '  one replica: 1 x L40S at $2/h; from 0 to 4 replicas',
    '  the plan of now has 1, the published one 2: demand has moved since that, or the other mix saves less than 10 % (--switch-savings), or has not saved for long enough what the change costs',
    '  next best: 2 x serving/h100 at $12/h',
  ]);
});

test('what of the demand is for requests that wait is named, and how many arrive', () => {
  const history = demandHistoryWith(undefined, {
    ...{ at: 990, rate: 4, work: undefined, candidates: [] },
    ...{ startupSeconds: 60, shapeAgeSeconds: 60 },
  });
  const told = (changes: object = {}) => {
    const asked = question(2, [2, 2]);
    const memory = { ...emptyMemory, believed: { ...emptyMemory.believed, histories: new Map([['m', history]]) } };
    const decided = { ...asked.decided, memory, models: [{ ...report, headroom: 0, ...changes }] };
    const settings = readConfig(['--backlog-seconds', '40'], {});
    return explainLines({ ...asked, decided }, settings).find((line) => line.startsWith('model m'));
  };
  expect(told()).toMatch(/headroom included; of it 2 req\/s for requests that wait: 4 req\/s arrive$/);
  // All of it is headroom, or work that engines are slow at.
  expect(told({ headroom: 0.5 })).toMatch(/headroom included$/);
  expect(told({ strain: 1.5 })).not.toContain('wait');
  // What a broken gateway counts as arrivals is not what is planned for.
  expect(told({ recordDefect: { kind: 'arrivals', counted: 1, ended: 9 } })).not.toContain('wait');
});

test('a model that is served in full is not told as infeasible where another model is short', () => {
  const [model] = snapshot.models;
  const [h100] = model!.variants.slice(1);
  const short = {
    ...model!,
    name: 'short',
    variants: [{ ...h100!, name: 'serving/none', maxReplicas: 0, heldBy: 'pinned' as const }],
  };
  const both = { ...snapshot, models: [model!, short] };
  const asked = question(2, [2, 2]);
  const lines = explainLines({ ...asked, decided: { ...asked.decided, snapshot: both, plan: planOf(both) } }, config);
  expect(lines).toContain(
    'the plan of now: 1 x serving/h100 + 1 x serving/l40s at $8/h, served in full, which not every model of the fleet is',
  );
  const held = {
    ...snapshot,
    models: [{ ...model!, variants: [{ ...model!.variants[0]!, heldBy: 'pinned' as const, maxReplicas: 1 }] }],
  };
  const fixed = explainLines({ ...asked, decided: { ...asked.decided, snapshot: held, plan: planOf(held) } }, config);
  expect(fixed).toContainEqual(
    expect.stringMatching(/infeasible; [\d.]+ req\/s not served \(what could serve it is pinned by gpumix\.io\/pin\)$/),
  );
  expect(fixed).toContain('  one replica: 1 x L40S at $2/h; from 0 to 1 replicas, as it is pinned by gpumix.io/pin');
});

test.each([
  [3, [3, 1], '3 stay: as many were wanted within the last 120 s (--hold-down-seconds)'],
  [3, [1, 1], '3 stay until what replaces them is Ready'],
  [2, [9, 9], '9 are wanted: growth beyond 3 times waits for a second plan (--grow-at-once), or there is no room yet'],
] as const)('%d published where %j were wanted', (published, wanted, reason) => {
  expect(explainLines(question(published, wanted), config)).toContain(`  ${reason}`);
});

test('what is wrong with its autoscaler, and how long that may take, stands beside what runs', () => {
  const pace = { up: { tolerance: 0, waitSeconds: 75 }, down: { tolerance: 0, waitSeconds: 300 } };
  const autoscaling = ['HPA serving/h has averageValue 100'];
  const up = explainLines({ ...question(3, [3, 3]), pace, autoscaling }, config);
  expect(up.slice(1, 3)).toEqual([
    '  it has 2, 1 of them Ready: its autoscaler has not followed yet, which by its own settings may take 75 s',
    '  HPA serving/h has averageValue 100',
  ]);
  expect(explainLines({ ...question(1, [1, 1]), pace }, config)[1]).toMatch(/ may take 300 s$/);
});

test('what is fixed by hand, and what its autoscaler has not done yet', () => {
  const lines = explainLines(question(1, [1, 1], { 'gpumix.io/pin': '1' }), config);
  expect(lines).toContain('  pinned to 1 by the annotation gpumix.io/pin');
  expect(lines).toContain('  it has 2, 1 of them Ready: its autoscaler has not followed yet');
});

test('a gateway that does not count arrivals is named with what it counted', () => {
  const asked = question(2, [2, 2]);
  const recordDefect = { kind: 'arrivals' as const, counted: 28, ended: 2351, lastAt: 990 };
  const stored = { ...asked.stored!, plan: { ...asked.stored!.plan, models: [{ ...report, recordDefect }] } };
  expect(explainLines({ ...asked, stored }, config)[2]).toMatch(
    /; its gateway counted 28 arrivals while 2351 requests ended, so what ends is planned for/,
  );
});

test('where nothing is stored it says so', () => {
  const [first] = explainLines({ ...question(2, [2, 2]), stored: null }, config);
  expect(first).toBe('serving/l40s: 2 replicas, as it would be decided now; no serve has stored a plan');
});

test('the plan of a serve that is gone is not told as the present', () => {
  const asked = question(2, [2, 2]);
  const lines = explainLines({ ...asked, stored: { ...asked.stored!, ageSeconds: 69 } }, config);
  expect(lines[0]).toBe('serving/l40s: 2 replicas, as it would be decided now; the last plan of a serve is 69 s old');
  expect(explainLines({ ...asked, stored: { ...asked.stored!, ageSeconds: 40 } }, config)[0]).toMatch(/, published 40 s ago/);
});

test('without demand there is no plan to explain', () => {
  const asked = question(2, [2, 2]);
  const lines = explainLines({ ...asked, decided: { ...asked.decided, snapshot: null, plan: null } }, config);
  expect(lines).toHaveLength(3);
});

test('a document holds what the lines are made of', () => {
  const asked = question(2, [2, 2]);
  expect(explainDocument(asked, ['because'])).toMatchObject({
    deployment: 'serving/l40s',
    replicas: 2,
    ready: 1,
    decision: { replicas: 2, asOf: 990 },
    publishedAgo: 4,
    model: { name: 'm', state: 'fresh' },
    planOfNow: { name: 'm', cost: 8 },
    reasons: ['because'],
  });
});
