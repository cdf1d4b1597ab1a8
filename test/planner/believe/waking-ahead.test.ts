import { describe, expect, test } from 'vitest';
import { foreseenWaking, type WakingHistory, whileBusy, whileIdle } from '../../../src/planner/believe/waking-ahead.ts';

const [minute, hour, day] = [60, 3600, 86_400];
const midnight = 20_000 * day;
const ahead = 180;
const shape = [{ inputTokens: 1024, outputTokens: 64, share: 1 }];

/** req/s at a time of a day, which begins at 0; null = nobody knows whether anything came. */
type Traffic = (time: number, day: number) => number | null;

/** Looks once a minute. @returns the history, and by day how many minutes it was woken for, while nothing came, and for what */
const played = (days: number, traffic: Traffic, before?: WakingHistory, firstDay = 0) => {
  let history = before;
  const woken: { readonly minutes: number; readonly from: number; readonly rate: number }[] = [];
  for (let index = firstDay; index < firstDay + days; index += 1) {
    const rates: { readonly time: number; readonly rate: number }[] = [];
    for (let time = 0; time < day; time += minute) {
      const [now, rate] = [midnight + index * day + time, traffic(time, index)];
      if (rate === 0) history = whileIdle(history, now);
      else if (rate !== null) history = whileBusy(history, now, { rate, shape });
      const waking = rate === 0 ? foreseenWaking(history, now, ahead) : null;
      if (waking !== null) rates.push({ time, rate: waking.rate });
    }
    woken.push({ minutes: rates.length, from: rates[0]?.time ?? Number.NaN, rate: rates[0]?.rate ?? 0 });
  }
  return { history, woken, wokenOn: woken.flatMap(({ minutes }, index) => (minutes > 0 ? [firstDay + index] : [])) };
};
/** Half an hour of it at nine, on some days. */
const atNine =
  (comes: (day: number) => boolean, rate = 5, shift: (day: number) => number = () => 0): Traffic =>
  (time, index) =>
    comes(index) && time >= 9 * hour + shift(index) && time < 9.5 * hour + shift(index) ? rate : 0;

describe('an idle model is woken ahead', () => {
  test('of traffic that came at the same time on two days, from a startup before it until it comes', () => {
    const { woken, wokenOn } = played(
      4,
      atNine(() => true),
    );
    expect(wokenOn).toEqual([2, 3]);
    // The last look at which it was idle was a minute before nine.
    expect(woken[2]).toEqual({ minutes: 4, from: 9 * hour - minute - ahead, rate: 5 });
  });

  test('for what those days had in the mean, each of them the most of its first five minutes', () => {
    const growing: Traffic = (time, index) =>
      index < 3 && time >= 9 * hour && time < 10 * hour ? (index + 1) * Math.min(10, 1 + (time - 9 * hour) / minute) : 0;
    const { history } = played(2, growing);
    // After five minutes, as it was idle until one minute before: 5 of them, and twice as many.
    expect(foreseenWaking(history, midnight + 2 * day + 9 * hour - 2 * minute, ahead)).toEqual({ rate: 7.5, came: 2, days: 2 });
  });

  test('from the earliest to a little after the latest of the times at which it came', () => {
    const { woken } = played(
      4,
      atNine(
        (index) => index < 3,
        5,
        (index) => [0, 5 * minute, 2 * minute][index] ?? 0,
      ),
    );
    // On the fourth day nothing comes: from 8:59 less the startup to 9:04 and two minutes.
    expect(woken[3]!.from).toBe(9 * hour - minute - ahead);
    expect(woken[3]!.minutes).toBe((ahead + 5 * minute + 2 * minute) / minute + 1);
  });

  test('on working days, from the third of them on and over the weekends, of which the days are in vain', () => {
    const { wokenOn } = played(
      14,
      atNine((index) => index % 7 < 5),
    );
    expect(wokenOn).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
  });
});

describe('it is not woken', () => {
  test('on the word of one day, nor for what comes every other day', () => {
    expect(
      played(
        2,
        atNine(() => true),
      ).wokenOn,
    ).toEqual([]);
    expect(
      played(
        12,
        atNine((index) => index % 2 === 0),
      ).wokenOn,
    ).toEqual([]);
  });

  test('for times of day that no two days share', () => {
    const anywhere = (index: number) => ((index * 7919) % 13) * hour - 6 * hour;
    expect(
      played(
        6,
        atNine(() => true, 5, anywhere),
      ).wokenOn,
    ).toEqual([]);
  });

  test('any more once that was wrong: after one day in vain of a habit of two, and after three of one of seven', () => {
    expect(
      played(
        6,
        atNine((index) => index < 2),
      ).wokenOn,
    ).toEqual([2]);
    expect(
      played(
        14,
        atNine((index) => index < 7),
      ).wokenOn,
    ).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test('for an hour that traffic has left with the clocks, but for three days, and for the new one after two', () => {
    const shifted = atNine(
      () => true,
      5,
      (index) => (index < 7 ? 0 : -hour),
    );
    const { woken } = played(14, shifted);
    const [old, fresh] = [9 * hour - minute - ahead, 8 * hour - minute - ahead];
    expect(woken.map(({ from }) => from)).toEqual([
      NaN,
      NaN,
      old,
      old,
      old,
      old,
      old,
      old,
      old,
      fresh,
      fresh,
      fresh,
      fresh,
      fresh,
    ]);
    // On the third day of the new hour still at both.
    expect(woken.map(({ minutes }) => minutes).slice(8)).toEqual([6, 10, 4, 4, 4, 4]);
  });
});

describe('what is remembered', () => {
  test('is nothing of a model that was never idle', () => {
    expect(played(3, () => 5).history).toBeUndefined();
    expect(whileBusy(undefined, midnight, { rate: 5, shape })).toBeUndefined();
  });

  test('is no day of which nobody knows what came, and no beginning that nobody saw', () => {
    const unknown: Traffic = (time, index) =>
      index === 2 && time > 8 * hour && time < 11 * hour ? null : atNine(() => index < 2)(time, index);
    // Had it been known that nothing came on the third, it would not be woken on the fourth.
    expect(played(4, unknown).wokenOn).toEqual([3]);
    const unseen: Traffic = (time) => (time >= 8 * hour && time < 9 * hour ? null : time >= 9 * hour && time < 10 * hour ? 5 : 0);
    expect(played(4, unseen).history?.habits).toEqual([]);
  });

  test('is the shape of the beginning, not that of the last requests before it was idle', () => {
    const last = [{ inputTokens: 8, outputTokens: 4096, share: 1 }];
    const idle = whileIdle(undefined, midnight);
    const began = whileBusy(idle, midnight + 10, { rate: 5, shape })!;
    expect(whileBusy(began, midnight + 1800, { rate: 5, shape: last })?.shape).toBe(shape);
  });

  test('is at most 24 times of day of seven days each, and of none longer than eight days', () => {
    const often: Traffic = (time) => (time % (20 * minute) < 5 * minute ? 3 : 0);
    const { history } = played(10, often);
    expect(history!.habits.length).toBe(24);
    expect(Math.max(...history!.habits.map(({ days }) => days.length))).toBeLessThanOrEqual(7);
    expect(played(9, () => 0, history, 10).history!.habits).toEqual([]);
  });

  test('does not change when it is told the same, or of an earlier time', () => {
    const { history } = played(
      3,
      atNine(() => true),
    );
    expect(whileIdle(history, history!.idleAt)).toBe(history);
    expect(whileIdle(history, history!.idleAt - hour)).toBe(history);
    expect(whileBusy(history, history!.idleAt - hour, { rate: 5, shape })).toBe(history);
  });
});
