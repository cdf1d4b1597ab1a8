import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { profileOfResults } from '../../src/benchmark/profile-of.ts';
import { parseResults } from '../../src/benchmark/results.ts';
import { listPricesDate, priceList } from '../../src/cluster/list-prices.ts';
import type { Slo } from '../../src/profiles/profile-document.ts';
import { barsOf } from './bars.ts';
import { calibrated, ratioAt } from './calibrate.ts';
import { bestWithin, bySize, type Point } from './measured.ts';
import type { GpuName } from './parts.ts';
import { type Origin, type Replica, relativesOf, sampleOf, setupOf, slos } from './replicas.ts';
import { loadAt, rooflineThroughput } from './roofline.ts';

/** Means are compared with this share of a limit, so that the percentile has the rest. */
const meanShare = 0.75;
/** 25 November 2025. */
const created = 1764028800;
const usualTicks = {
  inputs: [64, 256, 512, 1024, 2048, 4096, 8192, 16384],
  outputs: [16, 32, 64, 128, 256, 512, 1024, 2048],
};

const round = (value: number): number => Number(value.toPrecision(4));

/** A profile's file and what its README says of it. */
export interface Shipped {
  /** Below profiles/. */
  readonly path: string;
  readonly replica: Replica;
  readonly sizes: number;
  readonly measuredSizes: number;
  readonly bars: ReturnType<typeof barsOf>;
  readonly document: Readonly<Record<string, unknown>>;
}

export const shipped = (replica: Replica): Shipped => {
  const { llm, gpu } = replica;
  const about = { path: `${llm}/${gpu.toLowerCase()}.json`, replica, bars: barsOf(replica) };
  const { origin } = replica;
  const made = origin.kind === 'simulated' ? simulated(replica, origin) : computed(replica);
  const price = priceOf(replica);
  const document = {
    gpuType: gpu,
    gpusPerReplica: replica.gpusPerReplica,
    cost: price.cost,
    ...made.grid,
    slos: slos[llm],
    created,
    provenance: {
      kind: origin.kind,
      ...provenanceOf(origin),
      bits: replica.bits,
      ...made.how,
      errorBars: roundedBars(about.bars),
    },
    price: price.source,
  };
  return { ...about, sizes: made.sizes, measuredSizes: made.measuredSizes, document };
};

const roundedBars = ({ measured, other }: ReturnType<typeof barsOf>) => {
  const text = (bar: readonly [number, number] | null) => (bar === null ? 'unknown' : bar.map((end) => Number(end.toFixed(2))));
  return {
    meaning: 'true throughput over that in tputs, nine times of ten',
    ...(measured === null ? {} : { measuredSizes: text(measured) }),
    otherSizes: text(other),
  };
};

/** Types without a list price are charged as another, so that they can be planned at all. */
const standIns: Readonly<Partial<Record<GpuName, { readonly gpu: GpuName; readonly share: number; readonly why: string }>>> = {
  L20: { gpu: 'L40S', share: 1, why: 'no western list price of an L20: that of an L40S stands in; set your own' },
  A40: {
    gpu: 'A100-80',
    share: 0.3,
    why: "no list price of an A40: 0.3 of an A100's, as AIBrix's sample profiles have it",
  },
};

const priceOf = ({ gpu, gpusPerReplica }: Replica): { readonly cost: number; readonly source: string } => {
  const standIn = standIns[gpu];
  const listed = priceList[standIn?.gpu ?? gpu]!;
  const source = `${listed.source}, on demand per GPU, ${listPricesDate}`;
  return {
    cost: round(listed.price * (standIn?.share ?? 1) * gpusPerReplica),
    source: standIn === undefined ? source : `${standIn.why} (${source})`,
  };
};

const provenanceOf = (origin: Origin): Readonly<Record<string, string>> => {
  if (origin.kind === 'measured')
    return {
      source: `ai-dynamo/aiconfigurator, silicon_sample.csv (hack/profiles/measured.csv, ${origin.group})`,
      licence: 'Apache-2.0',
      engine: origin.engine,
      date: origin.date,
    };
  if (origin.kind === 'simulated')
    return {
      source: `vllm-project/aibrix, ${origin.results} (Vidur's device model)`,
      licence: 'Apache-2.0',
      engine: 'a simulated vLLM',
      date: 'not stated',
    };
  return {
    source: 'roofline (hack/profiles/roofline.ts), not measured',
    licence: 'Apache-2.0',
    engine: 'any with continuous batching',
    date: '2026-11-25',
  };
};

/** By AIBrix's rule, from AIBrix's lines. */
const simulated = (replica: Replica, { results }: Extract<Origin, { kind: 'simulated' }>) => {
  const file = join(import.meta.dirname, '../../test/fixtures/benchmarks', results);
  const labels = { deployment: 'd', cost: 1, created, gpuType: null, gpusPerReplica: null };
  const { document } = profileOfResults(parseResults(readFileSync(file, 'utf8')), {
    ...labels,
    slo: slos[replica.llm],
  });
  const rows = (name: string) => (document[name] as number[][]).map((row) => row.map(round));
  const tputs = rows('tputs');
  const how = { how: 'gpumix profile on these lines; times to the first token were not simulated' };
  return {
    grid: { indexes: document['indexes'], tputs, e2e: rows('e2e') },
    how,
    sizes: tputs.flat().length,
    measuredSizes: 0,
  };
};

