/** A daily window of a PodAutoscaler in which other bounds hold. Newer releases of AIBrix than v0.7.0 have them. */
export interface Schedule {
  /** Names of days in English, whole or their first three letters; absent = every day. */
  readonly daysOfWeek?: readonly string[];
  /** `HH:MM`, the end not included; an end at or before the start is on the next day. */
  readonly startTime: string;
  readonly endTime: string;
  /** IANA name; absent = UTC. */
  readonly timezone?: string;
  readonly minReplicas?: number;
  readonly maxReplicas?: number;
}

/**
 * The first window that a time lies in; null = none. One whose time zone nobody knows is left out.
 * @param now Unix s
 */
export const scheduleAt = (schedules: readonly Schedule[], now: number): Schedule | null =>
  schedules.find((schedule) => isWithin(schedule, now)) ?? null;

const isWithin = ({ daysOfWeek, startTime, endTime, timezone = 'UTC' }: Schedule, now: number): boolean => {
  const local = localTime(now, timezone);
  if (local === null) return false;
  const [start, end] = [minutesOf(startTime), minutesOf(endTime)];
  const allowed = (day: number): boolean =>
    daysOfWeek === undefined || daysOfWeek.some((name) => days.indexOf(name.slice(0, 3).toLowerCase()) === day);
  const yesterday = (local.day + 6) % 7;
  if (start < end) return allowed(local.day) && local.minutes >= start && local.minutes < end;
  return (allowed(local.day) && local.minutes >= start) || (allowed(yesterday) && local.minutes < end);
};

const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

const minutesOf = (time: string): number => {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return 60 * hours + minutes;
};

/** Day of the week (0 = Sunday) and minutes since midnight; null where the zone is unknown. */
const localTime = (now: number, timeZone: string): { readonly day: number; readonly minutes: number } | null => {
  const format = formatIn(timeZone);
  if (format === null) return null;
  const parts = Object.fromEntries(format.formatToParts(now * 1000).map(({ type, value }) => [type, value]));
  return {
    day: days.indexOf((parts['weekday'] ?? '').toLowerCase()),
    minutes: 60 * Number(parts['hour']) + Number(parts['minute']),
  };
};

/** Making one is slow, and there are few zones. */
const formats = new Map<string, Intl.DateTimeFormat | null>();

const formatIn = (timeZone: string): Intl.DateTimeFormat | null => {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  let made: Intl.DateTimeFormat | null = null;
  try {
    const parts = { weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
    made = new Intl.DateTimeFormat('en-US', { ...parts, timeZone });
  } catch {
    // A RangeError: there is no such zone.
  }
  formats.set(timeZone, made);
  return made;
};
