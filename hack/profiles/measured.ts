import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One measured point: so many requests of one size always in flight. Times in seconds. */
export interface Point {
  /** `system backend precision tp`, of one kind of replica. */
  readonly group: string;
  readonly model: string;
  readonly input: number;
  readonly output: number;
  readonly concurrency: number;
  readonly ttft: number;
  readonly tpot: number;
  /** Requests per second, by Little's law. */
  readonly rate: number;
}

/** measured.csv: ai-dynamo/aiconfigurator, silicon_sample.csv (columns renamed, rows filtered), Apache-2.0. */
export const measuredPoints = (): readonly Point[] =>
  readFileSync(join(import.meta.dirname, 'measured.csv'), 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => {
      const [model = '', system = '', backend = '', , precision = '', tp = '', ...numbers] = line.split(',');
      const [input = 0, output = 0, concurrency = 0, ttftMs = 0, tpotMs = 0] = numbers.map(Number);
      const [ttft, tpot] = [ttftMs / 1000, tpotMs / 1000];
      return {
        group: [system, backend, precision === '' ? '16-bit' : precision, `tp${tp}`].join(' '),
        model: /70B/.test(model) ? 'llama-3.1-70b' : 'llama-3.1-8b',
        input,
        output,
        concurrency,
        ttft,
        tpot,
        rate: concurrency / (ttft + (output - 1) * tpot),
      };
    });

/** Points of one model and kind of replica. */
export const pointsOf = (model: string, group: string): readonly Point[] =>
  measuredPoints().filter((point) => point.model === model && point.group === group);

/** Points by size, `input output`. */
export const bySize = (points: readonly Point[]): ReadonlyMap<string, readonly Point[]> =>
  Map.groupBy(points, ({ input, output }) => `${input} ${output}`);

/** Of points of one size, the one with the highest rate whose means are within limits; null = none is. */
export const bestWithin = (
  points: readonly Point[],
  { ttft, tpot }: { readonly ttft: number; readonly tpot: number },
): Point | null =>
  points
    .filter((point) => point.ttft <= ttft && point.tpot <= tpot)
    .reduce<Point | null>((best, point) => (best === null || point.rate > best.rate ? point : best), null);
