import type { Shape } from './rates-and-shapes.ts';

/**
 * Traffic that comes to an idle model at the same time of day. A forecast of rates multiplies what arrives now, so it can never
 * wake a model to which nothing comes.
 *
 * A habit is a time of day at which an idle model was woken, with what came of it on each day since. It is believed while
 * traffic came on at least two days, and on more than two thirds of the last seven of which that is known: so five working days
 * carry a weekend, one wrong waking ends a habit of two days, and three end one of seven. Days on which nobody can say whether
 * the model was idle count neither way.
 */
export interface WakingHistory {
  /** The model was idle at each look from then until then (Unix s). */
  readonly idleFrom: number;
  readonly idleAt: number;
  /** When the traffic of now began, where that was seen; null = it did not, or nobody knows. */
  readonly began: number | null;
  /** Sizes of what came when it was woken last; null = none was known. What came last before idling may have been of others. */
  readonly shape: Shape | null;
  readonly habits: readonly Habit[];
}

export interface Habit {
  /** The last of the days on which it is known what came, oldest first. */
  readonly days: readonly HabitDay[];
  /** When it is expected next (Unix s). */
  readonly next: number;
}

interface HabitDay {
  readonly at: number;
  /** What came (req/s); null = nothing. */
  readonly rate: number | null;
}

/** Traffic that is to be there in time. */
export interface ForeseenWaking {
  /** req/s, without headroom. */
  readonly rate: number;
  /** On how many of the days it came. */
  readonly came: number;
  readonly days: number;
}

const daySeconds = 86_400;
const keptDays = 7;
const leastDays = 2;
const leastShare = 2 / 3;
/** The same time of day is no further apart than this (s). */
const sameTimeSeconds = 600;
/** So long after the latest time of day at which it came it is still waited for (s). */
const patienceSeconds = 120;
/** The rate of a day is the most that was seen so long after its beginning (s): what follows is planned for as it comes. */
const beginningSeconds = 300;
/** A rate of the very beginning is of few requests (s). */
const firstMomentsSeconds = 60;
/** Looks that are further apart do not tell what was between them (s). */
const longestLookSeconds = 120;
/** A model that wakes more often in a day is hardly ever idle for long. */
const mostHabits = 24;

/** Takes in that the model is known to be idle now. Called again for the same or an earlier time it changes nothing. */
export const whileIdle = (history: WakingHistory | undefined, now: number): WakingHistory => {
  if (history === undefined) return { idleFrom: now, idleAt: now, began: null, shape: null, habits: [] };
  if (now <= history.idleAt) return history;
  const unbroken = history.began === null && now - history.idleAt <= longestLookSeconds;
  const idleFrom = unbroken ? history.idleFrom : now;
  return {
    ...history,
    idleFrom,
    idleAt: now,
    began: null,
    habits: history.habits.flatMap((habit) => habitAfterIdling(habit, idleFrom, now)),
  };
};

/** What arrives now: req/s, and of which sizes; undefined = none is known yet. */
export interface Arriving {
  readonly rate: number;
  readonly shape: Shape | undefined;
}

/** Takes in what arrives now. Of a model that was never idle there is nothing to remember. */
export const whileBusy = (
  history: WakingHistory | undefined,
  now: number,
  { rate, shape }: Arriving,
): WakingHistory | undefined => {
  if (history === undefined || !(rate > 0)) return history;
  const { idleFrom, idleAt, began } = history;
  if (began === null) {
    if (now <= idleAt || now - idleAt > longestLookSeconds) return history;
    const habitsSoFar = history.habits.flatMap((habit) => habitAfterIdling(habit, idleFrom, idleAt));
    return { ...history, began: idleAt, shape: shape ?? history.shape, habits: withBeginning(habitsSoFar, idleAt, rate) };
  }
  if (now - began > beginningSeconds) return history;
  const habits = withRate(history.habits, began, now, rate);
  return habits === history.habits ? history : { ...history, shape: shape ?? history.shape, habits };
};

