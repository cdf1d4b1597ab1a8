import type { DemandRow, Model, RouterKnowledge, Snapshot } from '../../src/vocabulary/planning-documents.ts';

/**
 * The answer to a small snapshot by trying every mix: an independent and slow reading of the program (src/solver/program.ts),
 * which shares no code with the solver. Only for snapshots whose variants all have a maximum.
 */
export interface BruteForce {
  readonly feasible: boolean;
  readonly cost: number;
  /** Per variant, of the preferred one among the mixes of that cost. */
  readonly replicas: Readonly<Record<string, number>>;
  /** Unserved req/s per priority. */
  readonly unserved: ReadonlyMap<number, number>;
}

export const bruteForce = (snapshot: Snapshot): BruteForce => {
  const models = [...snapshot.models]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((model) => ({ ...model, variants: [...model.variants].sort((a, b) => (a.name < b.name ? -1 : 1)) }));
  const rows = models.map((model) => mixesOf(model, snapshot.routing));
  const fleets = product(rows).filter((choice) => fits(snapshot, models, choice));
  const priorities = [...new Set(models.map(({ priority }) => priority))].sort((a, b) => b - a);
  const total = (priority: number) =>
    models.filter((model) => model.priority === priority).reduce((sum, model) => sum + arriving(model), 0);
  let left = fleets.sort((a, b) => costOf(a) - costOf(b));
  const complete = left.find((choice) => choice.every((mix) => mix.unserved() === 0));
  const unserved = new Map<number, number>();
  if (complete === undefined) {
    for (const priority of priorities) {
      const missing = (choice: Choice) =>
        choice.reduce((sum, mix, m) => sum + (models[m]!.priority === priority ? mix.unserved() : 0), 0);
      const least = Math.min(...left.map(missing));
      unserved.set(priority, least);
      left = left.filter((choice) => missing(choice) <= least + 1e-9 * total(priority));
    }
  }
  const cheapest = complete ?? left[0];
  if (cheapest === undefined) throw new Error('the floors alone do not fit');
  const cost = costOf(cheapest);
  const tied = left.filter(
    (choice) => costOf(choice) <= cost * (1 + 1e-10) && (complete === undefined || choice.every((mix) => mix.unserved() === 0)),
  );
  const best = tied.reduce((chosen, other) => (preferred(models, other, chosen) ? other : chosen));
  const replicas = Object.fromEntries(
    models.flatMap(({ variants }, m) => variants.map(({ name }, g) => [name, best[m]!.replicas[g]!])),
  );
  return { feasible: complete !== undefined, cost, replicas, unserved };
};

interface Mix {
  readonly replicas: readonly number[];
  readonly cost: number;
  readonly unserved: () => number;
}
type Choice = readonly Mix[];

const costOf = (choice: Choice): number => choice.reduce((sum, mix) => sum + mix.cost, 0);
const arriving = ({ demand }: Model): number => demand.reduce((sum, { arrivalRate }) => sum + arrivalRate, 0);

const preferred = (models: readonly Model[], a: Choice, b: Choice): boolean => {
  const changes = (choice: Choice) =>
    models
      .flatMap(({ variants }, m) =>
        variants.map(({ running }, g) => (running === null ? 0 : Math.abs(choice[m]!.replicas[g]! - running))),
      )
      .reduce((sum, change) => sum + change, 0);
  if (changes(a) !== changes(b)) return changes(a) < changes(b);
  const flat = (choice: Choice) => choice.flatMap(({ replicas }) => replicas);
  const at = flat(a).findIndex((replicas, i) => replicas !== flat(b)[i]);
  return at >= 0 && flat(a)[at]! > flat(b)[at]!;
};

const fits = ({ stock, quotas = {}, budget }: Snapshot, models: readonly Model[], choice: Choice): boolean => {
  if (budget !== null && costOf(choice) > budget * (1 + 1e-9)) return false;
  const within = (most: number, draws: (variant: Model['variants'][number]) => boolean): boolean => {
    const used = models.flatMap(({ variants }, m) =>
      variants.map((variant, g) => (draws(variant) ? variant.gpusPerReplica * choice[m]!.replicas[g]! : 0)),
    );
    return used.reduce((sum, use) => sum + use, 0) <= most;
  };
  return (
    Object.entries(stock).every(([type, most]) => within(most, ({ gpu }) => gpu === type)) &&
    Object.entries(quotas).every(([namespace, limits]) =>
      Object.entries(limits).every(([type, most]) =>
        within(most, ({ name, gpu }) => name.split('/')[0] === namespace && (type === '*' || gpu === type)),
      ),
    )
  );
};

