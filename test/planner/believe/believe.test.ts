import { describe, expect, test } from 'vitest';
import {
  type BelieveMemory,
  type BelieveReading,
  type BelieveSettings,
  believe,
  nothingBelieved,
} from '../../../src/planner/believe/believe.ts';
import type { Interval } from '../../../src/workload/workload.ts';
import { deployment, foundProfile } from '../../helpers/deployments.ts';
import { record } from '../../helpers/records.ts';

const settings: BelieveSettings = {
  windowSeconds: 60,
  shapeWindowSeconds: 240,
  startupSeconds: 600,
  backlogSeconds: 120,
  headroom: 0,
  attainment: null,
  followAfterSeconds: 1e9,
  idleAfterSeconds: 240,
  settleSeconds: 2,
  trustSilence: false,
  wakeAhead: true,
  poolNamespaces: false,
  prices: { L40S: 1 },
};
/** Twenty intervals of 3 req/s up to 1000, each request of 1024 in, 64 out as far as it tells. */
const arrivals = (fields: Readonly<Record<string, number>> = { '100:60': 30 }): readonly Interval[] =>
  Array.from({ length: 20 }, (_, index) => record(810 + 10 * index, 30, fields));
const reading = (names: Readonly<Record<string, readonly Interval[]>>, more: Partial<BelieveReading> = {}): BelieveReading => ({
  now: 1002,
  workload: {
    now: 1002,
    names: new Map(
      Object.entries(names).map(([name, intervals]) => [name, { intervals, intervalSeconds: 10, lastRecordAt: 1000 }]),
    ),
    writableSince: 0,
    lostUntil: Number.NEGATIVE_INFINITY,
    writeProblem: null,
    heartbeatAt: null,
    problems: [],
  },
  deployments: new Map([['ns/a', deployment('a', { gpu: 'L40S' })]]),
  profiles: new Map([['ns/a', foundProfile('a', 2)]]),
  bounds: new Map(),
  ready: new Map([['ns/a', 1]]),
  gatewayUnchangedSince: null,
  engines: new Map(),
  unsynced: [],
  ...more,
});
const believed = (read: BelieveReading, memory: BelieveMemory = nothingBelieved) => {
  const { models, memory: after } = believe({
    reading: read,
    memory: { believed: memory, workPerRequest: new Map(), moved: { decisions: new Map() } },
    settings,
  });
  return { model: models[0]!, models, memory: after };
};

describe('what is believed of a model', () => {
  test('its state, its Deployments and its demand', () => {
    const { model, models } = believed(reading({ m: arrivals() }));
    expect(models).toHaveLength(1);
    expect(model).toMatchObject({ name: 'm', conclusion: { state: 'fresh' }, dataAt: 1000, recordDefect: null });
    expect(model.candidates.map(({ key }) => key)).toEqual(['ns/a']);
    expect(model.demand?.reduce((sum, { arrivalRate }) => sum + arrivalRate, 0)).toBeCloseTo(3, 9);
  });

  test('without a Deployment that can take part there is no demand to plan for', () => {
    const { model } = believed(reading({ m: arrivals() }, { profiles: new Map() }));
    expect([...model.excluded.keys()]).toEqual(['ns/a']);
    expect(model).toMatchObject({ conclusion: { state: 'fresh' }, demand: null });
  });

  test('where the demand must wait the model is quiet, for that reason', () => {
    const { model } = believed(reading({ m: arrivals({}) }));
    expect(model.conclusion).toMatchObject({
      state: 'quiet',
      reason: 'requests arrive, but none has ended yet that told its size',
    });
    expect(model.demand).toBeNull();
  });

  test('a writer that counts most arrivals not at all is found out, and what ended is planned for', () => {
    const miscounted = Array.from({ length: 20 }, (_, index) => record(810 + 10 * index, 1, { '100:60': 30 }));
    const { model } = believed(reading({ m: miscounted }));
    expect(model.recordDefect?.kind).toBe('arrivals');
    expect(model.demand?.[0]?.arrivalRate).toBeCloseTo(3, 1);
  });
});

describe('what is remembered', () => {
  const { memory } = believed(reading({ m: arrivals() }));

  test('sizes and rates by name, trials and behaviours by Deployment', () => {
    expect([...memory.sizes.keys()]).toEqual(['m']);
    expect([...memory.histories.keys()]).toEqual(['m']);
    expect([...memory.trials.keys()]).toEqual(['ns/a']);
    expect([...memory.behaviours.keys()]).toEqual(['ns/a']);
  });

  test('the last shape is planned by while no request tells its size', () => {
    expect(believed(reading({ m: arrivals({}) }), memory).model.demand?.[0]?.arrivalRate).toBeCloseTo(3, 9);
  });

  test('names that no record is read under any more are forgotten, unless nothing could be read', () => {
    expect(believed(reading({}), memory).memory.sizes.size).toBe(0);
    expect([...believed(reading({}, { workload: null }), memory).memory.sizes.keys()]).toEqual(['m']);
  });
});
