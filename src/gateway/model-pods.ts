/** One pod of a variant, and what this gateway has given it. */
export interface Pod {
  /** `http://10.0.0.7:8000` */
  readonly origin: string;
  /** `namespace/deployment`. */
  readonly variant: string;
  /** That it has now. */
  requests: number;
  /** Requests that it was ever given. */
  given: number;
  /** Of the requests that it has, prompt and expected answer. */
  outstandingTokens: number;
  /** Failures in a row, and until when it is left alone for them (s of the caller's clock). */
  failures: number;
  restsUntil: number;
  /** Whether its engine refuses to be asked for usage counts in a stream. */
  refusesUsage: boolean;
}

/** A model's pods that may be given requests, by variant; a variant without one is there all the same. */
export type Variants = ReadonlyMap<string, readonly Pod[]>;

/** Whether no pod can be given a request. */
export const hasNoPods = (variants: Variants): boolean => ![...variants.values()].some((pods) => pods.length > 0);

/** Where the pods of each model are: origins by variant, by model. */
export type OriginsByModel = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;

export interface ModelPods {
  /** Takes over what is there now; a pod that was there before keeps what is known of it. */
  update(originsByModel: OriginsByModel): void;
  /** undefined = there is no such model. */
  variants(model: string): Variants | undefined;
  models(): readonly string[];
}

export const createModelPods = (): ModelPods => {
  let models = new Map<string, ReadonlyMap<string, readonly Pod[]>>();
  /** By variant and origin: an address may pass from one Deployment to another. */
  let pods = new Map<string, Pod>();
  return {
    update: (originsByModel) => {
      const before = pods;
      pods = new Map();
      const podOf = (variant: string, origin: string): Pod => {
        const key = `${variant} ${origin}`;
        // A Deployment of several names has one pod at one address.
        const pod = pods.get(key) ??
          before.get(key) ?? {
            origin,
            variant,
            requests: 0,
            given: 0,
            outstandingTokens: 0,
            failures: 0,
            restsUntil: 0,
            refusesUsage: false,
          };
        pods.set(key, pod);
        return pod;
      };
      models = new Map(
        [...originsByModel].map(([model, variants]) => [
          model,
          new Map([...variants].map(([name, origins]) => [name, origins.map((origin) => podOf(name, origin))])),
        ]),
      );
    },
    variants: (model) => models.get(model),
    models: () => [...models.keys()],
  };
};

const firstRestSeconds = 0.5;
const longestRestSeconds = 15;

/** A pod that fails is left alone, longer each time. @param now s */
export const failed = (pod: Pod, now: number): void => {
  pod.failures += 1;
  pod.restsUntil = now + Math.min(longestRestSeconds, firstRestSeconds * 2 ** (pod.failures - 1));
};

export const answered = (pod: Pod): void => {
  pod.failures = 0;
  pod.restsUntil = 0;
};
