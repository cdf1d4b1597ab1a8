/**
 * Calls at the end of each interval, by a clock that others share: at multiples of the interval. A step of the clock back
 * ends nothing twice; after one ahead, or a pause of this process, one interval is longer.
 * @param clock Unix s
 * @returns stops it
 */
export const atIntervalEnds = (
  intervalSeconds: number,
  clock: () => number,
  end: (time: number) => void,
): (() => void) => {
  const endBefore = (time: number): number => Math.floor(time / intervalSeconds) * intervalSeconds;
  let last = endBefore(clock());
  let timer: NodeJS.Timeout;
  const wait = (): void => {
    const milliseconds = (endBefore(clock()) + intervalSeconds - clock()) * 1000;
    timer = setTimeout(turn, Math.max(1, milliseconds));
  };
  const turn = (): void => {
    const time = endBefore(clock());
    if (time > last) {
      last = time;
      end(time);
    }
    wait();
  };
  wait();
  return () => clearTimeout(timer);
};
