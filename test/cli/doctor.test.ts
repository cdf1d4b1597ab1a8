import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { type ClusterFacts, findingsOfKubernetes, findingsOfLook, type KubernetesAnswers } from '../../src/cli/doctor.ts';
import { modelDeployment } from '../../src/cluster/variant.ts';
import { runCommand } from '../helpers/run-command.ts';

const folder = mkdtempSync(join(tmpdir(), 'gpumix-doctor-'));
afterAll(() => rmSync(folder, { recursive: true }));

const deployment = modelDeployment({
  metadata: { name: 'a', namespace: 'serving', labels: { 'model.aibrix.ai/name': 'm' } },
})!;
const config = { planPrefix: 'gpumix:', intervalSeconds: 10, serviceName: 'gpumix' };

const look = (changes: Partial<ClusterFacts> = {}, state = 'fresh'): ClusterFacts => {
  const models = [{ name: 'm', state, reason: 'so it is', variants: [] }];
  return {
    deployments: [deployment],
    profiles: { found: new Map([['serving/a', {} as never]]), problems: [] },
    decided: { models } as never,
    stored: { plan: { models } as never, ageSeconds: 4 },
    problems: [],
    notes: [],
    ...changes,
  };
};
const wrongOf = (seen: ClusterFacts) =>
  findingsOfLook(seen, config).flatMap(({ verdict, text }) => (verdict === 'wrong' ? [text] : []));

test('a fleet that gpumix plans for has nothing wrong', () => {
  expect(findingsOfLook(look(), config).map(({ text }) => text)).toEqual([
    'Kubernetes is read: Deployments that carry a model: 1',
    'each of them has a profile',
    'serve planned 4 s ago',
    'model m is fresh: so it is',
  ]);
  expect(wrongOf(look())).toEqual([]);
  expect(wrongOf(look({}, 'idle'))).toEqual([]);
});

test.each([
  ['no Deployment', look({ deployments: [] }), /^no Deployment has the label/],
  ['no profile', look({ profiles: { found: new Map(), problems: [] } }), /^serving\/a has no profile of m/],
  ['no leader', look({ stored: null }), /^no serve has stored a plan in this Redis under gpumix:plans/],
  ['a leader that is gone', look({ stored: { plan: {} as never, ageSeconds: 46 } }), /^serve planned 46 s ago, and no more/],
  ['no records', look({}, 'missing'), /^model m is missing: so it is/],
  ['old records', look({}, 'stale'), /^model m is stale/],
  ['what serve warns of', look({ problems: ['Redis takes no write of ours'] }), /^Redis takes no write of ours$/],
])('%s is wrong', (_name, seen, text) => {
  expect(wrongOf(seen)).toEqual([expect.stringMatching(text)]);
});

test('what works, and is not as it was written, is a note', () => {
  const told = findingsOfLook(look({ notes: ['random is taken for none'] }), config);
  expect(told.at(-1)).toEqual({ verdict: 'note', text: 'random is taken for none' });
  expect(wrongOf(look({ notes: ['random is taken for none'] }))).toEqual([]);
});

const answer = (body: unknown, status = 200) => ({ status, body });
const available = (status: string, service: object = { namespace: 'gpumix-system', name: 'gpumix' }) =>
  answer({ spec: { service }, status: { conditions: [{ type: 'Available', status, message: 'no endpoints' }] } });
const autoscaler = (changes: object = {}) => ({
  metadata: { namespace: 'serving', name: 'a' },
  spec: {
    scaleTargetRef: { kind: 'Deployment', name: 'a' },
    metrics: [{ type: 'Object', object: { metric: { name: 'gpumix_target_replicas' } } }],
  },
  status: { conditions: [{ type: 'ScalingActive', status: 'True' }] },
  ...changes,
});
const noAibrix = { podAutoscalers: [], controllers: [], schema: null, reviews: new Map() };
const asked = (changes: Partial<KubernetesAnswers> = {}): KubernetesAnswers => ({
  apiServices: [{ name: 'v1beta2.custom.metrics.k8s.io', answer: available('True') }],
  autoscalers: answer({ items: [autoscaler(), autoscaler({ metadata: { namespace: 'other', name: 'a' } })] }),
  aibrix: noAibrix,
  targets: [{ namespace: 'serving', answer: answer({ items: [{}] }) }],
  ...changes,
});
const deployments = new Map([['serving/a', deployment]]);
const cluster = (scaled = ['serving/a']) => ({
  cluster: { deployments, paces: () => new Map(scaled.map((key) => [key, {} as never])) },
});

