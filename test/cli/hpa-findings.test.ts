import { expect, test } from 'vitest';
import { findingText } from '../../src/cli/finding.ts';
import { type HpaFacts, type HpaObject, hpaFindings } from '../../src/cli/hpa-findings.ts';

const target = { type: 'AverageValue', averageValue: '1' };
const ours = (more: object = {}) => ({
  type: 'Object',
  object: {
    metric: { name: 'gpumix_target_replicas' },
    describedObject: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'a' },
    target,
    ...more,
  },
});
const rapid = { tolerance: '0', stabilizationWindowSeconds: 0, policies: [{ type: 'Pods', value: 1000, periodSeconds: 15 }] };
const hpa = (spec: object = {}, more: object = {}): HpaObject => ({
  metadata: { namespace: 'ns', name: 'h' },
  spec: {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'a' },
    minReplicas: 0,
    maxReplicas: 20,
    metrics: [ours()],
    behavior: { scaleUp: rapid, scaleDown: rapid },
    ...spec,
  },
  ...more,
});
const facts = { externalMetrics: false, target: 8, mayBeAtZero: false };
const told = (object: HpaObject, change: Partial<typeof facts> = {}) => hpaFindings(object, { ...facts, ...change });
const metrics = (...all: readonly object[]) => hpa({ metrics: all });
const cpu = { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } };

test('an HPA like that of the samples scales', () => {
  expect(told(hpa()).map(findingText)).toEqual(['HPA ns/h scales a']);
  expect(told(metrics(ours({ target: { type: 'AverageValue', averageValue: '1000m' } }))).map(({ verdict }) => verdict)).toEqual([
    'ok',
  ]);
});

test.each([
  [
    '16: target type Value',
    metrics(ours({ target: { type: 'Value', value: '1' } })),
    'hpa-target-type',
    /^HPA ns\/h has target type Value: /,
  ],
  [
    '17: averageValue 100',
    metrics(ours({ target: { ...target, averageValue: '100' } })),
    'hpa-average-value',
    /of a target of 8 it makes 1 replicas$/,
  ],
  [
    '17: averageValue 500m',
    metrics(ours({ target: { ...target, averageValue: '500m' } })),
    'hpa-average-value',
    /it makes 16 replicas$/,
  ],
  [
    '18: another Deployment',
    metrics(ours({ describedObject: { kind: 'Deployment', name: 'b' } })),
    'hpa-described-object',
    /of Deployment b, and scales/,
  ],
  [
    '18: no Deployment',
    metrics(ours({ describedObject: { kind: 'Service', name: 'a' } })),
    'hpa-described-object',
    /of Service a, and scales/,
  ],
  ['19: CPU beside ours', metrics(ours(), cpu), 'hpa-other-metric', /reads cpu beside gpumix_target_replicas/],
  [
    '20: centi in an Object metric',
    metrics(ours({ metric: { name: 'gpumix_target_centi' } })),
    'hpa-metric',
    /is for AIBrix's PodAutoscalers$/,
  ],
  ['21: a wrong name', metrics(ours({ metric: { name: 'gpumix_target_replica' } })), 'hpa-metric', /but gpumix_target_replica$/],
  ['21: no metric', hpa({ metrics: [] }), 'hpa-metric', /but nothing$/],
  [
    '21: External',
    metrics({ type: 'External', external: { metric: { name: 'gpumix_target_replicas' }, target } }),
    'hpa-external',
    /as an external metric, which are not served$/,
  ],
])('fault %s is wrong, and one command gives it the metrics of the samples', (_name, object, id, text) => {
  const [found, ...others] = told(object);
  expect([found!.verdict, found!.id, findingText(found!), others]).toEqual(['wrong', id, expect.stringMatching(text), []]);
  const [, patch = ''] = /^kubectl patch hpa h -n ns --type=json -p='(.*)'$/.exec(found!.mend!) ?? [];
  expect(JSON.parse(patch)).toEqual([{ op: 'add', path: '/spec/metrics', value: [ours()] }]);
  expect(told(hpa({ metrics: JSON.parse(patch)[0].value })).map(({ verdict }) => verdict)).toEqual(['ok']);
});

