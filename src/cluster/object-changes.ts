import type { ClusterObjects } from './cluster-view.ts';

type Kind = keyof ClusterObjects;
const kinds: readonly Kind[] = [
  ...(['deployments', 'pods', 'horizontalPodAutoscalers', 'podAutoscalers', 'scaledObjects'] as const),
  ...(['nodes', 'quotas', 'slices', 'claims', 'stockConfigs'] as const),
];

/** What became of some objects of one kind. */
export interface ObjectChanges {
  readonly kind: Kind;
  /** New ones, and those that are no longer as they were. */
  readonly set: readonly (readonly [key: string, object: unknown])[];
  readonly gone: readonly string[];
}

/**
 * What has changed since it was last asked, in parts of at most `most` objects: a part is told in one turn of the thread that
 * tells. An object that changes is another object, so it is enough to compare identities.
 */
export const changesIn = (objects: ClusterObjects, most: number): (() => readonly ObjectChanges[]) => {
  const told = new Map(kinds.map((kind) => [kind, new Map<string, unknown>()]));
  return () =>
    kinds.flatMap((kind) => {
      const before = told.get(kind)!;
      const now: ReadonlyMap<string, unknown> = objects[kind];
      const gone = [...before.keys()].filter((key) => !now.has(key));
      const set = [...now].filter(([key, object]) => before.get(key) !== object);
      for (const key of gone) before.delete(key);
      for (const [key, object] of set) before.set(key, object);
      const parts = Array.from({ length: Math.ceil(set.length / most) }, (_, part) => set.slice(part * most, (part + 1) * most));
      return [...(gone.length === 0 ? [] : [{ kind, set: [], gone }]), ...parts.map((part) => ({ kind, set: part, gone: [] }))];
    });
};

/** The same objects elsewhere, as far as their changes are told. */
export const mirror = (): { readonly objects: ClusterObjects; apply(changes: ObjectChanges): void } => {
  const maps = Object.fromEntries(kinds.map((kind) => [kind, new Map<string, unknown>()])) as Record<Kind, Map<string, unknown>>;
  return {
    objects: maps as ClusterObjects,
    apply: ({ kind, set, gone }) => {
      for (const key of gone) maps[kind].delete(key);
      for (const [key, object] of set) maps[kind].set(key, object);
    },
  };
};