test('what lies between gpumix and spec.replicas', () => {
  expect(findingsOfKubernetes(asked(), cluster(), config)).toEqual([
    { verdict: 'ok', text: 'APIService v1beta2.custom.metrics.k8s.io is Available' },
    { verdict: 'ok', text: 'targets in serving as an HPA reads them: 1 of 1' },
    { verdict: 'ok', text: 'HPA serving/a scales a' },
  ]);
});

const services = (one: KubernetesAnswers['autoscalers']) => ({ apiServices: [{ name: 'v', answer: one }] });
const hpas = (changes: object) => ({ autoscalers: answer({ items: [autoscaler(changes)] }) });
const spec = { scaleTargetRef: { kind: 'Deployment', name: 'a' }, metrics: [{ type: 'Resource', resource: {} }] };
const conditions = (type: string, status: string) => ({
  status: { conditions: [{ type, status, reason: 'R', message: 'said' }] },
});
test.each([
  ['no APIService', services(answer({}, 404)), 'wrong', /^there is no APIService v: kubectl apply/],
  ['another one’s', services(available('True', { namespace: 'x', name: 'y' })), 'wrong', /belongs to x\/y/],
  ['one that is not Available', services(available('False')), 'wrong', /is not Available: no endpoints/],
  ['one that may not be read', services(answer({ message: 'no' }, 403)), 'unknown', /: 403 no$/],
  ['no target', { targets: [{ namespace: 'serving', answer: answer({ items: [] }) }] }, 'wrong', /0 of 1; gpumix explain/],
  ['no answer', { targets: [{ namespace: 'serving', answer: answer('down', 503) }] }, 'wrong', /: 503 down$/],
  ['not ours to read', { targets: [{ namespace: 'serving', answer: answer({}, 403) }] }, 'unknown', /kubectl get --raw/],
  ['an HPA on CPU', hpas({ spec }), 'wrong', /^HPA serving\/a reads no metric gpumix_target_replicas/],
  ['an HPA that fails', hpas(conditions('ScalingActive', 'False')), 'wrong', /^HPA serving\/a: R: said$/],
  ['an HPA at its limit', hpas(conditions('ScalingLimited', 'True')), 'unknown', /at its limit: said$/],
] as const)('%s is told', (_name, changes, verdict, text) => {
  const told = findingsOfKubernetes(asked(changes), cluster(), config).filter((one) => one.verdict !== 'ok');
  expect(told).toEqual([{ verdict, text: expect.stringMatching(text) }]);
});

test('what is said of AIBrix’s PodAutoscalers comes last', () => {
  const aibrix = { ...noAibrix, podAutoscalers: answer({ message: 'no' }, 403) };
  expect(findingsOfKubernetes(asked({ aibrix }), cluster(), config).at(-1)).toEqual({
    verdict: 'unknown',
    text: 'PodAutoscalers of AIBrix: 403 no',
  });
});

test('a Deployment that nothing scales', () => {
  const told = findingsOfKubernetes(asked({ autoscalers: answer({ items: [] }) }), cluster([]), config);
  expect(told.at(-1)).toEqual({ verdict: 'wrong', text: 'serving/a: no HPA, PodAutoscaler or ScaledObject scales it' });
});

test('an HPA that belongs to a PodAutoscaler reads what that made for it', () => {
  const owned = hpas({
    spec,
    metadata: { namespace: 'serving', name: 'a', ownerReferences: [{ kind: 'PodAutoscaler' }] },
  });
  expect(findingsOfKubernetes(asked(owned), cluster(), config).every(({ verdict }) => verdict === 'ok')).toBe(true);
});

test('a kubeconfig that cannot be read is bad input', async () => {
  const { status, err } = await runCommand('doctor', '--kubeconfig', '/nowhere');
  expect([status, err]).toEqual([2, expect.stringMatching(/^gpumix doctor: kubeconfig \/nowhere cannot be read/)]);
});

test('a cluster that does not answer is a finding', async () => {
  const file = join(folder, 'kubeconfig');
  const named = { name: 'c', context: { cluster: 'c', user: 'u' } };
  const clusters = [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }];
  const users = [{ name: 'u', user: {} }];
  writeFileSync(file, JSON.stringify({ clusters, users, contexts: [named], 'current-context': 'c' }));
  const { status, out } = await runCommand('doctor', '--kubeconfig', file);
  expect([status, out]).toEqual([1, expect.stringMatching(/^WRONG {2}Kubernetes cannot be read: .*ECONNREFUSED.*\n$/)]);
});
