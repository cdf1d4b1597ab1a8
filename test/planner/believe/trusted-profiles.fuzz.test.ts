import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readConfig } from '../../../src/config/serve-config.ts';
import { decide, type Reading } from '../../../src/planner/decide.ts';
import { planOf } from '../../../src/planner/plan/plan-of-snapshot.ts';
import { tickWork } from '../../../src/planner/plan/work-limit.ts';
import { emptyMemory, type Memory } from '../../../src/planner/remember/tick-memory.ts';
import { parseProfile } from '../../../src/profiles/profile-document.ts';
import { profileSources } from '../../../src/profiles/sources.ts';
import { beyondSloThroughput, throughputAt } from '../../../src/profiles/throughput.ts';
import type { Interval } from '../../../src/workload/workload.ts';
import { deployment } from '../../helpers/deployments.ts';
import { record } from '../../helpers/records.ts';

const settings = {
  ...readConfig([], {}),
  holdDownSeconds: 0,
  switchSavings: 0,
  routerKnowledge: 'size' as const,
  prices: {},
  keepSnapshot: false,
};
const sizes = { inputTokens: 1024, outputTokens: 64 };
const good = (gpu: string, rate: number) =>
  JSON.stringify({
    gpu,
    cost: 1,
    indexes: [
      [32, 64],
      [512, 1024],
    ],
    tputs: [
      [2 * rate, 1.5 * rate],
      [1.5 * rate, rate],
    ],
  });
/** 32 req/s of 1024 tokens in, 64 out, for ten minutes. */
const busy: readonly Interval[] = Array.from({ length: 60 }, (_, index) =>
  record(1410 + 10 * index, 320, { '100:60': 320, meta_pending_reqs: 10 }),
);

const world = async () => {
  const documents = new Map([
    ['aibrix:profile_m_a', good('a', 4)],
    ['aibrix:profile_m_b', good('b', 1)],
  ]);
  const deployments = new Map([
    ['ns/a', deployment('a', { gpu: 'A', replicas: 9 })],
    ['ns/b', deployment('b', { gpu: 'B', replicas: 2 })],
  ]);
  const profiles = profileSources(async (keys) => keys.map((key) => documents.get(key) ?? null), null);
  const tick = async (memory: Memory, now: number) => {
    const reading: Reading = {
      now,
      workload: {
        now,
        names: new Map([['m', { intervals: busy, intervalSeconds: 10, lastRecordAt: 2000 }]]),
        writableSince: 0,
        lostUntil: Number.NEGATIVE_INFINITY,
        writeProblem: null,
        heartbeatAt: null,
        problems: [],
      },
      deployments,
      profiles: (await profiles([...deployments.values()], now)).found,
      // Something of b stays, so that there is more than one thing to lose.
      bounds: new Map([['ns/b', { minReplicas: 2, maxReplicas: 2 }]]),
      ready: new Map([
        ['ns/a', 9],
        ['ns/b', 2],
      ]),
      gatewayUnchangedSince: null,
      engines: new Map(),
      unsynced: [],
    };
    return decide(reading, memory, settings, tickWork, planOf);
  };
  return { documents, tick };
};
const replicasOf = ({ targets }: Awaited<ReturnType<Awaited<ReturnType<typeof world>>['tick']>>) =>
  Object.fromEntries(
    targets.map(({ deployment: name, decision }) => [name, 'replicas' in decision ? decision.replicas : Number.NaN]),
  ) as { a: number; b: number };

const cell = fc.oneof(
  fc.constantFrom('0', '0', 'NaN', 'null', '1e9', 'Infinity', '-1', '1e-9'),
  fc.double({ min: 0, max: 64, noNaN: true }).map(String),
);
const ticks = fc.uniqueArray(fc.constantFrom(1, 16, 64, 128, 512, 1024, 2048, 8192), { minLength: 1, maxLength: 4 });
/** Zeros, NaN, one cell, huge, not monotone, axes swapped, broken: whatever a document may be. */
const documentText = fc
  .record({
    outputs: ticks,
    inputs: ticks,
    cells: fc.array(cell, { minLength: 16, maxLength: 16 }),
    kind: fc.constantFrom('any', 'any', 'any', 'zeros', 'one cell', 'huge', 'swapped', 'broken'),
    factor: fc.double({ min: 0.01, max: 100, noNaN: true }),
  })
  .map(({ outputs, inputs, cells, kind, factor }) => {
    const value = (row: number, column: number): string => {
      if (kind === 'zeros') return '0';
      if (kind === 'one cell') return row + column === 0 ? '4' : '0';
      if (kind === 'huge') return String(4 * factor);
      return cells[row * 4 + column]!;
    };
    const rows = outputs.map((_, row) => `[${inputs.map((_, column) => value(row, column)).join()}]`);
    const [first, second] = kind === 'swapped' ? [inputs, outputs] : [outputs, inputs];
    const text = `{"gpu":"a","cost":1,"indexes":[${JSON.stringify(first)},${JSON.stringify(second)}],"tputs":[${rows.join()}]}`;
    return kind === 'broken' ? text.slice(0, -Math.ceil(factor)) : text;
  });

/** Whether a document may lower what runs: it can be read, serves what arrives, and says at most four times as much as before. */
const mayLower = (text: string): boolean => {
  try {
    const profile = parseProfile(text, 'x');
    return (
      throughputAt(profile, sizes.inputTokens, sizes.outputTokens).throughput > 0 &&
      beyondSloThroughput(profile, sizes.inputTokens, sizes.outputTokens) <= 4 * 4
    );
  } catch {
    return false;
  }
};

test('of 10,000 documents beside steady traffic none lowers a target but one that can be believed, and none to 0', async () => {
  let [lowered, stood] = [0, 0];
  await fc.assert(
    fc.asyncProperty(documentText, async (text) => {
      const { documents, tick } = await world();
      const before = await tick(emptyMemory, 2002);
      const then = replicasOf(before);
      documents.set('aibrix:profile_m_a', text);
      const once = await tick(before.memory, 2003);
      const now = replicasOf(await tick(once.memory, 2004));
      expect(now.a).toBeGreaterThan(0);
      if (!mayLower(text)) expect(now).toEqual({ a: Math.max(now.a, then.a), b: then.b });
      if (now.a < then.a) lowered += 1;
      else stood += 1;
    }),
    { numRuns: 10_000, seed: 20261130 },
  );
  expect(lowered).toBeGreaterThan(100);
  expect(stood).toBeGreaterThan(500);
});
