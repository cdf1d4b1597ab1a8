import type { GpuHolder, GpuNode, Supply } from '../../cluster/stock.ts';
import { deploymentKey, namespaceOf } from '../../vocabulary/deployment-key.ts';
import type { Snapshot } from '../../vocabulary/planning-documents.ts';
import type { Candidate } from '../believe/candidates.ts';
import { anyGpuType } from './gpu-pools.ts';

/** What is believed of the number of GPUs: see `--stock`. */
export type StockSource = 'auto' | 'nodes' | 'config' | 'none';
export const stockSources: readonly StockSource[] = ['auto', 'nodes', 'config', 'none'];

/** A Deployment of a model, as far as it takes GPUs. */
export type PoolTaker = Pick<Candidate, 'key' | 'gpusPerReplica'> & {
  /** null = not known where it has no pods. */
  readonly gpu: string | null;
  /** What it has in any case: a floor of the solve, or what it is told where it takes no part in it. */
  readonly least: number;
};

/** What a solve may use. */
export interface Limits extends Pick<Snapshot, 'stock' | 'quotas'> {
  /** Types of which only Nodes show how many there are: something may add more. */
  readonly guessed: ReadonlySet<string>;
}

export const noLimits: Limits = { stock: {}, guessed: new Set() };

/**
 * GPUs for the Deployments that are solved for: what Nodes, ResourceQuotas and the user's limits leave, less what anybody
 * else holds; never below what they hold themselves or are bound to have. A type without a Node is not limited: a node
 * autoscaler may have gone down to none. Nor is, where the source is `auto`, a type in a pool that may grow.
 * @param unsolved our Deployments that take no part in the solve
 */
export const limitsOf = (
  supply: Supply,
  source: StockSource,
  solved: readonly PoolTaker[],
  unsolved: readonly PoolTaker[],
): Limits => {
  if (source === 'none') return noLimits;
  const nodes = withDevices(supply);
  const ours = takenBy(supply, nodes, solved);
  const theirs = takenBy(supply, nodes, unsolved);
  const strangers = strangersOf(supply, nodes, [...solved, ...unsolved]);
  const stock: Record<string, number> = {};
  const guessed = new Set<string>();
  for (const type of new Set(solved.flatMap(({ gpu }) => gpu ?? []))) {
    const ceiling = supply.limits?.ceilings[type];
    const shown = ceiling === undefined && source !== 'config' ? shownByNodes(nodes, type, source) : null;
    const total = ceiling ?? shown;
    if (total === null || total === undefined) continue;
    if (ceiling === undefined) guessed.add(type);
    const elsewhere = strangers((pod) => pod.type === type && (ceiling !== undefined || pod.onUsable));
    const onLostNodes = ceiling === undefined ? ours.placed(type, false) + theirs.placed(type, false) : 0;
    stock[type] = atLeast(total + onLostNodes - elsewhere - theirs.total(type), ours.floor(type));
  }
  const quotas = quotasFor(supply, solved, ours, theirs, strangers);
  return { stock, guessed, ...(Object.keys(quotas).length === 0 ? {} : { quotas }) };
};

/** Whether there is anything that might limit a plan. */
export const mayLimit = (supply: Supply | undefined, source: StockSource): boolean =>
  supply !== undefined &&
  source !== 'none' &&
  (supply.limits !== null ||
    supply.quotas.length > 0 ||
    (source !== 'config' && [...withDevices(supply).values()].some(({ gpus }) => gpus > 0)));

const atLeast = (gpus: number, floor: number): number => Math.max(0, Math.floor(gpus), floor);

interface Node extends GpuNode {
  readonly name: string;
}

/** A Node's GPUs are those of the device plugin, or else those of a driver (DRA) on it: both may show the same ones. */
const withDevices = ({ nodes, slices }: Supply): ReadonlyMap<string, Node> => {
  const devices = Map.groupBy(slices, ({ node }) => node);
  return new Map(
    [...nodes].map(([name, node]) => {
      const types = (devices.get(name) ?? []).flatMap((slice) => Object.values(slice.devices));
      return [name, { ...node, name, gpu: node.gpu ?? types[0] ?? null, gpus: Math.max(node.gpus, types.length) }];
    }),
  );
};

/** null = Nodes say nothing that limits this type. */
const shownByNodes = (nodes: ReadonlyMap<string, Node>, type: string, source: StockSource): number | null => {
  const ofType = [...nodes.values()].filter(({ gpu, gpus }) => gpu === type && gpus > 0);
  if (ofType.length === 0 || (source === 'auto' && ofType.some(({ elastic }) => elastic))) return null;
  return ofType.reduce((sum, { usable, gpus }) => sum + (usable ? gpus : 0), 0);
};

