import { leftOutGpus, leftOutSizes } from './bars.ts';
import { quantile } from './calibrate.ts';
import type { Shipped } from './documents.ts';
import { leftOut, leftOutTable } from './leave-one-out.ts';
import { measuredReplicas, slos } from './replicas.ts';

/** profiles/README.md. */
export const readmeOf = (all: readonly Shipped[]): string =>
  `# Profiles that come with gpumix

Written by \`node hack/profiles/update.ts\`, this page as well; \`npm run verify\` checks that nothing differs. They are to start with: \`gpumix
benchmark\` measures your own. A file says for itself where each figure is from, with engine, licence, date and error bars.

**measured**: TTFT and TPOT at constant concurrency on hardware. The profile has the highest rate within the limits; where the limits lie
beyond all that was measured it is carried to them by the roofline, and sizes that were not measured come from the roofline with the
efficiencies of these points and what it is off by at the nearest of them. **simulated**: by AIBrix's simulator. **derived**: by the roofline alone, on a GPU that nobody measured; the bars
are wide. A bar [0.7, 1.4] says that the truth is expected between 0.7 and 1.4 times the profile's throughput.

${table(all)}

Limits: ${Object.entries(slos)
    .map(([llm, slo]) => `${llm} ${limitsText(slo)}`)
    .join('; ')}. Prices are list prices of single vendors, with their source in each file; \`--prices\` or the annotation
\`gpumix.io/price\` put your own over them.

## How well sizes between measured ones are met

Each measured size of Llama 3.1 8B is left out and asked of the planner's own interpolation of the others, along its row and its column of the
grid, for throughput within 10, 15, 20 and 30 ms per token. On the H200 each size was measured at one concurrency, each at another, so its
rows are not of one limit, and what they are off by is not the interpolation's alone.

${leftOutTable('llama-3.1-8b').join('\n')}

${tooFew()}

## How well the roofline meets what was measured

Its efficiencies and its overhead are set without the size, or without the GPU, that it is compared on; true over predicted throughput at the same
concurrency.

${rooflineTable().join('\n')}

The bars of a derived profile are the square of the spread between GPUs (in the last column, all together).

## Sources

\`hack/profiles/measured.csv\`: ai-dynamo/aiconfigurator, silicon_sample.csv (columns renamed, rows filtered), Apache-2.0.
\`test/fixtures/benchmarks/simulator-llama2-7b-*.jsonl\`: vllm-project/aibrix, Apache-2.0. Data sheets: \`hack/profiles/parts.ts\`.
`;

const limitsText = ({ percentile, ...limits }: (typeof slos)[keyof typeof slos]): string =>
  `p${percentile} ${Object.entries(limits)
    .map(([name, limit]) => `${name.toUpperCase()} < ${limit} s`)
    .join(', ')}`;

const bar = (one: readonly [number, number] | null): string =>
  one === null ? '-' : `${one[0].toFixed(2)} to ${one[1].toFixed(2)}`;

const table = (all: readonly Shipped[]): string =>
  [
    '| file | replica | weights | kind | sizes measured | bars there | bars elsewhere | per hour |',
    '|---|---|---|---|---|---|---|---|',
    ...all.map(({ path, replica, sizes, measuredSizes, bars, document }) => {
      const { gpusPerReplica, gpu, bits, origin } = replica;
      return `| ${path} | ${gpusPerReplica} x ${gpu} | ${bits} bits | ${origin.kind} | ${measuredSizes} of ${sizes} | ${bar(bars.measured)} | ${bar(bars.other)} | ${String(document['cost'])} |`;
    }),
  ].join('\n');

const tooFew = (): string => {
  const groups = leftOut('llama-3.1-70b');
  const between = groups.reduce((sum, { interpolated }) => sum + interpolated.length, 0);
  const most = Math.max(...groups.map(({ sizes }) => sizes));
  return `Llama 3.1 70B was measured at ${most} sizes (1024 and 8192 tokens, not both at 8192), of which ${between === 0 ? 'none lies' : `${between} lie`} between others: too few points to tell an interpolation error.`;
};

const spread = (ratios: readonly number[]): string =>
  `${quantile(ratios, 0.5).toFixed(2)} (${quantile(ratios, 0.05).toFixed(2)} to ${quantile(ratios, 0.95).toFixed(2)})`;

const rooflineTable = (): readonly string[] => {
  const byGpu = leftOutGpus();
  const rows = byGpu.map(([replica, ratios]) => {
    const sizes = leftOutSizes(replica).map(([, ratio]) => ratio);
    return `| ${replica.llm} | ${replica.gpusPerReplica} x ${replica.gpu} | ${ratios.length} | ${spread(sizes)} | ${spread(ratios)} |`;
  });
  const everything = byGpu.flatMap(([, ratios]) => ratios);
  return [
    '| model | replica | points | without the size: median (5 to 95 %) | without the GPU |',
    '|---|---|---|---|---|',
    ...rows,
    `| all ${measuredReplicas.length} | | ${everything.length} | | ${spread(everything)} |`,
  ];
};
