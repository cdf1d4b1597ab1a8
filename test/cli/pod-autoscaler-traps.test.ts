import { expect, test } from 'vitest';
import { findingText } from '../../src/cli/finding.ts';
import {
  type ControllerRelease,
  type PodAutoscalerObject,
  podAutoscalerFindings,
  possibleEras,
  versionOfImage,
} from '../../src/cli/pod-autoscaler-traps.ts';

const at = (version: string | null, newerFields: boolean | null = null): ControllerRelease => ({
  version,
  newerFields,
});
const unknownRelease = at(null);

const custom = { metricSourceType: 'custom', targetMetric: 'gpumix_target_centi' };
const external = { metricSourceType: 'external', targetMetric: 'gpumix-a' };
const http = {
  ...{ metricSourceType: 'external', protocolType: 'http', endpoint: 'gpumix.gpumix-system:8080' },
  ...{ path: '/metrics/serving/a', targetMetric: 'vllm:deployment_replicas' },
};
const annotations = { 'autoscaling.aibrix.ai/panic-threshold': '0' };
const plain = { metadata: { namespace: 'serving', name: 'a' } };
const podAutoscaler = (
  source: object,
  spec: Partial<PodAutoscalerObject['spec']> = {},
  more: Partial<PodAutoscalerObject> = {},
): PodAutoscalerObject => ({
  metadata: { namespace: 'serving', name: 'a', annotations },
  ...more,
  spec: {
    scalingStrategy: 'KPA',
    minReplicas: 1,
    scaleTargetRef: { kind: 'Deployment', name: 'a' },
    metricsSources: [source],
    ...spec,
  },
});
/** Findings of a verdict, without what is said of every custom source. */
const told = (object: PodAutoscalerObject, release: ControllerRelease, verdict: string): readonly string[] =>
  podAutoscalerFindings(object, release).flatMap((one) =>
    one.verdict === verdict ? [[findingText(one), ...(one.mend === null ? [] : [one.mend])].join('; ')] : [],
  );

test.each([
  ['custom with minReplicas 0 at v0.7.0', podAutoscaler(custom, { minReplicas: 0 }), 'v0.7.0', /reaches 0 and never wakes/],
  ['custom with minReplicas 0 after v0.7.0', podAutoscaler(custom, { minReplicas: 0 }), 'v0.8.0', /set minReplicas to 1/],
  ['external without endpoint at v0.7.0', podAutoscaler(external), 'v0.7.0', /rejects \(protocolType is required\)/],
  ['external without endpoint at v0.4.1', podAutoscaler(external), 'v0.4.1', /or a release after v0\.7\.0$/],
  ['domain without endpoint at v0.6.0', podAutoscaler({ ...external, metricSourceType: 'domain' }), 'v0.6.0', /rejects/],
  ['an HTTP endpoint at v0.5.0', podAutoscaler(http), 'v0.5.0', /by HTTP, as from --plain-metrics-port: .* reads 0/],
  ['an HTTP endpoint at v0.7.0', podAutoscaler({ ...http, metricSourceType: 'domain' }), 'v0.7.0', /reads 0/],
  [
    'custom with the default panic threshold at v0.7.0',
    podAutoscaler(custom, {}, plain),
    'v0.7.0',
    /panic-threshold: "0": .* cuts back a fleet/,
  ],
  ['APA on the total of a Deployment', podAutoscaler(custom, { scalingStrategy: 'APA' }), 'v0.7.0', /APA.*to maxReplicas/],
  ['APA on the external total', podAutoscaler(external, { scalingStrategy: 'APA' }), 'v0.8.0', /APA.*to maxReplicas/],
  ['strategy HPA on the total', podAutoscaler(custom, { scalingStrategy: 'HPA' }), 'v0.7.0', /HPA.*to maxReplicas/],
  [
    'a metric that is not ours',
    podAutoscaler({ metricSourceType: 'resource', targetMetric: 'cpu' }),
    'v0.7.0',
    /no metric of gpumix/,
  ],
] as const)('%s is wrong, and what mends it is said', (_name, object, version, text) => {
  expect(told(object, at(version), 'wrong')).toEqual([expect.stringMatching(text)]);
  expect(told(object, at(version), 'wrong')[0]).toMatch(/^PodAutoscaler serving\/a /);
  expect(told(object, at(version), 'ok')).toEqual([]);
});

test.each([
  ['custom with minReplicas 1 at v0.7.0', podAutoscaler(custom), 'v0.7.0'],
  ['custom without minReplicas, which is 1', podAutoscaler(custom, { minReplicas: undefined as never }), 'v0.7.0'],
  ['custom with the default panic threshold after v0.7.0', podAutoscaler(custom, {}, plain), 'v0.8.0'],
  ['external without endpoint after v0.7.0', podAutoscaler(external, { minReplicas: 0 }), 'v0.8.0'],
  ['an HTTP endpoint at v0.4.1', podAutoscaler(http, { minReplicas: 0 }), 'v0.4.1'],
] as const)('%s works', (_name, object, version) => {
  expect(told(object, at(version), 'ok')).toEqual(['PodAutoscaler serving/a scales a']);
  expect([...told(object, at(version), 'wrong'), ...told(object, at(version), 'unknown')]).toEqual([]);
});

