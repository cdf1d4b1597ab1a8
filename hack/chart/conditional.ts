import { isDeepStrictEqual } from 'node:util';

/** A part of a Kubernetes object that may depend on values of the chart. */
export type Node = string | number | boolean | null | readonly Node[] | Fields | When | Either;
export interface Fields {
  readonly [key: string]: Node;
}
/** There only where a condition of the chart holds (a pipeline of its template language). */
export class When {
  readonly condition: string;
  readonly value: Node;
  constructor(condition: string, value: Node) {
    this.condition = condition;
    this.value = value;
  }
}
/** One thing where a condition holds, another where not. */
export class Either {
  readonly condition: string;
  readonly wanted: Node;
  readonly otherwise: Node;
  constructor(condition: string, wanted: Node, otherwise: Node) {
    this.condition = condition;
    this.wanted = wanted;
    this.otherwise = otherwise;
  }
}

/** Lists whose items have names of their own; in other lists a patch replaces all, as in kustomize. */
const keys: Readonly<Record<string, string>> = {
  containers: 'name',
  env: 'name',
  volumes: 'name',
  volumeMounts: 'mountPath',
};

export const isFields = (node: Node | undefined): node is Fields =>
  typeof node === 'object' && node !== null && !Array.isArray(node) && !(node instanceof When) && !(node instanceof Either);

/** `base`, and where `condition` holds what a strategic merge patch makes of it: null removes, lists with names merge by them. */
export const patched = (base: Node, patch: Node, condition: string, name = ''): Node => {
  if (isFields(base) && isFields(patch)) return patchedFields(base, patch, condition);
  const key = keys[name];
  if (key !== undefined && Array.isArray(base) && Array.isArray(patch)) return patchedItems(base, patch, condition, key);
  return isDeepStrictEqual(base, patch) ? base : new Either(condition, patch, base);
};

const patchedFields = (base: Fields, patch: Fields, condition: string): Fields => {
  const result: Record<string, Node> = { ...base };
  for (const [name, value] of Object.entries(patch)) {
    const before = base[name];
    if (value === null) {
      if (before !== undefined) result[name] = new When(`not ${condition}`, before);
    } else if (before === undefined) {
      result[name] = keys[name] === undefined ? new When(condition, value) : patched([], value, condition, name);
    } else result[name] = patched(before, value, condition, name);
  }
  return result;
};

const patchedItems = (base: readonly Node[], patch: readonly Node[], condition: string, key: string): readonly Node[] => {
  const named = (node: Node): Node | undefined => (isFields(node) ? node[key] : undefined);
  const isPatched = (item: Node) => patch.some((one) => named(one) === named(item));
  return [
    ...base.map((item) => {
      const change = patch.find((one) => named(item) !== undefined && named(one) === named(item));
      return change === undefined ? item : patched(item, change, condition);
    }),
    ...patch
      .filter((one) => !base.some((item) => isPatched(item) && named(item) === named(one)))
      .map((one) => new When(condition, one)),
  ];
};
