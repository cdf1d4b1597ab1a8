/** What of a Kubernetes object may be looked at, whatever its kind. */
export interface KubernetesObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly creationTimestamp?: string;
    readonly deletionTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly {
      readonly kind: string;
      readonly name: string;
      readonly controller?: boolean;
    }[];
  };
}

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}

/** Amounts of resources by name. */
export type Quantities = Readonly<Record<string, string | number>>;

/**
 * `namespace/name`; the name alone of what has no namespace.
 * @example objectKey({ namespace: 'ns', name: 'a' }) // => 'ns/a'
 * @example objectKey({ name: 'a' }) // => 'a'
 */
export const objectKey = ({ namespace, name }: { readonly namespace?: string; readonly name: string }): string =>
  namespace === undefined ? name : `${namespace}/${name}`;
