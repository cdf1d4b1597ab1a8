import { schedule } from 'node-cron';

/** Beats that fail to come for so long (ms) will not come. */
const patience = 3000;

/**
 * Calls back at every second of the wall clock, until what it returns is called. A clock that steps back leaves a schedule
 * waiting for a time that has been; a timer that no clock moves notices and schedules anew.
 */
export const everySecond = (beat: () => void): (() => void) => {
  let last = performance.now();
  const begin = () =>
    schedule(
      '* * * * * *',
      () => {
        last = performance.now();
        beat();
      },
      // A clock that steps ahead misses every second of the step.
      { suppressMissedWarning: true },
    );
  let task = begin();
  const watch = setInterval(() => {
    if (performance.now() - last < patience) return;
    void task.destroy();
    last = performance.now();
    task = begin();
  }, 1000);
  return () => {
    clearInterval(watch);
    void task.destroy();
  };
};
