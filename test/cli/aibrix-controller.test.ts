import { expect, test } from 'vitest';
import { askOfAibrix, findingsOfAibrix } from '../../src/cli/aibrix-controller.ts';
import { findingText } from '../../src/cli/finding.ts';

const source = { metricSourceType: 'custom', targetMetric: 'gpumix_target_centi' };
const podAutoscaler = (name: string) => ({
  metadata: { namespace: 'serving', name, annotations: { 'autoscaling.aibrix.ai/panic-threshold': '0' } },
  spec: {
    scalingStrategy: 'KPA',
    minReplicas: 1,
    scaleTargetRef: { kind: 'Deployment', name },
    metricsSources: [source],
  },
});
const controller = (image: string) => ({
  metadata: { namespace: 'aibrix-system', name: 'aibrix-controller-manager' },
  spec: {
    template: {
      spec: {
        serviceAccountName: 'aibrix-controller-manager',
        containers: [
          { name: 'kube-rbac-proxy', image: 'proxy:v9.9.9' },
          { name: 'manager', image },
        ],
      },
    },
  },
});
const schemaWith = (...fields: readonly string[]) => ({
  components: {
    schemas: {
      'ai.aibrix.autoscaling.v1alpha1.PodAutoscaler': {
        'x-kubernetes-group-version-kind': [{ kind: 'PodAutoscaler' }],
        properties: { spec: { properties: Object.fromEntries(fields.map((field) => [field, {}])) } },
      },
    },
  },
});
const list = (...items: readonly object[]) => ({ status: 200, body: { items } });
const forbidden = { status: 403, body: { message: 'no' } };

/** An API server with AIBrix v0.7.0 and one PodAutoscaler of ours, but for what the test says. */
const server = (answers: Readonly<Record<string, { status: number; body: unknown }>> = {}) => {
  const asked: { readonly method: string; readonly path: string; readonly body: unknown }[] = [];
  const known = {
    podautoscalers: list(podAutoscaler('a'), podAutoscaler('theirs')),
    fieldSelector: list(controller('aibrix/controller-manager:v0.7.0')),
    labelSelector: list(),
    openapi: { status: 200, body: schemaWith('minReplicas') },
    subjectaccessreviews: { status: 201, body: { status: { allowed: true } } },
    ...answers,
  };
  return {
    asked,
    findings: async () => {
      const seen = await askOfAibrix(
        async (method, path, body) => {
          asked.push({ method, path, body });
          return Object.entries(known).find(([part]) => path.includes(part))![1];
        },
        (key) => key === 'serving/a',
      );
      return findingsOfAibrix(seen).map((one) => `${one.verdict}: ${findingText(one)}`);
    },
  };
};

test('a PodAutoscaler of ours that works: the release, what it does, the right, and what an error comes to', async () => {
  const { findings, asked } = server();
  expect(await findings()).toEqual([
    "ok: AIBrix's controller aibrix-system/aibrix-controller-manager is v0.7.0",
    'ok: PodAutoscaler serving/a scales a',
    expect.stringMatching(/^note: PodAutoscaler serving\/a has source custom: /),
    "ok: ServiceAccount aibrix-system/aibrix-controller-manager of AIBrix's controller may get pods/gpumix_target_centi of custom.metrics.k8s.io in serving",
  ]);
  expect(asked.find(({ method }) => method === 'POST')?.body).toMatchObject({
    spec: {
      user: 'system:serviceaccount:aibrix-system:aibrix-controller-manager',
      groups: expect.arrayContaining(['system:serviceaccounts:aibrix-system']),
      resourceAttributes: {
        ...{ group: 'custom.metrics.k8s.io', resource: 'pods', subresource: 'gpumix_target_centi' },
        ...{ verb: 'get', namespace: 'serving' },
      },
    },
  });
});

test.each([
  ['there is no AIBrix', { podautoscalers: { status: 404, body: 'not found' } }],
  ['no PodAutoscaler scales a Deployment of ours', { podautoscalers: list(podAutoscaler('theirs')) }],
])('nothing is said where %s, and nothing more is asked', async (_name, answers) => {
  const { findings, asked } = server(answers);
  expect(await findings()).toEqual([]);
  expect(asked).toHaveLength(1);
});

test.each([
  [
    'PodAutoscalers that may not be read',
    { podautoscalers: forbidden },
    /^unknown: PodAutoscalers of AIBrix cannot be read: 403 no$/,
  ],
  [
    'a controller that lacks the right',
    { subjectaccessreviews: { status: 201, body: { status: { allowed: false } } } },
    /^wrong: ServiceAccount .* may not get pods\/gpumix_target_centi .* in serving, and takes the refusal for 0$/,
  ],
  [
    'a right that may not be asked',
    { subjectaccessreviews: forbidden },
    /^unknown: ServiceAccount .* whether it may get .* in serving: 403 no$/,
  ],
  [
    'a controller that is not there',
    { fieldSelector: list() },
    /^unknown: the version of AIBrix's controller is not known: there is no Deployment aibrix-controller-manager, nor .*; by the fields of its CRD it is up to v0\.4\.1 or v0\.5\.0 to v0\.7\.0$/,
  ],
  [
    'a controller whose right cannot be asked',
    { fieldSelector: list() },
    /^unknown: AIBrix's controller has a ServiceAccount that is not known: whether it may get .* cannot be asked$/,
  ],
  [
    'Deployments that may not be read',
    { fieldSelector: forbidden, labelSelector: forbidden, openapi: forbidden },
    /^unknown: the version .* is not known: Deployments: 403 no; what follows says for which it holds$/,
  ],
  [
    'an image without a version, with newer fields',
    {
      fieldSelector: list(controller('controller:nightly')),
      openapi: { status: 200, body: schemaWith('observeWindowSeconds') },
    },
    /^unknown: .* the image of Deployment aibrix-system\/aibrix-controller-manager, controller:nightly, names none; by .* it is after v0\.7\.0$/,
  ],
] as const)('%s is told', async (_name, answers, text) => {
  expect(await server(answers).findings()).toContainEqual(expect.stringMatching(text));
});

test('a controller of a Helm release of another name is found by its label', async () => {
  const answers = { fieldSelector: list(), labelSelector: list(controller('aibrix/controller-manager:v0.6.0')) };
  expect(await server(answers).findings()).toContainEqual(expect.stringMatching(/^ok: AIBrix's controller .* is v0\.6\.0$/));
});
