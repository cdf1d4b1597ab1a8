import type { Profile } from '../../src/profiles/profile-document.ts';
import { nearestGridPoint } from '../../src/profiles/throughput.ts';
import { decodeRecord } from '../../src/workload/histogram.ts';
import { type Cluster, clustersOf, type Point } from './aibrix-clusters.ts';

/** One GPU type as the optimizer sees it. */
export interface OptimizerVariant {
  readonly key: string;
  readonly profile: Profile;
}

/** One round of AIBrix's optimizer. */
export interface Round {
  /** What is published for each Deployment: hundredths of a replica. */
  readonly replicas: ReadonlyMap<string, number>;
  readonly clusters: readonly Cluster[];
  /** What was planned for (req/s); null = nothing was planned. */
  readonly rate: number | null;
}

export interface Optimizer {
  /** One round, after the record of the interval that ended at this time (s); null = there is none. */
  round(record: string | null, time: number): Round;
}

const clustererSeconds = 60;
const clusterers = 4;
const perReplica = 100;
/** A cell that a type never serves within the SLO is charged so many replicas per req/s. */
const prohibitive = 1_000_000;

/**
 * AIBrix's optimizer as it is documented: four clusterers one minute apart, of which the oldest counts; the rate is the larger
 * of the points' rate and the last interval's arrivals; clusters become cells of the grid; a program without bounds in
 * hundredths of replicas. It is written from the description of what it does, and holds no code of it. Of the program's
 * answer each slice of a cell goes where it is cheapest, which costs no more than a hundredth of each type over its optimum
 * (`test/hack/simulate/aibrix-optimizer.test.ts`, on rounds of AIBrix 0.8.0 itself).
 */
export const aibrixOptimizer = (variants: readonly OptimizerVariant[], initial: ReadonlyMap<string, number>): Optimizer => {
  let starts: number[] = [];
  let points: Point[] = [];
  // Before the first answer spec.replicas is published as it is, in whole replicas.
  let answer: ReadonlyMap<string, number> = initial;
  return {
    round: (text, time) => {
      if (starts.length === 0 || time - starts.at(-1)! >= clustererSeconds) starts.push(time);
      if (starts.length > clusterers) {
        starts = starts.slice(1);
        points = points.filter((point) => point.time >= starts[0]!);
      }
      const record = text === null ? null : decodeRecord(text, 'record');
      for (const { inputTokens, outputTokens, count } of record?.completions ?? [])
        points.push({ time, input: Math.log2(inputTokens), output: Math.log2(outputTokens), count });
      const clusters = clustersOf(points);
      const recent = record === null ? 0 : record.arrivals / record.intervalSeconds;
      const rate = clusters.length === 0 ? null : Math.max(pointRate(points), recent);
      if (rate !== null) answer = solved(variants, clusters, rate);
      else if (points.length === 0) answer = new Map(variants.map(({ key }) => [key, 0]));
      return { replicas: answer, clusters, rate };
    },
  };
};

/** The span is that between the oldest and the newest interval's ends, one interval short; of a single one it is 1 s. */
const pointRate = (points: readonly Point[]): number => {
  const total = points.reduce((sum, { count }) => sum + count, 0);
  const seconds = points.at(-1)!.time - points[0]!.time;
  return total / (seconds === 0 ? 1 : seconds);
};

const solved = (
  variants: readonly OptimizerVariant[],
  clusters: readonly Cluster[],
  rate: number,
): ReadonlyMap<string, number> => {
  const labelled = clusters.reduce((sum, { count }) => sum + count, 0);
  const loads = new Map(variants.map(({ key }) => [key, 0]));
  for (const cluster of clusters) {
    const costs = variants.map(({ key, profile }) => {
      const throughput = profile.throughput[cellOf(profile, cluster)]!;
      const load = ((rate * cluster.count) / labelled) * (throughput > 0 ? 1 / throughput : prohibitive);
      return { key, load, cost: load * profile.cost };
    });
    const cheapest = costs.reduce((best, one) => (one.cost < best.cost ? one : best));
    loads.set(cheapest.key, loads.get(cheapest.key)! + cheapest.load);
  }
  return new Map([...loads].map(([key, load]) => [key, Math.ceil(perReplica * load - 1e-6)]));
};

/** Nearest cell in log2, the midpoint up; what is beyond the grid is taken for its edge. */
const cellOf = ({ inputTokens, outputTokens }: Profile, { input, output }: Cluster): number =>
  nearestGridPoint(inputTokens, 2 ** input) * outputTokens.length + nearestGridPoint(outputTokens, 2 ** output);