/**
 * What an idle model is to be woken for.
 * @param ahead that replicas take to be Ready, and what is told of them to be followed (s)
 */
export const foreseenWaking = (history: WakingHistory | undefined, now: number, ahead: number): ForeseenWaking | null => {
  const due = (history?.habits ?? []).flatMap((habit) => {
    const [first, last] = expected(habit);
    const came = cameOf(habit);
    const believed = came.length >= leastDays && came.length > leastShare * habit.days.length;
    if (!believed || now < first - ahead || now > last + patienceSeconds) return [];
    const rate = came.reduce((sum, day) => sum + day.rate, 0) / came.length;
    return [{ rate, came: came.length, days: habit.days.length }];
  });
  return due.length === 0 ? null : due.reduce((a, b) => (b.rate > a.rate ? b : a));
};

/**
 * Nothing came, if the model was idle all the while; where that is not known the day does not count. Old habits are forgotten.
 */
const habitAfterIdling = (habit: Habit, idleFrom: number, now: number): readonly Habit[] => {
  if (now <= habit.next + sameTimeSeconds) return [habit];
  const nothing = idleFrom <= habit.next - sameTimeSeconds;
  const days = nothing ? [...habit.days, { at: habit.next, rate: null }].slice(-keptDays) : habit.days;
  const passed = Math.ceil((now - sameTimeSeconds - habit.next) / daySeconds);
  const lastCame = cameOf({ days }).at(-1)?.at ?? Number.NEGATIVE_INFINITY;
  return now - lastCame > (keptDays + 1) * daySeconds ? [] : [{ days, next: habit.next + passed * daySeconds }];
};

/**
 * A beginning is a day of the habit that is nearest, or the first of a new one; the second one of a day at that time is neither.
 */
const withBeginning = (habits: readonly Habit[], at: number, rate: number): readonly Habit[] => {
  const distance = (time: number) => Math.abs(time - at);
  const [nearest] = habits
    .filter(({ next }) => distance(next) <= sameTimeSeconds)
    .sort((a, b) => distance(a.next) - distance(b.next));
  const day = { at, rate };
  if (nearest !== undefined) {
    const more = { days: [...nearest.days, day].slice(-keptDays), next: at + daySeconds };
    return habits.map((habit) => (habit === nearest ? more : habit));
  }
  if (habits.some((habit) => distance(habit.next - daySeconds) <= sameTimeSeconds)) return habits;
  const oldestFirst = habits.toSorted((a, b) => a.next - b.next);
  return [...oldestFirst.slice(-(mostHabits - 1)), { days: [day], next: at + daySeconds }];
};

/** The most of what is seen after the first moments. */
const withRate = (habits: readonly Habit[], began: number, now: number, rate: number): readonly Habit[] => {
  const index = habits.findIndex(({ days }) => days.at(-1)?.at === began);
  const habit = habits[index];
  if (habit === undefined || (now - began > firstMomentsSeconds && rate <= (habit.days.at(-1)?.rate ?? 0))) return habits;
  return habits.with(index, { ...habit, days: habit.days.with(-1, { at: began, rate }) });
};

const cameOf = ({ days }: Pick<Habit, 'days'>): readonly (HabitDay & { readonly rate: number })[] =>
  days.filter((day): day is HabitDay & { readonly rate: number } => day.rate !== null);

/** The first and the last time at which it may come, by when it came on other days. */
const expected = (habit: Habit): readonly [number, number] => {
  const offsets = cameOf(habit).map(({ at }) => {
    const days = Math.round((habit.next - at) / daySeconds);
    return Math.max(-sameTimeSeconds, Math.min(sameTimeSeconds, at + days * daySeconds - habit.next));
  });
  return [habit.next + Math.min(0, ...offsets), habit.next + Math.max(0, ...offsets)];
};
