import { describe, expect, test } from 'vitest';
import type { Reading } from '../../src/planner/decide.ts';
import { emptyMemory } from '../../src/planner/remember/tick-memory.ts';
import { foundProfile } from '../helpers/deployments.ts';
import { busy, decidedBefore, reading, run, steady, targets, times, workload } from '../helpers/planner.ts';
import { record } from '../helpers/records.ts';

describe('toward a plan', () => {
  // Replicas start at once, so that a change of mix costs nothing.
  const careful = { holdDownSeconds: 120, switchSavings: 0.05, startupSeconds: 0 };
  /** 3 req/s up to 2000, then `rate`. */
  const changed = (now: number, requests: number) => {
    const after = times(2010, now).map((time) => record(time, requests, { '100:60': requests }));
    return reading(now + 2, workload(now + 2, { m: [...busy(1410, 2000), ...after] }));
  };
  const from = (first: Reading) => {
    let memory = emptyMemory;
    const tick = (given: Reading) => {
      const decided = run(given, memory, careful);
      memory = decided.memory;
      return targets(decided);
    };
    tick(first);
    return tick;
  };

  test('before plans reach back for the hold-down time nothing that runs is given up', () => {
    const tick = from(reading(2002, workload(2002, { m: busy(1410, 2000) })));
    expect(tick(changed(2010, 30))).toEqual({ 'ns/h100': 1, 'ns/l40s': 2 });
    expect(tick(changed(2110, 30))).toEqual({ 'ns/h100': 1, 'ns/l40s': 2 });
    expect(tick(changed(2120, 30))).toEqual({ 'ns/h100': 0, 'ns/l40s': 2 });
  });

  test('growth is at once, and what it was for stays for the hold-down time', () => {
    const tick = from(reading(2002, workload(2002, { m: busy(1410, 2000) })));
    for (let now = 2010; now <= 2200; now += 10) tick(changed(now, 30));
    const grown = tick(changed(2270, 60));
    expect(grown).toEqual({ 'ns/h100': 0, 'ns/l40s': 3 });
    expect(tick(changed(2340, 30))).toEqual(grown);
  });

  test('another mix waits until it is Ready', () => {
    const memory = decidedBefore(
      new Map([['ns/h100', { replicas: 1, asOf: 2000 }]]),
      new Map([
        ['ns/h100', [{ at: 0, replicas: 0 }]],
        ['ns/l40s', [{ at: 0, replicas: 0 }]],
      ]),
    );
    const at = (ready: number) =>
      targets(
        run(
          reading(2002, workload(2002, { m: busy(1410, 2000) }), {
            ready: new Map([
              ['ns/h100', 1],
              ['ns/l40s', ready],
            ]),
          }),
          memory,
          careful,
        ),
      );
    expect(at(0)).toEqual({ 'ns/h100': 1, 'ns/l40s': 2 });
    expect(at(1)).toEqual({ 'ns/h100': 1, 'ns/l40s': 2 });
    expect(at(2)).toEqual({ 'ns/h100': 0, 'ns/l40s': 2 });
  });

  test('another mix that saves too little is not begun', () => {
    const wanted = new Map(['ns/h100', 'ns/l40s'].map((key) => [key, [{ at: 0, replicas: 0 }]] as const));
    const decisions = new Map([
      ['ns/h100', { replicas: 1, asOf: 2000 }],
      ['ns/l40s', { replicas: 0, asOf: 2000 }],
    ]);
    const given = reading(2002, workload(2002, { m: busy(1410, 2000) }));
    const mix = (switchSavings: number) => targets(run(given, decidedBefore(decisions, wanted), { ...careful, switchSavings }));
    // 2 L40S at 1 in place of one H100 at 4 save half.
    expect(mix(0.4)).toEqual({ 'ns/h100': 0, 'ns/l40s': 2 });
    expect(mix(0.6)).toEqual({ 'ns/h100': 1, 'ns/l40s': 0 });
  });

  test('idle goes to the label at once', () => {
    const tick = from(reading(2002, workload(2002, { m: busy(1410, 2000) })));
    for (let now = 2010; now <= 2200; now += 10) tick(changed(now, 30));
    const empty = times(2210, 2500).map((time) => record(time, 0, {}));
    const idle = workload(2502, { m: [...busy(1410, 2200), ...empty] }, { heartbeatAt: 2500 });
    expect(tick(reading(2502, idle))).toEqual({ 'ns/h100': 1, 'ns/l40s': 0 });
  });
});

describe('demand ahead', () => {
  test('a steady growth is planned for as it will be when replicas have started, and that is said', () => {
    let memory = emptyMemory;
    let last = steady;
    for (let now = 2002; now <= 2002 + 4000; now += 10) {
      const intervals = times(now - 602, now - 2).map((time) => {
        const arrivals = Math.max(1, Math.round((time - 2000) / 10));
        return record(time, arrivals, { '100:60': arrivals });
      });
      last = run(reading(now, workload(now, { m: intervals })), memory);
      memory = last.memory;
    }
    // 40 arrivals in 10 s by now, in 600 s 46.
    expect(last.models[0]).toMatchObject({ state: 'fresh', forecast: { method: 'trend' } });
    expect(last.models[0]?.arrivalRate).toBeGreaterThan(42);
    expect(last.models[0]?.arrivalRate).toBeLessThan(48);
  });

  test('requests that wait beyond what is normal are worked off', () => {
    const timed = (gpu: string, throughput: number) => {
      const found = foundProfile(gpu, throughput);
      return { ...found, profile: { ...found.profile, e2eSeconds: [2] } };
    };
    const profiles = new Map([['ns/l40s', timed('l40s', 2)]]);
    const waiting = (pending: number) =>
      workload(2002, {
        m: [...busy(1410, 1990), record(2000, 30, { '100:60': 30, meta_pending_reqs: pending })],
      });
    // 3 req/s of 2 s each: 6 in flight are normal, and 3 √6 more.
    const rate = (pending: number) => run(reading(2002, waiting(pending), { profiles })).models[0]?.arrivalRate;
    expect(rate(13)).toBeCloseTo(3, 9);
    expect(rate(133)).toBeCloseTo(4, 1);
    const untimed = run(reading(2002, waiting(1000)));
    expect(untimed.models[0]?.arrivalRate).toBeCloseTo(3, 9);
  });
});
