import { describe, expect, test } from 'vitest';
import { type DemandSources, demandNow } from '../../../src/planner/believe/demand.ts';
import type { Interval } from '../../../src/workload/workload.ts';
import { l40sCandidate } from '../../helpers/candidates.ts';
import { record } from '../../helpers/records.ts';

const settings = {
  windowSeconds: 60,
  shapeWindowSeconds: 240,
  headroom: 0.5,
  attainment: null,
  startupSeconds: 100,
  backlogSeconds: 120,
};
const shape = [{ inputTokens: 1024, outputTokens: 64, share: 1 }];
const candidate = l40sCandidate({ replicas: 1, ready: 1 });
/** 3 req/s for ten intervals up to 1000. */
const steady = (fields: Readonly<Record<string, number>> = {}): readonly Interval[] =>
  Array.from({ length: 10 }, (_, index) => record(910 + 10 * index, 30, fields));
const workload = (names: Readonly<Record<string, readonly Interval[]>>, held: readonly object[] = []) =>
  ({
    now: 1002,
    names: new Map(
      Object.entries(names).map(([name, intervals]) => [
        name,
        { intervals, intervalSeconds: 10, lastRecordAt: intervals.at(-1)?.time ?? null },
      ]),
    ),
    writableSince: 0,
    lostUntil: Number.NEGATIVE_INFINITY,
    writeProblem: null,
    heartbeatAt: null,
    held,
    problems: [],
  }) as DemandSources['workload'];
const demandOf = (given: DemandSources['workload'], more: Partial<DemandSources> = {}) =>
  demandNow(
    {
      name: 'm',
      aliases: ['m'],
      arrivalShare: 1,
      workload: given,
      silentUntil: Number.NEGATIVE_INFINITY,
      shapes: new Map([['m', shape]]),
      histories: new Map(),
      strains: new Map(),
      decisions: new Map(),
      candidates: [candidate],
      decidedBefore: true,
      ...more,
    },
    settings,
  );
const sized = (arrivalRate: number) => [{ inputTokens: 1024, outputTokens: 64, arrivalRate: expect.closeTo(arrivalRate, 9) }];

describe('what to plan for', () => {
  test('arrivals by size, with headroom', () => {
    expect(demandOf(workload({ m: steady() }))).toMatchObject({ demand: sized(4.5), waitReason: null, forecast: null });
  });

  test('of a gateway that tells only what has ended, growth is what it was a request’s duration ago', () => {
    const slow = { ...candidate, profile: { ...candidate.profile, e2eSeconds: [7] } };
    const growing = Array.from({ length: 12 }, (_, index): Interval => {
      const one = record(890 + 10 * index, 20 + 2 * index);
      return one.found === 'record' ? { ...one, record: { ...one.record, pending: null } } : one;
    });
    const rate = (defect: object | null) => {
      const given = workload({ m: growing })!;
      const history = { ...given.names.get('m')!, defect } as never;
      return demandOf({ ...given, names: new Map([['m', history]]) }, { candidates: [slow] }).demand![0]!.arrivalRate / 1.5;
    };
    expect(rate({ kind: 'arrivals' }) - rate(null)).toBeCloseTo(0.02 * 7, 9);
  });

  test('of a model that lives elsewhere too its own share', () => {
    expect(demandOf(workload({ m: steady() }), { arrivalShare: 0.5 }).demand).toEqual(sized(2.25));
  });

  test('arrivals under its other names, in the shape of the model where they have none of their own', () => {
    const both = workload({ m: steady(), alias: steady() });
    const { demand, histories } = demandOf(both, { aliases: ['m', 'alias', 'never seen'] });
    expect(demand).toEqual(sized(9));
    expect([...histories.keys()]).toEqual(['m', 'alias']);
  });

  test('how long requests take is not known, so none of those in flight is too many', () => {
    expect(demandOf(workload({ m: steady({ meta_pending_reqs: 900 }) })).demand).toEqual(sized(4.5));
  });
});

describe('requests that wait beyond what is normal', () => {
  /** 2 req/s of this size per replica; at 3 req/s, 1 s each, 3 + 3 x √3 in flight are normal. */
  const slow = { ...candidate, replicas: 2, ready: 2, profile: { ...candidate.profile, e2eSeconds: [1] } };
  const backlog = 600 - 3 - 3 * Math.sqrt(3);
  const waiting = (more: Partial<DemandSources> = {}, names: readonly string[] = ['m']) => {
    const given = Object.fromEntries(names.map((name) => [name, steady({ meta_pending_reqs: 600 })]));
    return demandOf(workload(given), { candidates: [slow], aliases: names, ...more });
  };

  test('add what will remain of them when a new replica is Ready, in half as much time again', () => {
    expect(waiting().demand).toEqual(sized(1.5 * (3 + (backlog - 100) / 180)));
  });

  test('add less the sooner what starts is Ready', () => {
    const starting = { ...slow, replicas: 3 };
    const pods = new Map([
      ['ns/a', [{ name: 'p', createdAt: 922, ready: false, readinessAt: null, placedAt: 922, unschedulable: false }]],
    ]);
    expect(waiting({ candidates: [starting], pods }).demand).toEqual(sized(1.5 * (3 + (backlog - 100 - 2 * 80) / 180)));
  });

  test('of several names share the replicas, as do those of a model that lives elsewhere too', () => {
    expect(waiting({}, ['m', 'alias']).demand).toEqual(sized(1.5 * 2 * (3 + (backlog + 100) / 180)));
    // They carry 8 req/s of all that arrive, headroom included, and are kept for that.
    expect(waiting({ arrivalShare: 0.5 }).demand).toEqual(sized(0.5 * 8));
  });
});

describe('requests that a gateway holds', () => {
  const held = [
    { model: 'm', at: 1000, requests: 8, inputTokens: 8000, outputTokens: 800 },
    { model: 'm', at: 1001, requests: 4, inputTokens: 4000, outputTokens: 400 },
    { model: 'another', at: 1001, requests: 99, inputTokens: 99, outputTokens: 99 },
  ];

  test('are worked off in the time that a backlog may take, in their own shape where none is known', () => {
    const waiting = workload({ m: [] }, held);
    expect(demandOf(waiting, { shapes: new Map() }).demand).toEqual([
      { inputTokens: 1000, outputTokens: 100, arrivalRate: expect.closeTo((1.5 * 12) / 120, 9) },
    ]);
  });

  test('need no second interval for a first plan', () => {
    expect(demandOf(workload({ m: [] }, held), { decidedBefore: false }).waitReason).toBeNull();
  });
});

describe('nothing to plan for yet', () => {
  test('one interval is not enough for a first plan, but enough for a later one', () => {
    const once = workload({ m: steady().slice(-1) });
    expect(demandOf(once, { decidedBefore: false })).toMatchObject({
      demand: null,
      waitReason: 'only one interval has been seen; the first plan waits for two',
    });
    expect(demandOf(once).demand).not.toBeNull();
  });

  test('no request arrived', () => {
    const empty = steady().map(({ time }) => record(time, 0));
    expect(demandOf(workload({ m: empty }))).toMatchObject({ demand: null, waitReason: 'no request arrived of late' });
  });

  test('no request has told its size; what arrives is remembered all the same', () => {
    const { demand, waitReason, histories } = demandOf(workload({ m: steady() }), { shapes: new Map() });
    expect({ demand, waitReason: waitReason }).toEqual({
      demand: null,
      waitReason: 'requests arrive, but none has ended yet that told its size',
    });
    expect([...histories.keys()]).toEqual(['m']);
  });
});
