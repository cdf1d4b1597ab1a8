import loadHighs from 'highs';
import type { Program } from '../../src/solver/program.ts';
import { lineTolerance } from '../../src/solver/tolerances.ts';

const highs = await (loadHighs as unknown as typeof loadHighs.default)();

/** One model's program, or several on common stock, for an independent solver. */
export interface Peer {
  readonly programs: readonly Program[];
  /** GPUs per type index, and how many a replica of each program's types takes. */
  readonly stock?: readonly number[];
  readonly gpus?: readonly number[];
}

export interface PeerAnswer {
  readonly cost: number;
  readonly replicas: number[][];
  readonly shares: Float64Array[];
}

/** The optimum by HiGHS at relative gap 0; null = infeasible, `stopped` = not within so many seconds. */
export const byHighs = (peer: Peer, seconds = 600): PeerAnswer | null | 'stopped' => {
  const { programs } = peer;
  const solution = highs.solve(lpOf(peer), {
    mip_rel_gap: 0,
    mip_abs_gap: 0,
    mip_feasibility_tolerance: 1e-9,
    primal_feasibility_tolerance: 1e-9,
    time_limit: seconds,
  });
  if (solution.Status === 'Infeasible') return null;
  if (solution.Status === 'Time limit reached') return 'stopped';
  if (solution.Status !== 'Optimal') throw new Error(`HiGHS says ${solution.Status}`);
  const value = (name: string) => (solution.Columns[name] as { Primal: number } | undefined)?.Primal ?? 0;
  const replicas = programs.map(({ types }, m) => Array.from({ length: types }, (_, g) => Math.round(value(`y${m}_${g}`))));
  const shares = programs.map(({ types, classes }, m) =>
    Float64Array.from({ length: types * classes }, (_, at) => value(`x${m}_${Math.floor(at / types)}_${at % types}`)),
  );
  const cost = programs.reduce(
    (sum, { prices }, m) => sum + replicas[m]!.reduce((part, count, g) => part + count * prices[g]!, 0),
    0,
  );
  return { cost, replicas, shares };
};

/** The largest share by which HiGHS's own shares overload its replicas: it is no oracle without this check. */
export const overload = ({ types, classes, loads }: Program, replicas: readonly number[], shares: Float64Array): number => {
  let worst = 0;
  for (let g = 0; g < types; g++) {
    let load = 0;
    for (let c = 0; c < classes; c++) {
      const share = shares[c * types + g]!;
      if (share > 0) load += share * loads[c * types + g]!;
    }
    worst = Math.max(worst, load / Math.max(replicas[g]!, 1e-9) - 1);
  }
  return worst;
};

/** CPLEX's LP format, constraints named as in solver/program.ts. */
const lpOf = ({ programs, stock = [], gpus = [] }: Peer): string => {
  const types = programs.map((program) => Array.from({ length: program.types }, (_, g) => g));
  const lines = [
    'Minimize',
    ` cost: ${programs.flatMap(({ prices }, m) => types[m]!.map((g) => `${prices[g]} y${m}_${g}`)).join(' + ')}`,
    'Subject To',
  ];
  programs.forEach(({ classes, loads, types: count }, m) => {
    const load = (c: number, g: number) => loads[c * count + g]!;
    const rows = Array.from({ length: classes }, (_, c) => c);
    for (const c of rows)
      lines.push(
        ` C1_${m}_${c}: ${types[m]!.filter((g) => load(c, g) < Number.POSITIVE_INFINITY)
          .map((g) => `x${m}_${c}_${g}`)
          .join(' + ')} = 1`,
      );
    for (const g of types[m]!) {
      const terms = rows.filter((c) => load(c, g) < Number.POSITIVE_INFINITY).map((c) => `${load(c, g)} x${m}_${c}_${g}`);
      if (terms.length > 0) lines.push(` C2_${m}_${g}: ${terms.join(' + ')} - ${1 + lineTolerance} y${m}_${g} <= 0`);
    }
  });
  stock.forEach((count, g) => {
    lines.push(` S_${g}: ${programs.map((_, m) => `${gpus[g]} y${m}_${g}`).join(' + ')} <= ${count}`);
  });
  lines.push('Bounds');
  programs.forEach(({ lower, upper }, m) => {
    for (const g of types[m]!)
      lines.push(` ${lower[g]} <= y${m}_${g} <= ${upper[g] === Number.POSITIVE_INFINITY ? '+inf' : upper[g]}`);
  });
  lines.push('General', ` ${programs.flatMap((_, m) => types[m]!.map((g) => `y${m}_${g}`)).join(' ')}`, 'End');
  return lines.join('\n');
};