test.each([
  [
    'an external metric where nothing tells',
    podAutoscaler(external),
    unknownRelease,
    /^with AIBrix up to v0\.4\.1 or AIBrix v0\.5\.0 to v0\.7\.0, Pod/,
  ],
  [
    'an HTTP endpoint where nothing tells',
    podAutoscaler(http),
    unknownRelease,
    /^with AIBrix v0\.5\.0 to v0\.7\.0 or some AIBrix after v0\.7\.0, Pod/,
  ],
  ['an HTTP endpoint after v0.7.0', podAutoscaler(http), at('v0.8.0'), /^with some AIBrix after v0\.7\.0, Pod.*issue 2615/],
  [
    'an HTTP endpoint before the new fields',
    podAutoscaler(http),
    at(null, false),
    /^with AIBrix v0\.5\.0 to v0\.7\.0, PodAutoscaler/,
  ],
] as const)('%s is a question, and for which releases it holds is said', (_name, object, release, text) => {
  expect(told(object, release, 'unknown')).toEqual([expect.stringMatching(text)]);
  expect(told(object, release, 'wrong')).toEqual([]);
});

test.each([
  ['custom with minReplicas 0', podAutoscaler(custom, { minReplicas: 0 }), unknownRelease],
  ['APA', podAutoscaler(custom, { scalingStrategy: 'APA' }), unknownRelease],
  ['external without endpoint and without the new fields', podAutoscaler(external), at(null, false)],
] as const)('%s is wrong whatever release it may be', (_name, object, release) => {
  expect(told(object, release, 'wrong')).toHaveLength(1);
});

test.each([
  [
    'the default down rate',
    podAutoscaler(custom),
    'v0.7.0',
    /^PodAutoscaler serving\/a has source custom: .* by up to 2 by default at each look \(10 s\), down to minReplicas 1;/,
  ],
  [
    'a down rate of its own',
    podAutoscaler(
      custom,
      { minReplicas: 3 },
      {
        metadata: {
          namespace: 'serving',
          name: 'a',
          annotations: { ...annotations, 'autoscaling.aibrix.ai/max-scale-down-rate': '1.1' },
        },
      },
    ),
    'v0.8.0',
    /by up to 1\.1 at each look \(10 s\), down to minReplicas 3;/,
  ],
  [
    'a release that is not known',
    podAutoscaler(custom),
    null,
    /^with AIBrix v0\.5\.0 to v0\.7\.0 or after v0\.7\.0, PodAutoscaler/,
  ],
] as const)('an error that is read as 0 is a note with what bounds it: %s', (_name, object, version, text) => {
  expect(told(object, at(version), 'note')).toEqual([expect.stringMatching(text)]);
});

test('strategy HPA makes an HPA, which holds, so there is no note', () => {
  expect(told(podAutoscaler(custom, { scalingStrategy: 'HPA' }), at('v0.7.0'), 'note')).toEqual([]);
});

test('up to v0.4.1 an error of source custom held, so there is no note', () => {
  expect(told(podAutoscaler(custom), at('v0.4.1'), 'note')).toEqual([]);
});

test('what its controller says of it is told', () => {
  const conditions = [
    { type: 'ValidSpec', status: 'False', reason: 'MetricsConfigError', message: 'protocolType is required' },
    { type: 'Ready', status: 'True' },
  ];
  expect(told(podAutoscaler(custom, {}, { status: { conditions } }), at('v0.7.0'), 'wrong')).toEqual([
    'PodAutoscaler serving/a says that ValidSpec is False: MetricsConfigError: protocolType is required; kubectl describe podautoscaler a -n serving',
  ]);
});

test.each([
  ['aibrix/controller-manager:v0.7.0', 'v0.7.0'],
  ['registry:5000/aibrix/controller-manager:v0.6.0@sha256:0a1b', 'v0.6.0'],
  ['aibrix/controller-manager:0.8.0', 'v0.8.0'],
  ['aibrix/controller-manager:v0.8.0-rc.1', 'v0.8.0'],
  ['aibrix/controller-manager:nightly', null],
  ['aibrix/controller-manager:e3e10f9e', null],
  ['registry:5000/aibrix/controller-manager', null],
  ['aibrix/controller-manager@sha256:0a1b', null],
  ['', null],
])('the version of image %j is %s', (image, version) => {
  expect(versionOfImage(image)).toBe(version);
});

test.each([
  ['v0.4.1', null, ['up to v0.4.1']],
  ['v0.5.0', null, ['v0.5.0 to v0.7.0']],
  ['v0.7.0', true, ['v0.5.0 to v0.7.0']],
  ['v0.7.1', null, ['after v0.7.0']],
  ['v0.10.0', null, ['after v0.7.0']],
  ['v1.0.0', null, ['after v0.7.0']],
  [null, true, ['after v0.7.0']],
  [null, false, ['up to v0.4.1', 'v0.5.0 to v0.7.0']],
  [null, null, ['up to v0.4.1', 'v0.5.0 to v0.7.0', 'after v0.7.0']],
] as const)('version %s with newer fields %s may be %j', (version, newerFields, eras) => {
  expect(possibleEras({ version, newerFields })).toEqual(eras);
});
