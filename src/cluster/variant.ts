import { attainmentExpected, isAttainment } from '../vocabulary/attainment.ts';
import type { RouterKnowledge } from '../vocabulary/planning-documents.ts';
import { gpuLabels, gpuOfLabels, gpusAmong } from './gpu-types.ts';
import type { Condition, KubernetesObject, Quantities } from './kubernetes-object.ts';
import { knownRouters, routerOf } from './router-names.ts';

/** What gpumix knows of a Deployment that carries a model. Fields that a broken label left without a value are null. */
export interface ModelDeployment {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly model: string;
  /** Other names that the model is called by (LoRA adapters, aliases); their requests are added to its demand. */
  readonly aliases: readonly string[];
  readonly priority: number;
  /** Label `model.aibrix.ai/min_replicas`: what stays when the model is idle. */
  readonly idleReplicas: number | null;
  /** spec.replicas. */
  readonly replicas: number;
  /** As annotation or pod template say; null = they do not. */
  readonly gpu: string | null;
  readonly gpusPerReplica: number;
  /** Annotation `gpumix.io/price`, of one replica (money/h). */
  readonly price: number | null;
  /**
   * Annotation `gpumix.io/attainment`: share of the model's requests within the limits of its profiles that is asked for; null
   * = the setting counts.
   */
  readonly attainment: number | null;
  /** Annotation `gpumix.io/pin`: these replicas, whatever is planned, until then (Unix s; null = until it is taken away). */
  readonly pin: { readonly replicas: number; readonly until: number | null } | null;
  /** Annotation `gpumix.io/paused`: gpumix leaves it alone and plans around what runs. */
  readonly paused: boolean;
  /** Annotation `gpumix.io/router`: what the router in front knows of a request; null = it does not say. */
  readonly routerKnowledge: RouterKnowledge | null;
  /** Annotation `gpumix.io/profile-confirmed`: digest of a profile that is to be followed whatever it says; null = none. */
  readonly confirmedProfile: string | null;
  /** Why Kubernetes makes no more pods of it: a ResourceQuota, a LimitRange, PodSecurity, a webhook; null = it does. */
  readonly podsRefused: string | null;
  /** What cannot be read, one line; null = nothing. */
  readonly problem: string | null;
  /** What is read as something near it, one line; null = nothing. */
  readonly note: string | null;
}

export const modelKey = 'model.aibrix.ai/name';
export const idleReplicasKey = 'model.aibrix.ai/min_replicas';
const routerKey = 'gpumix.io/router';

/** The part of an apps/v1 Deployment that is looked at. */
export interface DeploymentObject extends KubernetesObject {
  readonly spec?: { readonly replicas?: number; readonly template?: { readonly spec?: PodSpec } };
  readonly status?: { readonly conditions?: readonly Condition[] };
}