const product = (lists: readonly (readonly Mix[])[]): Mix[][] =>
  lists.reduce<Mix[][]>((all, list) => all.flatMap((head) => list.map((mix) => [...head, mix])), [[]]);

const mixesOf = (model: Model, routing: RouterKnowledge): Mix[] => {
  const unserved = unservedOf(model, routing);
  return model.variants
    .reduce<number[][]>(
      (all, { minReplicas, maxReplicas }) =>
        all.flatMap((head) => Array.from({ length: maxReplicas! - minReplicas + 1 }, (_, i) => [...head, minReplicas + i])),
      [[]],
    )
    .map((replicas) => {
      let known: number | null = null;
      return {
        replicas,
        cost: replicas.reduce((sum, count, g) => sum + count * model.variants[g]!.price, 0),
        unserved: () => {
          known ??= unserved(replicas);
          return known;
        },
      };
    });
};

/** req/s that a mix leaves unserved; exactly 0 where it carries all. */
const unservedOf = (model: Model, routing: RouterKnowledge): ((replicas: readonly number[]) => number) => {
  const arriving = model.demand.filter(({ arrivalRate }) => arrivalRate > 0);
  if (arriving.length === 0 || model.variants.every((_, g) => loadOf(model, arriving, g) === Number.POSITIVE_INFINITY))
    return () => 0;
  if (routing === 'none' || routing === 'load') return pooled(model, arriving, routing);
  const classes =
    routing === 'size'
      ? arriving.map((row) => [row])
      : [...new Set(arriving.map(({ inputTokens }) => inputTokens))].map((tokens) =>
          arriving.filter(({ inputTokens }) => inputTokens === tokens),
        );
  const rates = classes.map(rate);
  const loads = classes.map((rows) => classLoads(model, rows, false));
  const total = rates.reduce((sum, r) => sum + r, 0);
  return (replicas) => {
    const left =
      total -
      mostServed(
        rates,
        loads,
        replicas.map((count) => count * (1 + 1e-9)),
      );
    return left <= 1e-10 * total ? 0 : left;
  };
};

const pooled = (model: Model, rows: readonly DemandRow[], routing: 'none' | 'load') => {
  const total = rate(rows);
  const loads = classLoads(model, rows, true);
  const times = model.variants.map(({ e2eSeconds }) =>
    rows.reduce((sum, row) => sum + (row.arrivalRate * (e2eSeconds?.[model.demand.indexOf(row)] ?? Number.NaN)) / total, 0),
  );
  const byLoad =
    routing === 'load' &&
    model.variants.every((variant, g) => variant.throughput.every((t) => t === 0) || Number.isFinite(times[g]!));
  return (replicas: readonly number[]): number => {
    const used = replicas.flatMap((count, g) => (count > 0 ? [g] : []));
    const standing = used.filter((g) => loadOf(model, rows, g) === Number.POSITIVE_INFINITY);
    const serving = used.filter((g) => !standing.includes(g));
    if (serving.some((g) => loads[g] === Number.POSITIVE_INFINITY)) return total;
    if (serving.length === 0) return total;
    let carried: number;
    if (byLoad) {
      const inFlight = Math.min(...serving.map((g) => (total / loads[g]!) * times[g]!));
      carried = serving.reduce((sum, g) => sum + (replicas[g]! * inFlight) / times[g]!, 0) / total;
    } else {
      const slowest = Math.max(...serving.map((g) => loads[g]!));
      carried = serving.reduce((sum, g) => sum + replicas[g]!, 0) / slowest;
    }
    return carried * (1 + 1e-9) >= 1 ? 0 : total * (1 - carried * (1 + 1e-9));
  };
};

const rate = (rows: readonly DemandRow[]): number => rows.reduce((sum, { arrivalRate }) => sum + arrivalRate, 0);

