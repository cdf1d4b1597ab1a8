import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { atIntervalEnds, intervalEnds } from '../../src/gateway/interval-ends.ts';
import { storeClock } from '../../src/gateway/store-clock.ts';
import type { EndedInterval } from '../../src/workload/request-counts.ts';

/** Both clocks, second by second from 1000 on; what has ended, as `time: key seconds/round, ...`. */
const world = () => {
  const at = { now: 1000, steady: 50, late: 0 };
  const intervals = intervalEnds(10, at.now, at.steady);
  const told: string[] = [];
  const look = (): void => {
    const ended = intervals.look(at.now, at.steady, at.late);
    at.late = 0;
    if (ended === null) return;
    const spans = ended.spans.map(({ time, seconds, round }) => `${time} ${seconds}/${round}`);
    told.push(`${ended.time}${ended.paused ? ' paused' : ''}: ${spans.join(', ')}`);
  };
  return {
    at,
    told,
    run: (seconds: number): void => {
      for (let passed = 0; passed < seconds; passed += 1) {
        at.now += 1;
        at.steady += 1;
        look();
      }
    },
    pause: (seconds: number): void => {
      at.now += seconds;
      at.steady += seconds;
      at.late = seconds - 1;
      look();
    },
    step: (seconds: number): void => {
      at.now += seconds;
    },
  };
};

describe('which keys counts belong to', () => {
  test('each interval is its own key', () => {
    const { run, told } = world();
    run(25);
    expect(told).toEqual(['1010: 1010 10/1', '1020: 1020 10/1']);
  });

  test('a drift of the clock is left to itself', () => {
    const { run, step, told } = world();
    for (let time = 0; time < 5; time += 1) {
      run(8);
      step(time % 2 === 0 ? 1.5 : -1.5);
      run(2);
    }
    expect(told).toHaveLength(5);
    expect(told.every((one) => /^(\d+): \1 10\/1$/.test(one))).toBe(true);
  });

  test('after a pause all keys that were passed, once what has waited meanwhile is counted too', () => {
    const { run, pause, told } = world();
    run(13);
    pause(30);
    expect(told).toEqual(['1010: 1010 10/1']);
    run(10);
    expect(told.slice(1)).toEqual(['1050 paused: 1020 10/1, 1030 10/1, 1040 10/1, 1050 10/1']);
    run(10);
    expect(told.at(-1)).toBe('1060: 1060 10/1');
  });

  test('a process that is always late ends its intervals all the same', () => {
    const { pause, told } = world();
    for (let time = 0; time < 40; time += 1) pause(3);
    const keys = told.flatMap((one) => one.split(': ')[1]!.split(', '));
    expect(keys.every((key, index) => key.startsWith(`${1010 + 10 * index} `))).toBe(true);
    expect(keys.length).toBeGreaterThan(9);
  });

  test('a step ahead leaves the counts where the time really was, and names what it leapt over', () => {
    const { run, step, told } = world();
    run(14);
    step(30);
    run(6);
    expect(told.slice(1)).toEqual([]);
    run(10);
    expect(told.slice(1)).toEqual(['1060 paused: 1020 0/1, 1030 0/1, 1040 0/1, 1050 10/1, 1060 10/1']);
    // A clock that was decades behind leaps over no more keys than are of use.
    step(1e9);
    run(10);
    expect(told.at(-1)!.split(',')).toHaveLength(60);
  });

  test('a step back writes again at once, in a new round; what is lived again in part stays as it was', () => {
    const { run, step, told } = world();
    run(74);
    const before = told.length;
    step(-60);
    run(6);
    expect(told.slice(before)).toEqual(['1020: 1020 10/2']);
    run(10);
    step(-5);
    run(5);
    expect(told.slice(before + 1)).toEqual(['1030: 1030 10/2', '1030: 1030 5/1']);
    run(10);
    expect(told.at(-1)).toBe('1040: 1040 10/3');
  });

  test('whatever the clocks do, time that really passed is counted once', () => {
    const events = fc.array(
      fc.oneof(
        fc.record({ run: fc.integer({ min: 1, max: 40 }) }),
        fc.record({ pause: fc.integer({ min: 3, max: 200 }) }),
        fc.record({ step: fc.integer({ min: -700, max: 700 }) }),
      ),
      { maxLength: 20 },
    );
    fc.assert(
      fc.property(events, (happened) => {
        const { at, run, pause, step, told } = world();
        for (const one of happened) {
          if ('run' in one) run(one.run);
          else if ('pause' in one) pause(one.pause);
          else step(one.step);
        }
        run(40);
        const seconds = told
          .flatMap((one) => one.split(': ')[1]!.split(', '))
          .reduce((sum, span) => sum + Number(span.split(' ')[1]!.split('/')[0]), 0);
        // A step of less than two seconds is a drift, which nobody makes up for.
        const drifts = happened.filter((one) => 'step' in one && Math.abs(one.step) < 2).length;
        expect(Math.abs(at.steady - 50 - seconds)).toBeLessThanOrEqual(20 + 2 * drifts);
      }),
    );
  });
});

describe('in time', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => void vi.useRealTimers());

  const started = (ahead: { seconds: number }) => {
    const steady = () => performance.now() / 1000;
    const ended: EndedInterval[] = [];
    const clock = storeClock(
      async () => 5000 + steady() + ahead.seconds,
      steady,
      () => 4000,
    );
    return { clock, ended, begin: () => atIntervalEnds(10, clock, (one) => ended.push(one)) };
  };

  test('each interval ends at once, also on a clock that has stepped back; the last one when it is told', async () => {
    vi.useFakeTimers({ now: 0 });
    const ahead = { seconds: 3 };
    const { clock, ended, begin } = started(ahead);
    await clock.read();
    const stop = begin();
    await vi.advanceTimersByTimeAsync(18_000);
    expect(ended.map(({ time }) => time)).toEqual([5010, 5020]);
    ahead.seconds = -57;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(ended.map(({ time }) => time)).toEqual([5010, 5020, 4970]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(ended.at(-1)).toMatchObject({ time: 4980, paused: false });
    expect(stop()).toMatchObject({ time: 4990 });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(ended).toHaveLength(4);
  });
});

describe('the clock of the store', () => {
  const parts = () => {
    const state = { steady: 100, told: 5000, takes: 0, away: false };
    const clock = storeClock(
      async () => {
        state.steady += state.takes;
        if (state.away) throw new Error('ECONNREFUSED');
        return state.told;
      },
      () => state.steady,
      () => 4000,
    );
    return { state, clock };
  };

  test('is this host’s until it was read, and goes on by the steady one while it cannot be', async () => {
    const { state, clock } = parts();
    expect(clock.now()).toBe(4000);
    await clock.read();
    expect(clock.now()).toBe(5000);
    state.away = true;
    state.steady += 7;
    await clock.read();
    expect(clock.now()).toBe(5007);
  });

  test('a slow answer tells nothing, once the time is known', async () => {
    const { state, clock } = parts();
    state.takes = 4;
    await clock.read();
    expect(clock.now()).toBe(5002);
    await clock.read();
    expect(clock.now()).toBe(5006);
    state.takes = 0.2;
    await clock.read();
    expect(clock.now()).toBeCloseTo(5000.1);
  });

  test('an answer that does not come is not waited for', async () => {
    const clock = storeClock(
      () => new Promise(() => {}),
      () => 1,
      () => 4000,
    );
    await clock.read();
    await clock.read();
    expect(clock.now()).toBe(4000);
  });
});
