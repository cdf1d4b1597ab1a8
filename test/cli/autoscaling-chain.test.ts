import { expect, test } from 'vitest';
import { findingsOfKubernetes, type KubernetesAnswers, kubernetesAnswers } from '../../src/cli/autoscaling-chain.ts';
import { findingText } from '../../src/cli/finding.ts';
import { askedInPeace } from '../../src/cli/kubernetes-answer.ts';
import { modelDeployment } from '../../src/cluster/variant.ts';

const deployment = modelDeployment({
  metadata: { name: 'a', namespace: 'serving', labels: { 'model.aibrix.ai/name': 'm' } },
})!;
const config = { serviceName: 'gpumix', serviceNamespace: null, externalMetrics: false };

const answer = (body: unknown, status = 200) => ({ status, body });
const available = (status: string, service: object = { namespace: 'gpumix-system', name: 'gpumix' }) =>
  answer({ spec: { service }, status: { conditions: [{ type: 'Available', status, message: 'no endpoints' }] } });
const autoscaler = (changes: object = {}) => ({
  metadata: { namespace: 'serving', name: 'a' },
  spec: {
    scaleTargetRef: { kind: 'Deployment', name: 'a' },
    metrics: [
      {
        type: 'Object',
        object: {
          describedObject: { kind: 'Deployment', name: 'a' },
          metric: { name: 'gpumix_target_replicas' },
          target: { type: 'AverageValue', averageValue: '1' },
        },
      },
    ],
  },
  status: { conditions: [{ type: 'ScalingActive', status: 'True' }] },
  ...changes,
});
const noAibrix = { podAutoscalers: [], controllers: [], schema: null, reviews: new Map() };
const asked = (changes: Partial<KubernetesAnswers> = {}): KubernetesAnswers => ({
  apiServices: [{ name: 'v1beta2.custom.metrics.k8s.io', answer: available('True') }],
  autoscalers: answer({ items: [autoscaler(), autoscaler({ metadata: { namespace: 'other', name: 'a' } })] }),
  scaledObjects: answer({}, 404),
  aibrix: noAibrix,
  version: answer({ major: '1', minor: '37' }),
  gates: null,
  targets: [{ namespace: 'serving', answer: answer({ items: [{}] }) }],
  ...changes,
});
const deployments = new Map([['serving/a', deployment]]);
const cluster = (scaled = ['serving/a']) => ({
  cluster: { deployments, paces: () => new Map(scaled.map((key) => [key, {} as never])) },
});

test('what lies between gpumix and spec.replicas', () => {
  const told = findingsOfKubernetes(asked(), cluster(), config);
  expect(told.map(findingText)).toEqual([
    'APIService v1beta2.custom.metrics.k8s.io is Available',
    'targets in serving as an HPA reads them: 1 of 1',
    'HPA serving/a scales a',
  ]);
  expect(told.every(({ verdict }) => verdict === 'ok')).toBe(true);
});

const services = (one: KubernetesAnswers['autoscalers']) => ({ apiServices: [{ name: 'v', answer: one }] });
const hpas = (changes: object) => ({ autoscalers: answer({ items: [autoscaler(changes)] }) });
const spec = { scaleTargetRef: { kind: 'Deployment', name: 'a' }, metrics: [{ type: 'Resource', resource: { name: 'cpu' } }] };
const conditions = (type: string, status: string) => ({
  status: { conditions: [{ type, status, reason: 'R', message: 'said' }] },
});
test.each([
  ['no APIService', services(answer({}, 404)), 'wrong', /^APIService v is not there$/],
  ['another one’s', services(available('True', { namespace: 'x', name: 'y' })), 'wrong', /belongs to x\/y/],
  ['one that is not Available', services(available('False')), 'wrong', /is not Available: no endpoints/],
  ['one that may not be read', services(answer({ message: 'no' }, 403)), 'unknown', /: 403 no$/],
  ['no target', { targets: [{ namespace: 'serving', answer: answer({ items: [] }) }] }, 'wrong', /0 of 1$/],
  ['no answer', { targets: [{ namespace: 'serving', answer: answer('down', 503) }] }, 'wrong', /: 503 down$/],
  [
    'not ours to read',
    { targets: [{ namespace: 'serving', answer: answer({}, 403) }] },
    'unknown',
    /were not looked at: this account may not read them, and need not$/,
  ],
  ['an HPA on CPU', hpas({ spec }), 'wrong', /^HPA serving\/a reads no metric gpumix_target_replicas, but cpu$/],
  ['an HPA that fails', hpas(conditions('ScalingActive', 'False')), 'wrong', /^HPA serving\/a: R: said$/],
  ['an HPA at its limit', hpas(conditions('ScalingLimited', 'True')), 'note', /at its limit: said$/],
] as const)('%s is told', (_name, changes, verdict, text) => {
  const told = findingsOfKubernetes(asked(changes), cluster(), config).filter((one) => one.verdict !== 'ok');
  expect(told.map((one) => [one.verdict, findingText(one)])).toEqual([[verdict, expect.stringMatching(text)]]);
  expect(told[0]!.id).not.toBeNull();
});