/** Load of rows on variant g, beyond the SLO by extrapolation from the nearest row that it serves. */
const loadOf = ({ demand, variants }: Model, rows: readonly DemandRow[], g: number): number => {
  const { throughput } = variants[g]!;
  const served = demand.flatMap((row, i) => (throughput[i]! > 0 ? [{ ...row, throughput: throughput[i]! }] : []));
  return rows.reduce((sum, row) => {
    const own = throughput[demand.indexOf(row)]!;
    if (own > 0) return sum + row.arrivalRate / own;
    const ranked = served
      .map((other) => ({
        ...other,
        distance: Math.hypot(Math.log2(row.inputTokens / other.inputTokens), Math.log2(row.outputTokens / other.outputTokens)),
      }))
      .sort(
        (a, b) =>
          a.distance - b.distance ||
          a.inputTokens + a.outputTokens - b.inputTokens - b.outputTokens ||
          a.inputTokens - b.inputTokens,
      );
    if (ranked[0] === undefined) return Number.POSITIVE_INFINITY;
    const factor = (row.inputTokens + row.outputTokens) / (ranked[0].inputTokens + ranked[0].outputTokens);
    return sum + (row.arrivalRate * Math.max(1, factor)) / ranked[0].throughput;
  }, 0);
};

/** Where a class may go (its load there) and where not (Infinity). */
const classLoads = (model: Model, rows: readonly DemandRow[], floorsCount: boolean): number[] => {
  const loads = model.variants.map((_, g) => loadOf(model, rows, g));
  const beyond = model.variants.map(
    ({ throughput }) => rate(rows.filter((row) => throughput[model.demand.indexOf(row)] === 0)) / rate(rows),
  );
  const may = model.variants.map(
    ({ sloShare }, g) => loads[g]! < Number.POSITIVE_INFINITY && beyond[g]! <= (sloShare ?? 0.01) + 1e-12,
  );
  const least = Math.min(...beyond.filter((_, g) => loads[g]! < Number.POSITIVE_INFINITY));
  return loads.map((load, g) => {
    if (floorsCount && model.variants[g]!.minReplicas > 0) return load;
    const admitted = may.includes(true) ? may[g]! : beyond[g]! <= least + 1e-12;
    return admitted ? load : Number.POSITIVE_INFINITY;
  });
};

/** max sum rate_c x_cg with sum_g x_cg <= 1 and sum_c load_cg x_cg <= capacity_g, by the textbook's simplex (Bland's rule). */
export const mostServed = (
  rates: readonly number[],
  loads: readonly (readonly number[])[],
  capacity: readonly number[],
): number => {
  const columns = rates.flatMap((r, c) =>
    capacity.flatMap((_, g) => (loads[c]![g]! < Number.POSITIVE_INFINITY ? [{ c, g, r }] : [])),
  );
  const rows = rates.length + capacity.length;
  const width = columns.length + rows + 1;
  const table = Array.from({ length: rows + 1 }, () => new Float64Array(width));
  columns.forEach(({ c, g, r }, j) => {
    table[c]![j] = 1;
    table[rates.length + g]![j] = loads[c]![g]!;
    table[rows]![j] = -r;
  });
  const basis = Array.from({ length: rows }, (_, i) => {
    table[i]![columns.length + i] = 1;
    table[i]![width - 1] = i < rates.length ? 1 : capacity[i - rates.length]!;
    return columns.length + i;
  });
  for (;;) {
    const entering = table[rows]!.subarray(0, width - 1).findIndex((value) => value < -1e-11);
    if (entering < 0) return table[rows]![width - 1]!;
    let [leaving, least] = [-1, Number.POSITIVE_INFINITY];
    for (let i = 0; i < rows; i++) {
      const pivot = table[i]![entering]!;
      if (pivot <= 1e-11) continue;
      const ratio = table[i]![width - 1]! / pivot;
      if (ratio < least - 1e-13 || (ratio <= least + 1e-13 && basis[i]! < basis[leaving]!)) [leaving, least] = [i, ratio];
    }
    if (leaving < 0) throw new Error('unbounded');
    const row = table[leaving]!;
    const pivot = row[entering]!;
    for (let j = 0; j < width; j++) row[j]! /= pivot;
    for (const other of table) {
      if (other === row || other[entering] === 0) continue;
      const factor = other[entering]!;
      for (let j = 0; j < width; j++) other[j]! -= factor * row[j]!;
    }
    basis[leaving] = entering;
  }
};
