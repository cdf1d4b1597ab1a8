import { type Condition, objectKey } from '../cluster/kubernetes-object.ts';
import { type Behavior, paceOfBehavior } from '../cluster/pace.ts';
import { type Finding, note, ok, wrong } from './finding.ts';
import type { ZeroReplicas } from './hpa-at-zero.ts';

/** An HPA, as far as it is judged. */
export interface HpaObject {
  readonly metadata: {
    readonly namespace: string;
    readonly name: string;
    readonly ownerReferences?: readonly { readonly kind?: string; readonly name?: string }[];
  };
  readonly spec: {
    readonly scaleTargetRef: { readonly apiVersion?: string; readonly kind: string; readonly name: string };
    readonly minReplicas?: number;
    readonly maxReplicas?: number;
    readonly metrics?: readonly HpaMetric[];
    readonly behavior?: Behavior & { readonly scaleUp?: Rules; readonly scaleDown?: Rules };
  };
  readonly status?: { readonly conditions?: readonly Condition[] };
}
interface Rules {
  readonly selectPolicy?: string;
  readonly policies?: readonly { readonly type?: string; readonly value?: number; readonly periodSeconds?: number }[];
}
interface HpaMetric {
  readonly type?: string;
  readonly object?: MetricSource;
  readonly pods?: MetricSource;
  readonly external?: MetricSource;
  readonly resource?: { readonly name?: string };
  readonly containerResource?: { readonly name?: string };
}
interface MetricSource {
  readonly metric?: { readonly name?: string };
  readonly describedObject?: { readonly kind?: string; readonly name?: string };
  readonly target?: { readonly type?: string; readonly averageValue?: string | number; readonly value?: string | number };
}

/** What an HPA is judged by beside itself. */
export interface HpaFacts {
  /** Whether serve was started with --external-metrics. */
  readonly externalMetrics: boolean;
  /** What its Deployment's target is now; null = none. */
  readonly target: number | null;
  /** Whether the Deployment's label says that it may be at 0. */
  readonly mayBeAtZero: boolean;
  /** Whether HPAs of this cluster may be at 0; absent = not known. */
  readonly zero?: ZeroReplicas;
}

const unknownZero: ZeroReplicas = { allowed: null, cluster: '' };

const ourMetric = 'gpumix_target_replicas';
const centiMetric = 'gpumix_target_centi';

/** One that a PodAutoscaler or a ScaledObject has made reads what that made for it. */
export const isMadeByOther = ({ metadata }: HpaObject): boolean =>
  (metadata.ownerReferences ?? []).some(({ kind }) => kind === 'PodAutoscaler' || kind === 'ScaledObject');

/** What is wrong with one HPA that scales a Deployment of ours. */
export const hpaFindings = (hpa: HpaObject, facts: HpaFacts): readonly Finding[] => {
  const it = `HPA ${objectKey(hpa.metadata)}`;
  const found = [
    ...(isMadeByOther(hpa) ? [] : [...metricFindings(it, hpa, facts), ...behaviorFindings(it, hpa, facts)]),
    ...conditionFindings(it, hpa),
  ];
  const works = found.every(({ verdict }) => verdict === 'note');
  return works ? [ok(it, `scales ${hpa.spec.scaleTargetRef.name}`), ...found] : found;
};

const metricFindings = (it: string, hpa: HpaObject, { externalMetrics }: HpaFacts): readonly Finding[] => {
  const metrics = hpa.spec.metrics ?? [];
  const mend = patched(hpa, '/spec/metrics', [rightMetric(hpa)]);
  const ours = metrics.filter((metric) => nameOf(metric) === ourMetric);
  if (ours.length === 0) return [wrong('hpa-metric', it, insteadText(metrics.map(nameOf)), mend)];
  const others = metrics.filter((metric) => nameOf(metric) !== ourMetric).map(nameOf);
  return [
    ...(others.length === 0
      ? []
      : [wrong('hpa-other-metric', it, `reads ${others.join(', ')} beside ${ourMetric}: what wants more replicas wins`, mend)]),
    ...ours.flatMap((metric) => ourMetricFindings(it, metric, hpa, externalMetrics, mend)),
  ];
};