test('what is said of AIBrix’s PodAutoscalers comes last', () => {
  const aibrix = { ...noAibrix, podAutoscalers: answer({ message: 'no' }, 403) };
  expect(findingText(findingsOfKubernetes(asked({ aibrix }), cluster(), config).at(-1)!)).toBe(
    'PodAutoscalers of AIBrix cannot be read: 403 no',
  );
});

test('a Deployment that nothing scales', () => {
  const told = findingsOfKubernetes(asked({ autoscalers: answer({ items: [] }) }), cluster([]), config);
  expect(told.at(-1)).toMatchObject({
    verdict: 'wrong',
    id: 'no-autoscaler',
    object: 'Deployment serving/a',
    mend: 'create an HPA as in manifests/samples/hpa',
  });
});

test('an HPA that belongs to a PodAutoscaler reads what that made for it', () => {
  const owned = hpas({
    spec,
    metadata: { namespace: 'serving', name: 'a', ownerReferences: [{ kind: 'PodAutoscaler' }] },
  });
  expect(findingsOfKubernetes(asked(owned), cluster(), config).every(({ verdict }) => verdict === 'ok')).toBe(true);
});

test('an HPA of somebody else’s that reads only CPU is wrong all the same', () => {
  const owned = hpas({ spec, metadata: { namespace: 'serving', name: 'a', ownerReferences: [{ kind: 'Application' }] } });
  const told = findingsOfKubernetes(asked(owned), cluster(), config).filter(({ verdict }) => verdict === 'wrong');
  expect(told.map(({ id }) => id)).toEqual(['hpa-metric']);
});

test('several autoscalers of one Deployment are named', () => {
  const second = autoscaler({ metadata: { namespace: 'serving', name: 'b' } });
  const scaledObject = { metadata: { namespace: 'serving', name: 's' }, spec: { scaleTargetRef: { name: 'a' } } };
  const changes = { autoscalers: answer({ items: [autoscaler(), second] }), scaledObjects: answer({ items: [scaledObject] }) };
  const told = findingsOfKubernetes(asked(changes), cluster(), config).find(({ id }) => id === 'two-autoscalers')!;
  expect(findingText(told)).toBe('Deployment serving/a has several autoscalers: HPA a, HPA b, ScaledObject s');
  expect(told.mend).toBe('keep one: kubectl delete scaledobject s -n serving');
});

test('an APIService in another namespace, and one that believes anybody', () => {
  const elsewhere = { apiServices: [{ name: 'v', answer: available('True', { namespace: 'other', name: 'gpumix' }) }] };
  const ofServe = { ...config, serviceNamespace: 'gpumix-system' };
  expect(findingsOfKubernetes(asked(elsewhere), cluster(), ofServe)[0]).toMatchObject({
    id: 'apiservice-foreign',
    seen: 'belongs to other/gpumix, not to gpumix-system/gpumix (--service-name, --service-namespace)',
  });
  const insecure = available('True');
  (insecure.body as { spec: object }).spec = { ...(insecure.body as { spec: object }).spec, insecureSkipTLSVerify: true };
  expect(findingsOfKubernetes(asked({ apiServices: [{ name: 'v', answer: insecure }] }), cluster(), ofServe)[0]).toMatchObject({
    verdict: 'wrong',
    id: 'apiservice-insecure',
  });
});

test('one question without an answer leaves the others their findings', async () => {
  const answers = await kubernetesAnswers(
    askedInPeace(async (_method, path) => {
      if (path.includes('horizontalpodautoscalers')) throw new Error('no answer within 10 s');
      return { status: 404, body: {} };
    }),
    deployments,
  );
  const told = findingsOfKubernetes(answers, cluster(), config);
  expect(told.map(({ id, object }) => [id, object])).toEqual([
    ['apiservice-missing', 'APIService v1beta1.custom.metrics.k8s.io'],
    ['apiservice-missing', 'APIService v1beta2.custom.metrics.k8s.io'],
    ['targets-missing', 'targets in serving'],
    ['not-read', 'HPAs'],
  ]);
  expect(findingText(told.at(-1)!)).toBe('HPAs cannot be read: no answer within 10 s');
});