interface PlacedPod {
  readonly gpus: number;
  readonly type: string | null;
  readonly namespace: string;
  readonly onUsable: boolean;
  readonly byClaim: boolean;
}

const placed = (holder: GpuHolder, nodes: ReadonlyMap<string, Node>): PlacedPod => {
  const { gpus, namespace, byClaim = false } = holder;
  const node = holder.node === null ? undefined : nodes.get(holder.node);
  return { gpus, type: node?.gpu ?? null, namespace, onUsable: node?.usable ?? false, byClaim };
};

const holderKey = ({ namespace, deployment }: GpuHolder): string => deploymentKey({ namespace, name: deployment });
const sumOf = (pods: readonly PlacedPod[]): number => pods.reduce((sum, { gpus }) => sum + gpus, 0);

/** GPUs of pods that belong to none of our Deployments, by any criterion. */
const strangersOf = (supply: Supply, nodes: ReadonlyMap<string, Node>, ours: readonly PoolTaker[]) => {
  const keys = new Set(ours.map(({ key }) => key));
  const pods = supply.holders.filter((holder) => !keys.has(holderKey(holder))).map((holder) => placed(holder, nodes));
  return (which: (pod: PlacedPod) => boolean): number => sumOf(pods.filter(which));
};

/** What some of our Deployments hold by their pods, and what they have in any case. */
const takenBy = (supply: Supply, nodes: ReadonlyMap<string, Node>, takers: readonly PoolTaker[]) => {
  const pods = Map.groupBy(supply.holders, holderKey);
  const each = takers.map((taker) => ({
    ...taker,
    namespace: namespaceOf(taker.key),
    pods: (pods.get(taker.key) ?? []).map((pod) => placed(pod, nodes)),
  }));
  const allPods = each.flatMap((taker) => taker.pods);
  const placedOn = (type: string, within: readonly PlacedPod[]) => sumOf(within.filter((pod) => pod.type === type));
  const bound = (taker: PoolTaker) => taker.least * taker.gpusPerReplica;
  const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);
  return {
    /** On Nodes that are usable, or on those that are not. */
    placed: (type: string, onUsable: boolean) =>
      placedOn(
        type,
        allPods.filter((pod) => pod.onUsable === onUsable),
      ),
    /** The more of what they hold and what they are bound to have. */
    total: (type: string) =>
      sum(each.map((taker) => Math.max(placedOn(type, taker.pods), taker.gpu === type ? bound(taker) : 0))),
    floor: (type: string) => Math.max(placedOn(type, allPods), sum(each.filter(({ gpu }) => gpu === type).map(bound))),
    /** In a namespace, of one type or of all; pods that wait for a place count there. */
    inNamespace: (namespace: string, type: string) =>
      sum(
        each
          .filter((taker) => taker.namespace === namespace && (type === anyGpuType || taker.gpu === type))
          .map((taker) => Math.max(sumOf(taker.pods), bound(taker))),
      ),
    floorInNamespace: (namespace: string, type: string) =>
      sum(
        each
          .filter((taker) => taker.namespace === namespace && (type === anyGpuType || taker.gpu === type))
          .map((taker) => Math.max(sumOf(taker.pods.filter((pod) => pod.type !== null)), bound(taker))),
      ),
  };
};

type Taken = ReturnType<typeof takenBy>;

/** A ResourceQuota counts every pod of its namespace, but no claims; the user's quota only what models hold. */
const quotasFor = (
  { quotas, limits }: Supply,
  solved: readonly PoolTaker[],
  ours: Taken,
  theirs: Taken,
  strangers: (which: (pod: PlacedPod) => boolean) => number,
): Record<string, Record<string, number>> => {
  const found: Record<string, Record<string, number>> = {};
  const limit = (namespace: string, type: string, gpus: number): void => {
    const left = atLeast(gpus - theirs.inNamespace(namespace, type), ours.floorInNamespace(namespace, type));
    const before = found[namespace]?.[type] ?? Number.POSITIVE_INFINITY;
    found[namespace] = { ...found[namespace], [type]: Math.min(before, left) };
  };
  for (const namespace of new Set(solved.map(({ key }) => namespaceOf(key)))) {
    for (const quota of quotas.filter((quota) => quota.namespace === namespace))
      limit(namespace, anyGpuType, quota.gpus - strangers((pod) => pod.namespace === namespace && !pod.byClaim));
    for (const [type, gpus] of Object.entries(limits?.namespaces[namespace] ?? {})) limit(namespace, type, gpus);
  }
  return found;
};
