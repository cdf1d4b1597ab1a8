import type { Point } from './measured.ts';
import type { Setup } from './parts.ts';
import { type Efficiency, rateOfConcurrency } from './roofline.ts';

/** Points that were measured on one kind of replica. */
export interface Sample {
  readonly setup: Setup;
  readonly points: readonly Point[];
}

/** The roofline's rate over the measured one, at the concurrency that was measured. */
export const ratioAt = (setup: Setup, efficiency: Efficiency, { input, output, concurrency, rate }: Point): number =>
  rateOfConcurrency(setup, efficiency, input, output, concurrency) / rate;

/** Steps of a search that narrows down, and how many of them to either side; overheads that are tried (s). */
const search = [
  [0.08, 5],
  [0.04, 2],
  [0.02, 2],
  [0.01, 2],
] as const;
const overheads = [0, 0.0005, 0.001, 0.0015, 0.002, 0.003, 0.004];

/** The efficiencies, to 1 %, and the overhead with the least mean error in logarithms over some points. */
export const calibrated = (samples: readonly Sample[]): Efficiency =>
  overheads.map((overhead) => calibratedWith(samples, overhead)).reduce((best, one) => (one.error < best.error ? one : best))
    .efficiency;

const calibratedWith = (samples: readonly Sample[], overhead: number) => {
  const errorOf = (efficiency: Efficiency): number =>
    samples
      .flatMap(({ setup, points }) => points.map((point) => Math.abs(Math.log(ratioAt(setup, efficiency, point)))))
      .reduce((sum, one) => sum + one, 0);
  let efficiency: Efficiency = { flops: 0.6, bandwidth: 0.7, overhead };
  let error = errorOf(efficiency);
  for (const [step, reach] of search) {
    const { flops, bandwidth } = efficiency;
    for (let f = -reach; f <= reach; f += 1)
      for (let b = -reach; b <= reach; b += 1) {
        const tried = { flops: toPercent(flops + f * step), bandwidth: toPercent(bandwidth + b * step), overhead };
        if (Math.min(tried.flops, tried.bandwidth) < 0.1 || Math.max(tried.flops, tried.bandwidth) > 1) continue;
        const found = errorOf(tried);
        if (found < error) [error, efficiency] = [found, tried];
      }
  }
  return { efficiency, error };
};

const toPercent = (value: number): number => Number(value.toFixed(2));

/** Value below which a share of some numbers lies, the nearest of them. */
export const quantile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(share * values.length))] ?? Number.NaN;