test('external metrics that are served are as good', () => {
  const external = metrics({ type: 'External', external: { metric: { name: 'gpumix_target_replicas' }, target } });
  expect(told(external, { externalMetrics: true }).map(({ verdict }) => verdict)).toEqual(['ok']);
});

const behavior = (change: { up?: object; down?: object }) =>
  hpa({ behavior: { scaleUp: { ...rapid, ...change.up }, scaleDown: { ...rapid, ...change.down } } });
test.each([
  [
    '22: the default tolerance at 20',
    hpa({ behavior: undefined }),
    { target: 20 },
    'wrong',
    'hpa-tolerance',
    /difference of 2 at 20 replicas alone \(tolerance 0\.1\)$/,
  ],
  ['22: the default tolerance at 3', hpa({ behavior: undefined }), { target: 3 }, 'note', 'hpa-tolerance', /tolerance 0\.1/],
  [
    '26: scaleDown Disabled',
    behavior({ down: { selectPolicy: 'Disabled' } }),
    {},
    'wrong',
    'hpa-disabled',
    /scaleDown\.selectPolicy Disabled/,
  ],
  [
    '26: an hour',
    behavior({ down: { stabilizationWindowSeconds: 3600 } }),
    {},
    'note',
    'hpa-slow',
    /3615 s before it scales down/,
  ],
  [
    '26: a pod a minute',
    behavior({ up: { policies: [{ type: 'Pods', value: 1, periodSeconds: 60 }] } }),
    {},
    'note',
    'hpa-slow',
    /takes 20 min/,
  ],
  ['28: a label of 0', hpa({ minReplicas: 1 }), { mayBeAtZero: true }, 'note', 'hpa-minimum', /has minReplicas 1/],
] as const)('fault %s', (_name, object, change, verdict, id, text) => {
  const found = told(object, change as Partial<typeof facts>).filter((one) => one.verdict !== 'ok');
  expect(found.map((one) => [one.verdict, one.id])).toEqual([[verdict, id]]);
  expect(findingText(found[0]!)).toMatch(text);
  expect(found[0]!.mend).toMatch(/^kubectl patch hpa h -n ns --type=merge -p='\{"spec":/);
});

test('28: where no HPA can be at 0, the label is what gives way', () => {
  const minimum = (zero?: NonNullable<HpaFacts['zero']>) =>
    hpaFindings(hpa({ minReplicas: 1 }), { ...facts, mayBeAtZero: true, ...(zero === undefined ? {} : { zero }) }).at(-1)!;
  expect(minimum({ allowed: false, cluster: 'v1.36' })).toMatchObject({
    id: 'hpa-minimum',
    seen: expect.stringMatching(/and HPAs of this cluster \(v1\.36\) cannot be at 0, as HPAScaleToZero is off$/),
    mend: 'kubectl label deployment a -n ns --overwrite model.aibrix.ai/min_replicas=1',
  });
  const lowered = `kubectl patch hpa h -n ns --type=merge -p='{"spec":{"minReplicas":0}}'`;
  expect(minimum({ allowed: true, cluster: 'v1.37' }).mend).toBe(lowered);
  expect(minimum().mend).toBe(`${lowered} (Kubernetes 1.37, or HPAScaleToZero)`);
});

test('a few replicas are within no tolerance', () => {
  expect(told(hpa({ behavior: undefined, maxReplicas: 9 }), { target: 9 }).map(({ verdict }) => verdict)).toEqual(['ok']);
});

test('27: replicas 0 by hand, and other words of its own', () => {
  const says = (reason: string, message: string) =>
    told(hpa({}, { status: { conditions: [{ type: 'ScalingActive', status: 'False', reason, message }] } }))[0]!;
  expect(says('ScalingDisabled', 'scaling is disabled')).toMatchObject({
    id: 'hpa-disabled',
    mend: 'kubectl scale deployment a -n ns --replicas=1',
  });
  expect(findingText(says('FailedGetObjectMetric', 'no'))).toBe('HPA ns/h: FailedGetObjectMetric: no');
});

test('what a PodAutoscaler or a ScaledObject has made is theirs', () => {
  const owned = { metadata: { namespace: 'ns', name: 'h', ownerReferences: [{ kind: 'ScaledObject', name: 's' }] } };
  expect(told(hpa({ metrics: [cpu] }, owned)).map(({ verdict }) => verdict)).toEqual(['ok']);
});
