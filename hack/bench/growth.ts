import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { solve } from '../../src/solver/solve.ts';
import { benchProgress } from './bench-progress.ts';
import { type FleetInstance, fleetInstance, instance } from './instances.ts';
import { alone, fleetOf, quantile, significant, timed } from './timing.ts';

/** One line of the plot: how the median and the worst time grow with one size, the others held. */
interface Series {
  readonly title: string;
  readonly points: readonly { readonly size: number; readonly medianMs: number; readonly worstMs: number }[];
}

const count = 10;

const series = (
  title: string,
  sizes: readonly number[],
  make: (size: number, seed: number) => FleetInstance,
  tell: (share: number) => void,
): Series => ({
  title,
  points: sizes.map((size, index) => {
    tell(index / sizes.length);
    const fleets = Array.from({ length: count }, (_, i) => fleetOf(make(size, 7_000_000 + 100 * size + i)));
    const times = timed(fleets, (fleet) => solve(fleet), 2, 3);
    return { size, medianMs: significant(quantile(times, 0.5)), worstMs: significant(Math.max(...times)) };
  }),
});

/** `npm run bench -- growth [--json]`: growth.svg beside this script, the figures on standard output. */
export const growth = async (argv: readonly string[]): Promise<number> => {
  const progress = benchProgress('growth');
  const part = (done: number) => (share: number) => progress.tell((done + share) / 3);
  const all = [
    series(
      'classes (4 types)',
      [10, 30, 100, 300, 1000, 2000],
      (classes, seed) => alone(instance(seed, { types: 4, classes })),
      part(0),
    ),
    series('types (40 classes)', [1, 2, 3, 4, 6, 8, 12], (types, seed) => alone(instance(seed, { types, classes: 40 })), part(1)),
    series(
      'models (4 types, 30 classes, common stock)',
      [1, 3, 10, 30, 100, 200],
      (models, seed) => fleetInstance(seed, { types: 4, classes: 30, models }),
      part(2),
    ),
  ];
  progress.end();
  writeFileSync(join(import.meta.dirname, 'growth.svg'), svg(all));
  if (argv.includes('--json')) process.stdout.write(`${JSON.stringify({ growth: all })}\n`);
  else
    for (const { title, points } of all)
      process.stdout.write(
        `${title}: ${points.map(({ size, medianMs, worstMs }) => `${size} -> ${medianMs} ms (worst ${worstMs})`).join(', ')}\n`,
      );
  return 0;
};

const [width, height, margin] = [300, 220, 44];

/** Panels side by side, both axes logarithmic: median as a line, worst as dots. */
const svg = (all: readonly Series[]): string =>
  [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${all.length * width} ${height}" font-family="sans-serif" font-size="10">`,
    `<rect width="100%" height="100%" fill="white"/>`,
    ...all.map((each, i) => `<g transform="translate(${i * width} 0)">${panel(each)}</g>`),
    '</svg>\n',
  ].join('\n');

const panel = ({ title, points }: Series): string => {
  const [left, right] = [Math.log(points[0]!.size), Math.log(points.at(-1)!.size)];
  const [low, high] = [Math.log(1e-3), Math.log(3e3)];
  const x = (size: number) => margin + ((Math.log(size) - left) / (right - left)) * (width - margin - 16);
  const y = (ms: number) => height - margin - ((Math.log(ms) - low) / (high - low)) * (height - margin - 30);
  const at = (horizontal: number, vertical: number) => `${horizontal.toFixed(1)} ${vertical.toFixed(1)}`;
  return [
    `<text x="${width / 2}" y="16" text-anchor="middle" font-size="12">${title}</text>`,
    ...[0.001, 0.01, 0.1, 1, 10, 100, 1000].map(
      (ms) =>
        `<path d="M${at(margin, y(ms))}H${width - 16}" stroke="#ddd"/><text x="${margin - 4}" y="${(y(ms) + 3).toFixed(1)}" text-anchor="end">${ms} ms</text>`,
    ),
    ...points.map(
      ({ size }) => `<text x="${x(size).toFixed(1)}" y="${height - margin + 14}" text-anchor="middle">${size}</text>`,
    ),
    `<path d="M${points.map(({ size, medianMs }) => at(x(size), y(medianMs))).join('L')}" fill="none" stroke="#06c" stroke-width="2"/>`,
    ...points.map(({ size, worstMs }) => `<circle cx="${x(size).toFixed(1)}" cy="${y(worstMs).toFixed(1)}" r="3" fill="#c60"/>`),
    `<text x="${margin}" y="${height - 8}" fill="#06c">median</text><text x="${margin + 50}" y="${height - 8}" fill="#c60">worst of ${count}</text>`,
  ].join('');
};
