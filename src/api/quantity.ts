const suffixes = ['', 'k', 'M', 'G', 'T', 'P', 'E'];

/**
 * A whole number as Kubernetes writes a quantity: the largest power of 1000 that divides it becomes a suffix.
 * @example quantity(12000) // => '12k'
 * @example quantity(1500) // => '1500'
 */
export const quantity = (value: number): string => {
  let [rest, power] = [value, 0];
  while (rest !== 0 && rest % 1000 === 0 && power < suffixes.length - 1) {
    rest /= 1000;
    power += 1;
  }
  return `${rest}${suffixes[power]}`;
};

/**
 * RFC 3339 in UTC with whole seconds, as the metrics types carry it.
 * @example timestamp(1790769605.9) // => '2026-09-30T12:00:05Z'
 */
export const timestamp = (unixSeconds: number): string => {
  const whole = Math.floor(unixSeconds);
  if (whole !== last.seconds) last = { seconds: whole, text: `${new Date(whole * 1000).toISOString().slice(0, 19)}Z` };
  return last.text;
};
/** Targets of one plan share their time. */
let last = { seconds: Number.NaN, text: '' };