interface PodSpec {
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly affinity?: {
    readonly nodeAffinity?: {
      readonly requiredDuringSchedulingIgnoredDuringExecution?: {
        readonly nodeSelectorTerms?: readonly NodeSelectorTerm[];
      };
    };
  };
  readonly containers?: readonly {
    readonly resources?: { readonly limits?: Quantities; readonly requests?: Quantities };
  }[];
}
interface NodeSelectorTerm {
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

/**
 * Reads one Deployment. The model's name is a label, or an annotation of the same key for names that a label cannot hold. A label
 * or annotation that cannot be read keeps the value that it had, and says so in `problem`. Where it never had one, nothing is
 * assumed: without a readable label an idle model holds, and a pin or pause that cannot be read is a pause.
 * @param labelKeys labels by which GPU types are known
 * @returns null where the Deployment carries no model
 */
export const modelDeployment = (
  { metadata, spec, status }: DeploymentObject,
  previous?: ModelDeployment,
  labelKeys: readonly string[] = gpuLabels(),
): ModelDeployment | null => {
  const { labels = {}, annotations = {}, namespace = '', name } = metadata;
  const model = labels[modelKey] ?? annotations[modelKey];
  if (model === undefined || model === '') return null;
  const where = `Deployment ${namespace}/${name}`;
  const { pinned, until, paused, problems, ...settings } = userSettings(where, labels, annotations, previous);
  const router = readRouter(annotations[routerKey], previous?.routerKnowledge ?? null);
  if (router.problem !== null) problems.push(`${where}: ${routerKey}${router.problem}`);
  const podSpec = spec?.template?.spec;
  return {
    namespace,
    name,
    uid: metadata.uid ?? '',
    labels,
    model,
    aliases: (annotations['gpumix.io/aliases'] ?? '')
      .split(',')
      .map((alias) => alias.trim())
      .filter((alias) => alias !== ''),
    ...settings,
    replicas: spec?.replicas ?? 1,
    gpu: annotations['gpumix.io/gpu'] ?? gpuOfPods(podSpec, labelKeys),
    gpusPerReplica: gpusOf(podSpec),
    pin: pinned === null ? null : { replicas: pinned, until },
    paused: paused || (pinned === null && annotations['gpumix.io/pin'] !== undefined),
    routerKnowledge: router.routerKnowledge,
    confirmedProfile: annotations['gpumix.io/profile-confirmed'] ?? null,
    podsRefused: refusalOf(status),
    problem: problems.length === 0 ? null : problems.join('; '),
    note: router.note === null ? null : `${where}: ${routerKey}: ${router.note}`,
  };
};

/** What a user has set on a Deployment, as far as it can be read, and what cannot. */
const userSettings = (
  where: string,
  labels: Readonly<Record<string, string>>,
  annotations: Readonly<Record<string, string>>,
  previous: ModelDeployment | undefined,
) => {
  const problems: string[] = [];
  /** What is read of a text: `absent` without one; of one that cannot be read what it was `before`, null where it never was. */
  interface Reading<T> {
    readonly absent: T;
    readonly before: T | undefined;
    readonly parse: (text: string) => T | null;
    readonly expected: string;
  }
  const read = <T>(key: string, text: string | undefined, { absent, before, parse, expected }: Reading<T>): T | null => {
    if (text === undefined) return absent;
    const value = parse(text);
    if (value !== null) return value;
    problems.push(`${where}: ${key} is ${JSON.stringify(text)}, not ${expected}`);
    return before ?? null;
  };
  const annotation = <T>(key: string, reading: Reading<T>): T | null => read(key, annotations[key], reading);
  const { price, attainment, priority, pin } = previous ?? {};
  // That the label was absent says nothing of what is meant now.
  const idleBefore = previous?.labels[idleReplicasKey] === undefined ? undefined : (previous.idleReplicas ?? undefined);
  const wholeReplicas = { parse: wholeNumber, expected: whole };
  const time = { parse: instant, expected: 'a time such as 2026-12-01T08:00:00Z' };
  return {
    idleReplicas: read(idleReplicasKey, labels[idleReplicasKey], { absent: 0, before: idleBefore, ...wholeReplicas }),
    price: annotation<number | null>('gpumix.io/price', {
      absent: null,
      before: price,
      parse: positive,
      expected: 'a number above 0',
    }),
    attainment: annotation<number | null>('gpumix.io/attainment', {
      absent: null,
      before: attainment,
      parse: attainmentShare,
      expected: attainmentExpected,
    }),
    priority: annotation('gpumix.io/priority', { absent: 0, before: priority, parse: integer, expected: 'an integer' }) ?? 0,
    pinned: annotation<number | null>('gpumix.io/pin', { absent: null, before: pin?.replicas, ...wholeReplicas }),
    until: annotation<number | null>('gpumix.io/pin-until', { absent: null, before: pin?.until, ...time }),
    paused: annotation('gpumix.io/paused', { absent: false, before: true, parse: boolean, expected: 'true or false' }) === true,
    problems,
  };
};

/** The name of the pod in it changes with each attempt. */
const refusalOf = (status: DeploymentObject['status']): string | null => {
  const failure = status?.conditions?.find(({ type, status: is }) => type === 'ReplicaFailure' && is === 'True');
  return failure === undefined
    ? null
    : (failure.message ?? 'its pods cannot be made').replace(/^pods "[^"]*" is forbidden: /, '');
};

/** What a user fixed the replicas at (Unix s); null = nothing is fixed. A pause counts before a pin. */
export const fixedReplicas = ({ pin, paused, replicas }: ModelDeployment, now: number): number | null => {
  if (paused) return replicas;
  return pin === null || (pin.until !== null && pin.until <= now) ? null : pin.replicas;
};

/**
 * What an annotation says of the router. One that no knowledge describes says nothing, so that the setting counts; a name that
 * nobody knows is a slip, and what it said before stands.
 */
const readRouter = (text: string | undefined, last: RouterKnowledge | null) => {
  const nothing = { routerKnowledge: null, note: null, problem: null };
  if (text === undefined) return nothing;
  const router = routerOf(text);
  if (router === null) return { ...nothing, routerKnowledge: last, problem: ` is ${JSON.stringify(text)}, not ${knownRouters}` };
  if (typeof router === 'string') return { ...nothing, problem: ` is left out: ${router}` };
  return { ...router, problem: null };
};

const whole = 'a whole number from 0';
const wholeNumber = (text: string): number | null => (/^\d{1,9}$/.test(text) ? Number(text) : null);
const integer = (text: string): number | null => (/^-?\d{1,9}$/.test(text) ? Number(text) : null);
const positive = (text: string): number | null => (/^\d+(\.\d+)?$/.test(text) && Number(text) > 0 ? Number(text) : null);

const attainmentShare = (text: string): number | null => {
  const share = positive(text);
  return share !== null && isAttainment(share) ? share : null;
};

const boolean = (text: string): boolean | null => (text === 'true' || text === 'false' ? text === 'true' : null);
/** With a time zone, so that nobody has to guess it. */
const instant = (text: string): number | null =>
  /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(text) && !Number.isNaN(Date.parse(text))
    ? Date.parse(text) / 1000
    : null;

/** The GPU type that the pods insist on: a node selector, or a required affinity that leaves one type. */
const gpuOfPods = (pods: PodSpec | undefined, labelKeys: readonly string[]): string | null => {
  const selected = gpuOfLabels(pods?.nodeSelector ?? {}, labelKeys);
  if (selected !== null) return selected;
  const terms = pods?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const types = new Set(terms.map((term) => gpuOfTerm(term, labelKeys)));
  return types.size === 1 ? ([...types][0] ?? null) : null;
};

/** The one type that a term leaves; null where it leaves several, or any. */
const gpuOfTerm = ({ matchExpressions = [] }: NodeSelectorTerm, labelKeys: readonly string[]): string | null => {
  const asked = matchExpressions.filter(({ key, operator }) => operator === 'In' && labelKeys.includes(key));
  const [first] = asked.toSorted((a, b) => labelKeys.indexOf(a.key) - labelKeys.indexOf(b.key));
  const types = new Set((first?.values ?? []).map((value) => gpuOfLabels({ [first!.key]: value }, labelKeys)));
  return types.size === 1 ? [...types][0]! : null;
};

/** GPUs that one pod asks for; 1 where the template does not say. */
const gpusOf = (pods: PodSpec | undefined): number => {
  const asked = (pods?.containers ?? []).map(({ resources }) => gpusAmong({ ...resources?.requests, ...resources?.limits }));
  const total = asked.reduce((sum, count) => sum + count, 0);
  return Number.isInteger(total) && total > 0 ? total : 1;
};
