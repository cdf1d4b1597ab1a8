/** Requests of one size in one interval, as log2 of their tokens. */
export interface Point {
  readonly time: number;
  readonly input: number;
  readonly output: number;
  readonly count: number;
}

/** What a cluster is taken for: the mean of its points in log2, and how many there are. */
export interface Cluster {
  readonly input: number;
  readonly output: number;
  readonly count: number;
}

const radius = 0.5;
const leastNeighbours = 10;

/** DBSCAN of AIBrix's optimizer: radius 0.5 in log2, 10 points (each request is one) make a core; noise is left out. */
export const clustersOf = (points: readonly Point[]): readonly Cluster[] => {
  const sites = sitesOf(points);
  const near = neighboursOf(sites);
  const core = near.map((some) => some.reduce((sum, index) => sum + sites[index]!.count, 0) >= leastNeighbours);
  const label = new Int32Array(sites.length).fill(-1);
  let clusters = 0;
  for (const start of sites.keys()) {
    if (!core[start] || label[start]! >= 0) continue;
    const reached = [start];
    label[start] = clusters;
    for (let index = reached.pop(); index !== undefined; index = reached.pop())
      for (const other of core[index] ? near[index]! : []) {
        if (label[other]! >= 0) continue;
        label[other] = clusters;
        reached.push(other);
      }
    clusters += 1;
  }
  return Array.from({ length: clusters }, (_, cluster) => centroid(sites.filter((_site, index) => label[index] === cluster)));
};

type Site = Omit<Point, 'time'>;

/** Sites lie on a lattice of tenths; only those of the squares around can be near. */
const neighboursOf = (sites: readonly Site[]): readonly (readonly number[])[] => {
  const square = (site: Site) => [Math.floor(site.input / radius), Math.floor(site.output / radius)] as const;
  const squares = Map.groupBy(sites.keys(), (index) => square(sites[index]!).join());
  return sites.map((site) => {
    const [input, output] = square(site);
    const around = [-1, 0, 1].flatMap((i) => [-1, 0, 1].flatMap((o) => squares.get([input + i, output + o].join()) ?? []));
    return around.filter((index) => Math.hypot(site.input - sites[index]!.input, site.output - sites[index]!.output) <= radius);
  });
};

/** Points of the same place as one. */
const sitesOf = (points: readonly Point[]): readonly Site[] => {
  const sites = new Map<string, Site>();
  for (const { input, output, count } of points) {
    const key = `${input}:${output}`;
    sites.set(key, { input, output, count: count + (sites.get(key)?.count ?? 0) });
  }
  return [...sites.values()];
};

const centroid = (sites: readonly Site[]): Cluster => {
  const count = sites.reduce((sum, site) => sum + site.count, 0);
  const mean = (of: (site: Site) => number) => sites.reduce((sum, site) => sum + of(site) * site.count, 0) / count;
  return { input: mean(({ input }) => input), output: mean(({ output }) => output), count };
};
