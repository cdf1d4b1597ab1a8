import { type Condition, objectKey } from '../cluster/kubernetes-object.ts';
import { type Finding, note, ok, unknown, wrong } from './finding.ts';

/** The part of AIBrix's PodAutoscaler that is judged. */
export interface PodAutoscalerObject {
  readonly metadata: {
    readonly namespace: string;
    readonly name: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: {
    readonly scalingStrategy?: string;
    readonly minReplicas?: number;
    readonly scaleTargetRef: { readonly kind?: string; readonly name?: string };
    readonly metricsSources?: readonly MetricsSource[];
  };
  readonly status?: { readonly conditions?: readonly Condition[] };
}
interface MetricsSource {
  readonly metricSourceType?: string;
  readonly protocolType?: string;
  readonly endpoint?: string;
  readonly path?: string;
  readonly targetMetric?: string;
}

/** Releases of AIBrix whose PodAutoscaler controllers read metrics alike. */
export type ControllerEra = 'up to v0.4.1' | 'v0.5.0 to v0.7.0' | 'after v0.7.0';
const eras: readonly ControllerEra[] = ['up to v0.4.1', 'v0.5.0 to v0.7.0', 'after v0.7.0'];

/** What is known of the controller's release. */
export interface ControllerRelease {
  /** `v0.7.0`; null = its image does not say, or there is none to be seen. */
  readonly version: string | null;
  /** Whether the CRD has the fields that came after v0.7.0; null = it cannot be read. */
  readonly newerFields: boolean | null;
}

/**
 * The version in an image's tag, `aibrix/controller-manager:v0.7.0`; null where there is none (`nightly`, a commit, a
 * digest).
 */
export const versionOfImage = (image: string): string | null => {
  const [, version] = /:v?(\d+\.\d+\.\d+)(?:-[\w.-]+)?(?:@|$)/.exec(image) ?? [];
  return version === undefined ? null : `v${version}`;
};

/** The eras that the controller may be of: one where its image tells, those that the CRD leaves where it does not. */
export const possibleEras = ({ version, newerFields }: ControllerRelease): readonly ControllerEra[] => {
  if (version === null) return newerFields === null ? eras : eras.filter((era) => (era === 'after v0.7.0') === newerFields);
  const [major = 0, minor = 0, patch = 0] = version.slice(1).split('.').map(Number);
  if (major > 0 || minor > 7 || (minor === 7 && patch > 0)) return ['after v0.7.0'];
  return [minor >= 5 ? 'v0.5.0 to v0.7.0' : 'up to v0.4.1'];
};

/** Something that a PodAutoscaler does with our metrics and its user does not expect. */
interface Trap {
  readonly met: (source: MetricsSource, object: PodAutoscalerObject) => boolean;
  /** Releases that fall into it. */
  readonly in: readonly ControllerEra[];
  /** Releases of which some fall into it. */
  readonly perhapsIn?: readonly ControllerEra[];
  readonly seen: string;
  readonly mend: string;
}

const centi = 'gpumix_target_centi';
const isExternal = ({ metricSourceType }: MetricsSource): boolean =>
  metricSourceType === 'external' || metricSourceType === 'domain';
const byHttp = (source: MetricsSource): boolean => isExternal(source) && (source.endpoint ?? '') !== '';
const readsCustom = ({ metricSourceType, targetMetric }: MetricsSource): boolean =>
  metricSourceType === 'custom' && targetMetric === centi;
/** Reads one of our values, which are for the whole Deployment and not for a pod. */
const readsTotal = (source: MetricsSource): boolean =>
  readsCustom(source) || (isExternal(source) && /^gpumix-/.test(source.targetMetric ?? ''));

const panicThresholdKey = 'autoscaling.aibrix.ai/panic-threshold';
/** With a threshold of 0 it never does. */
const leavesPanicMode = ({ metadata }: PodAutoscalerObject): boolean =>
  Number.parseFloat(metadata.annotations?.[panicThresholdKey] ?? '2') !== 0;

const traps: readonly Trap[] = [
  {
    met: (source, { spec }) => readsCustom(source) && spec.minReplicas === 0,
    in: eras,
    seen: 'has source custom and minReplicas 0: it reads its metric from pods, so that it reaches 0 and never wakes',
    mend: 'set minReplicas to 1, or scale by an HPA (manifests/samples/hpa), which wakes',
  },
  {
    met: (source, object) => readsCustom(source) && object.spec.scalingStrategy === 'KPA' && leavesPanicMode(object),
    in: ['v0.5.0 to v0.7.0'],
    seen:
      `has no annotation ${panicThresholdKey}: "0": once its controller leaves panic mode, it goes by an average over 180 s and cuts back a ` +
      'fleet that has just grown',
    mend: 'manifests/samples/aibrix has the settings under which it does not',
  },
  {
    met: (source) => isExternal(source) && !byHttp(source),
    in: ['up to v0.4.1', 'v0.5.0 to v0.7.0'],
    seen: 'has source external without an endpoint, which its controller rejects (protocolType is required), so that it scales nothing',
    mend: `use source custom with ${centi} and minReplicas 1, or an HPA (manifests/samples/hpa), or a release after v0.7.0`,
  },
  {
    met: byHttp,
    in: ['v0.5.0 to v0.7.0'],
    perhapsIn: ['after v0.7.0'],
    seen:
      'has a source that is read by HTTP, as from --plain-metrics-port: its controller looks for the metric in a registry of its own, does not ' +
      'find it there and reads 0, unless the release mends AIBrix issue 2615',
    mend: 'use a source of the Kubernetes API, or an HPA (manifests/samples/hpa)',
  },
  {
    met: (source, { spec }) => spec.scalingStrategy === 'APA' && readsTotal(source),
    in: eras,
    seen:
      'has scalingStrategy APA, which multiplies the replicas by value / targetValue; the value is for all replicas together, so that it runs ' +
      'to maxReplicas',
    mend: 'set scalingStrategy to KPA',
  },
  {
    met: (source, { spec }) => spec.scalingStrategy === 'HPA' && readsCustom(source),
    in: eras,
    seen:
      `has scalingStrategy HPA, which adds up ${centi} of all pods, each of which has the value for all replicas together, so that it runs ` +
      'to maxReplicas',
    mend: 'set scalingStrategy to KPA, or use an HPA of your own (manifests/samples/hpa)',
  },
];

/** Whether it reads a metric of ours through the custom metrics API, so that its controller needs the right to. */
export const needsCustomMetrics = ({ spec }: PodAutoscalerObject): boolean => (spec.metricsSources ?? []).some(readsCustom);

/**
 * What is wrong with one PodAutoscaler that scales a Deployment of ours, by the release of its controller. Where the release
 * is not known, a trap of some releases is `unknown` and names them.
 */
export const podAutoscalerFindings = (object: PodAutoscalerObject, release: ControllerRelease): readonly Finding[] => {
  const { metadata, spec, status } = object;
  const it = `PodAutoscaler ${objectKey(metadata)}`;
  const sources = spec.metricsSources ?? [];
  const possible = possibleEras(release);
  const trapped = traps
    .filter(({ met }) => sources.some((source) => met(source, object)))
    .flatMap((trap) => trapFinding(it, trap, possible));
  const refused = (status?.conditions ?? []).filter(
    (condition) => condition.status === 'False' && refusals.includes(condition.type),
  );
  const ours = sources.some((source) => readsTotal(source) || byHttp(source));
  const findings = [
    ...(ours ? [] : [wrong('pod-autoscaler', it, 'reads no metric of gpumix', 'manifests/samples/aibrix has one that does')]),
    ...trapped,
    ...refused.map(({ type, reason, message }) =>
      wrong(
        'pod-autoscaler',
        it,
        `says that ${type} is False: ${reason}: ${message}`,
        `kubectl describe podautoscaler ${metadata.name} -n ${metadata.namespace}`,
      ),
    ),
    // Strategy HPA makes an HPA, which holds.
    ...(spec.scalingStrategy !== 'HPA' && sources.some(readsCustom) ? errorNote(it, object, possible) : []),
  ];
  const works = findings.every(({ verdict }) => verdict === 'note');
  return works ? [ok(it, `scales ${spec.scaleTargetRef.name}`), ...findings] : findings;
};
const refusals = ['ValidSpec', 'AbleToScale', 'ScalingActive'];

const trapFinding = (it: string, trap: Trap, possible: readonly ControllerEra[]): readonly Finding[] => {
  const may = [...trap.in, ...(trap.perhapsIn ?? [])];
  if (!possible.some((era) => may.includes(era))) return [];
  if (possible.every((era) => trap.in.includes(era))) return [wrong('pod-autoscaler', it, trap.seen, trap.mend)];
  const certain = trap.in.filter((era) => possible.includes(era));
  const perhaps = (trap.perhapsIn ?? []).filter((era) => possible.includes(era));
  const releases = [...certain.map((era) => `AIBrix ${era}`), ...perhaps.map((era) => `some AIBrix ${era}`)];
  return [unknown('pod-autoscaler', `with ${releases.join(' or ')}, ${it}`, trap.seen, trap.mend)];
};

const downRateKey = 'autoscaling.aibrix.ai/max-scale-down-rate';
const defaultDownRate = '2';

/** An error that is read as 0 lowers the replicas at each look: how far is up to the down rate and minReplicas. */
const errorNote = (
  it: string,
  { metadata, spec }: PodAutoscalerObject,
  possible: readonly ControllerEra[],
): readonly Finding[] => {
  const affected = possible.filter((era) => era !== 'up to v0.4.1');
  if (affected.length === 0) return [];
  const given = metadata.annotations?.[downRateKey];
  const rate = given ?? `${defaultDownRate} by default`;
  const when = possible.length === affected.length ? '' : `with AIBrix ${affected.join(' or ')}, `;
  return [
    note(
      'pod-autoscaler',
      `${when}${it}`,
      `has source custom: while its metric cannot be read, its controller takes it for 0 and divides the replicas by up to ` +
        `${rate} at each look (10 s), down to minReplicas ${spec.minReplicas ?? 1}`,
      `the annotation ${downRateKey}, close to 1, bounds what is lost`,
    ),
  ];
};