/** What stands in place of the metric, and for whom it is. */
const insteadText = (names: readonly string[]): string => {
  const centi = names.includes(centiMetric) ? `; ${centiMetric} is for AIBrix's PodAutoscalers` : '';
  return `reads no metric ${ourMetric}, but ${names.join(', ') || 'nothing'}${centi}`;
};

const ourMetricFindings = (
  it: string,
  metric: HpaMetric,
  hpa: HpaObject,
  externalMetrics: boolean,
  mend: string,
): readonly Finding[] => {
  const source = sourceOf(metric);
  const { type, averageValue } = source.target ?? {};
  const { kind, name } = hpa.spec.scaleTargetRef;
  const described = source.describedObject;
  const isOther = metric.type === 'Object' && (described?.kind !== kind || described?.name !== name);
  return [
    ...(metric.type === 'External' && !externalMetrics
      ? [wrong('hpa-external', it, `reads ${ourMetric} as an external metric, which are not served`, mend)]
      : []),
    ...(isOther
      ? [
          wrong(
            'hpa-described-object',
            it,
            `reads the target of ${described?.kind} ${described?.name}, and scales ${kind} ${name}`,
            mend,
          ),
        ]
      : []),
    ...(type === 'AverageValue'
      ? []
      : [
          wrong(
            'hpa-target-type',
            it,
            `has target type ${type}: its replicas are multiplied by the metric, up to maxReplicas`,
            mend,
          ),
        ]),
    ...(type === 'AverageValue' && quantity(averageValue) !== 1
      ? [
          wrong(
            'hpa-average-value',
            it,
            `has averageValue ${averageValue}: of a target of 8 it makes ${Math.ceil(8 / (quantity(averageValue) || 1))} replicas`,
            mend,
          ),
        ]
      : []),
  ];
};

const sourceOf = ({ object, pods, external }: HpaMetric): MetricSource => object ?? pods ?? external ?? {};

const nameOf = (metric: HpaMetric): string =>
  sourceOf(metric).metric?.name ?? metric.resource?.name ?? metric.containerResource?.name ?? String(metric.type);

const rightMetric = ({ spec }: HpaObject) => ({
  type: 'Object',
  object: {
    describedObject: { apiVersion: 'apps/v1', kind: 'Deployment', name: spec.scaleTargetRef.name },
    metric: { name: ourMetric },
    target: { type: 'AverageValue', averageValue: '1' },
  },
});

/** A command that replaces a field. */
const patched = ({ metadata }: HpaObject, path: string, value: unknown): string =>
  `kubectl patch hpa ${metadata.name} -n ${metadata.namespace} --type=json -p='${JSON.stringify([{ op: 'add', path, value }])}'`;

/** A command that changes rules of one direction and leaves the others. */
const ruled = ({ metadata }: HpaObject, behavior: object): string =>
  `kubectl patch hpa ${metadata.name} -n ${metadata.namespace} --type=merge -p='${JSON.stringify({ spec: { behavior } })}'`;

/** An autoscaler that takes longer than this to follow (s) is told of. */
const slow = 600;