/** By the roofline, with the measured points of the replica where there are any. */
const computed = (replica: Replica) => {
  const setup = setupOf(replica);
  const { points } = sampleOf(replica);
  const samples = points.length > 0 ? [sampleOf(replica)] : relativesOf(replica).map(sampleOf);
  const efficiency = calibrated(samples);
  const { inputs, outputs } = ticksOf(points);
  const sizes = bySize(points);
  const { percentile: _, ...limits } = slos[replica.llm];
  const means = Object.fromEntries(Object.entries(limits).map(([name, limit]) => [name, limit * meanShare]));
  const rooflineOf = (input: number, output: number) => rooflineThroughput(setup, efficiency, input, output, means);
  const anchors = [...sizes.values()].flatMap((some) => {
    const { input, output } = some[0]!;
    const throughput = carriedTo(means, some, rooflineOf(input, output), (point) => ratioAt(setup, efficiency, point));
    return throughput > 0 ? [{ input, output, ratio: throughput / rooflineOf(input, output) }] : [];
  });
  const cells = outputs.map((output) =>
    inputs.map((input) => {
      const roofline = rooflineOf(input, output);
      const throughput = roofline * ratioNear(anchors, input, output);
      const { e2e } = loadAt(setup, efficiency, input, output, Math.min(roofline, throughput));
      return { measured: sizes.has(`${input} ${output}`), throughput, e2e };
    }),
  );
  const matrix = (value: (cell: (typeof cells)[number][number]) => number) =>
    cells.map((row) => row.map((cell) => round(value(cell))));
  const measured = cells.flat().filter((cell) => cell.measured).length;
  return {
    grid: { indexes: [outputs, inputs], tputs: matrix(({ throughput }) => throughput), e2e: matrix(({ e2e }) => e2e) },
    how: {
      how: howOf(replica, measured, cells.flat().length),
      ...(measured === 0 ? {} : { measured: cells.map((row) => row.map((cell) => Number(cell.measured))) }),
      formula:
        'TPOT (1 - rate prefill) = overhead + weights + in flight x decode; prefill = (2 parameters in + 2 layers width in²) / FLOP/s, decode = (in + out / 2) cache bytes / bandwidth, weights = weight bytes / bandwidth',
      constants: { efficiency, meanShare, usableMemory: 0.9, ...setup },
    },
    sizes: cells.flat().length,
    measuredSizes: measured,
  };
};

const howOf = (replica: Replica, measured: number, all: number): string => {
  const limits = `limits hold on average with ${100 * (1 - meanShare)} % to spare for the percentile`;
  if (measured === 0) {
    const from = relativesOf(replica).map(({ llm, gpu, bits }) => `${llm} on ${gpu} at ${bits} bits`);
    return `roofline with the efficiencies measured with ${from.join(', ')}; ${limits}`;
  }
  return `${measured} of ${all} sizes (1 in \`measured\`): the highest measured rate within the limits, carried to them by the roofline where nothing nearer was measured; the others by the roofline with the efficiencies of these points and what it is off by at the nearest of them; ${limits}`;
};

/** The usual ticks and those that were measured, near ones of the usual left out. */
const ticksOf = (points: readonly Point[]) => {
  const merged = (usual: readonly number[], found: readonly number[]): readonly number[] =>
    [
      ...new Set([
        ...found,
        ...usual.filter((tick) => !found.some((one) => one !== tick && Math.abs(Math.log(one / tick)) < 0.1)),
      ]),
    ].sort((a, b) => a - b);
  return {
    inputs: merged(
      usualTicks.inputs,
      points.map(({ input }) => input),
    ),
    outputs: merged(
      usualTicks.outputs,
      points.map(({ output }) => output),
    ),
  };
};

/** Throughput within limits (req/s) by the points of one size: the best within them, carried to them by the roofline. */
const carriedTo = (
  { ttft = Number.POSITIVE_INFINITY, tpot = Number.POSITIVE_INFINITY }: Partial<Slo>,
  some: readonly Point[],
  roofline: number,
  ratio: (point: Point) => number,
): number => {
  const best = bestWithin(some, { ttft, tpot });
  const anchor = best ?? some.reduce((lowest, point) => (point.concurrency < lowest.concurrency ? point : lowest));
  // Beyond the limits lies what is too much, within them what is surely served.
  const tooMuch = some.filter((point) => best === null || (point.concurrency > best.concurrency && point.rate > best.rate));
  return Math.min(Math.max(best?.rate ?? 0, roofline / ratio(anchor)), ...tooMuch.map(({ rate }) => rate));
};

interface Anchor {
  readonly input: number;
  readonly output: number;
  /** Throughput over that of the roofline. */
  readonly ratio: number;
}

/**
 * What the roofline is off by near measured sizes, these weighted by the square of their distance in logarithms; 1 without
 * any.
 */
const ratioNear = (anchors: readonly Anchor[], input: number, output: number): number => {
  const weighted = anchors.map((anchor) => ({
    log: Math.log(anchor.ratio),
    weight: 1 / Math.max(1e-12, Math.log(anchor.input / input) ** 2 + Math.log(anchor.output / output) ** 2),
  }));
  const weights = weighted.reduce((sum, { weight }) => sum + weight, 0);
  return weights === 0 ? 1 : Math.exp(weighted.reduce((sum, { log, weight }) => sum + log * weight, 0) / weights);
};