const behaviorFindings = (
  it: string,
  hpa: HpaObject,
  { target, mayBeAtZero, zero = unknownZero }: HpaFacts,
): readonly Finding[] => {
  const { behavior = {}, minReplicas = 1, maxReplicas = 1 } = hpa.spec;
  const pace = paceOfBehavior(behavior);
  const ways = ['scaleUp', 'scaleDown'] as const;
  const disabled = ways.filter((way) => behavior[way]?.selectPolicy === 'Disabled');
  const tolerance = Math.max(pace.up.tolerance, pace.down.tolerance);
  const off = { scaleUp: { tolerance: '0' }, scaleDown: { tolerance: '0' } };
  const tolerant = `leaves a difference of ${Math.floor(tolerance * (target ?? maxReplicas))} at ${target ?? maxReplicas} replicas alone (tolerance ${tolerance})`;
  const steps = minutesBetween(behavior.scaleUp, minReplicas, maxReplicas);
  return [
    ...disabled.map((way) =>
      wrong(
        'hpa-disabled',
        it,
        `has ${way}.selectPolicy Disabled: it does not follow that way`,
        ruled(hpa, { [way]: { selectPolicy: 'Max' } }),
      ),
    ),
    ...(tolerance * (target ?? 0) >= 1
      ? [wrong('hpa-tolerance', it, tolerant, ruled(hpa, off))]
      : tolerance * maxReplicas >= 1
        ? [note('hpa-tolerance', it, tolerant, ruled(hpa, off))]
        : []),
    ...(steps * 60 > slow
      ? [
          note(
            'hpa-slow',
            it,
            `adds pods so slowly that it takes ${Math.round(steps)} min from minReplicas to maxReplicas`,
            ruled(hpa, { scaleUp: { policies: [{ type: 'Pods', value: 1000, periodSeconds: 15 }] } }),
          ),
        ]
      : []),
    ...(Math.max(pace.up.waitSeconds, pace.down.waitSeconds) > slow
      ? [
          note(
            'hpa-slow',
            it,
            `waits ${pace.up.waitSeconds} s before it scales up, ${pace.down.waitSeconds} s before it scales down; gpumix damps by itself`,
            ruled(hpa, { scaleUp: { stabilizationWindowSeconds: 0 }, scaleDown: { stabilizationWindowSeconds: 0 } }),
          ),
        ]
      : []),
    ...(mayBeAtZero && minReplicas > 0 ? [minimumFinding(it, hpa, zero)] : []),
  ];
};

const minimumFinding = (it: string, { metadata, spec }: HpaObject, { allowed, cluster }: ZeroReplicas): Finding => {
  const { namespace } = metadata;
  const lowered = `kubectl patch hpa ${metadata.name} -n ${namespace} --type=merge -p='{"spec":{"minReplicas":0}}'`;
  const labelled = `kubectl label deployment ${spec.scaleTargetRef.name} -n ${namespace} --overwrite model.aibrix.ai/min_replicas=1`;
  const seen = `has minReplicas ${spec.minReplicas ?? 1}: the label model.aibrix.ai/min_replicas "0" does nothing`;
  if (allowed === false)
    return note(
      'hpa-minimum',
      it,
      `${seen}, and HPAs of this cluster (${cluster}) cannot be at 0, as HPAScaleToZero is off`,
      labelled,
    );
  const where = allowed === true ? '' : ' (Kubernetes 1.37, or HPAScaleToZero)';
  return note('hpa-minimum', it, seen, `${lowered}${where}`);
};

/** How long pods alone, a few at a time, take from the least to the most (min); 0 = a share of them may come at once. */
const minutesBetween = (rules: Rules | undefined, least: number, most: number): number => {
  const policies = rules?.policies ?? [];
  if (policies.length === 0 || policies.some(({ type }) => type !== 'Pods')) return 0;
  const fastest = Math.max(...policies.map(({ value = 0, periodSeconds = 60 }) => value / periodSeconds));
  return fastest > 0 ? (most - least) / fastest / 60 : 0;
};

const conditionFindings = (it: string, hpa: HpaObject): readonly Finding[] => {
  const conditions = hpa.status?.conditions ?? [];
  const { name } = hpa.spec.scaleTargetRef;
  const limited = conditions.find(({ type, status }) => type === 'ScalingLimited' && status === 'True');
  return [
    ...conditions
      .filter(({ status, type }) => status === 'False' && ['AbleToScale', 'ScalingActive'].includes(type))
      .map(({ reason, message }) =>
        reason === 'ScalingDisabled'
          ? wrong(
              'hpa-disabled',
              it,
              'is off, as its Deployment was set to 0 replicas by hand',
              `kubectl scale deployment ${name} -n ${hpa.metadata.namespace} --replicas=1`,
            )
          : wrong('hpa-failing', it, `${reason}: ${message}`),
      ),
    ...(limited === undefined ? [] : [note('hpa-limited', it, `is at its limit: ${limited.message}`)]),
  ];
};

/** `1`, `500m`, `2k`; NaN where it is none. */
const quantity = (text: string | number | undefined): number => {
  const [, number, suffix] = /^([+-]?[\d.]+)([mk]?)$/.exec(String(text)) ?? [];
  return Number(number) * ({ m: 1e-3, k: 1e3 }[suffix ?? ''] ?? 1);
};
