import { expect, test } from 'vitest';
import { modelEndpoints } from '../../src/cluster/model-endpoints.ts';
import type { DeploymentPod } from '../../src/cluster/pods.ts';
import { deployment } from '../helpers/deployments.ts';
import { deploymentPod } from '../helpers/pods.ts';

const deployments = new Map([
  ['ns/a', { ...deployment('a', {}), model: 'llama', aliases: ['lora'] }],
  ['ns/b', { ...deployment('b', {}), model: 'llama', aliases: [] }],
]);
const podsOf = (...pods: readonly DeploymentPod[]) => new Map(pods.map((pod) => [`ns/${pod.name}`, pod]));
const named = (service: string, ...names: readonly string[]) => ({
  service,
  named: names.map((name) => `ns/${name}`),
  pods: names.map((name) => ({ pod: `ns/${name}`, origin: `http://${service}-${name}:1` })),
});
/** A Service that names pods of which none is Ready. */
const notYet = (...names: readonly string[]) => ({ ...named('s', ...names), pods: [] });
const labelled = (name: string, more: Partial<DeploymentPod> = {}) =>
  deploymentPod(name, { deployment: 'a', ip: '10.0.0.1', labels: { 'model.aibrix.ai/port': '8000' }, ...more });
const bare = (name: string, more: Partial<DeploymentPod> = {}) => labelled(name, { labels: {}, ...more });

test('origins by model, alias and Deployment; one without pods is there, a pod counts once', () => {
  const pods = podsOf(bare('a-1'), bare('a-2'), bare('stray', { deployment: '' }));
  const slices = [named('second', 'a-1', 'stray', 'unknown'), named('first', 'a-2', 'a-1')];
  const found = ['http://first-a-1:1', 'http://first-a-2:1'];
  expect(modelEndpoints(deployments, pods, slices)).toEqual({
    origins: new Map([
      [
        'llama',
        new Map([
          ['ns/a', found],
          ['ns/b', []],
        ]),
      ],
      ['lora', new Map([['ns/a', found]])],
    ]),
    unreachable: new Map(),
  });
});

const originsOfA = (pods: readonly DeploymentPod[], slices: Parameters<typeof modelEndpoints>[2] = []) =>
  modelEndpoints(deployments, podsOf(...pods), slices)
    .origins.get('llama')
    ?.get('ns/a');

test.each([
  ['a pod that no Service names is at the port of its label', [labelled('p')], [], ['http://10.0.0.1:8000']],
  ['an IPv6 address stands in brackets', [labelled('p', { ip: 'fd00::1' })], [], ['http://[fd00::1]:8000']],
  ['what a Service names counts before the label', [labelled('p')], [named('s', 'p')], ['http://s-p:1']],
  ['where a Service names one pod, it names them all', [labelled('p'), labelled('q')], [named('s', 'q')], ['http://s-q:1']],
  ['a Service that names none that is Ready does not count', [labelled('p')], [notYet('p')], ['http://10.0.0.1:8000']],
  ['a pod that is not Ready gets nothing', [labelled('p', { ready: false })], [], []],
  ['a pod on its way out gets nothing', [labelled('p', { terminating: true })], [], []],
  ['a pod that has ended gets nothing', [labelled('p', { ended: true })], [], []],
  ['a pod without an address gets nothing', [labelled('p', { ip: null })], [], []],
  ['a label that is no port does not count', [labelled('p', { labels: { 'model.aibrix.ai/port': 'http' } })], [], []],
  ['port 0 does not count', [labelled('p', { labels: { 'model.aibrix.ai/port': '0' } })], [], []],
  ['a port beyond the last does not count', [labelled('p', { labels: { 'model.aibrix.ai/port': '65536' } })], [], []],
] as const)('%s', (_name, pods, slices, found) => {
  expect(originsOfA(pods, slices)).toEqual(found);
});

const unreachable = (pods: readonly DeploymentPod[], slices: Parameters<typeof modelEndpoints>[2] = []) =>
  modelEndpoints(deployments, podsOf(...pods), slices).unreachable;

test('Ready pods without Service and label are named with model, Deployment and both ways to mend it', () => {
  const text =
    'Deployment ns/a of model llama has 2 Ready pods that requests cannot be sent to: no Service with a TCP port selects them, ' +
    "and they have no label model.aibrix.ai/port. Create a Service that selects them, or give the Deployment's pod template " +
    'that label with the port of the engine';
  expect(unreachable([bare('p'), bare('q')])).toEqual(
    new Map([
      ['llama', [text]],
      ['lora', [text]],
    ]),
  );
});

test.each([
  ['a pod at the port of its label', [labelled('p')], []],
  ['a pod behind a Service', [bare('p')], [named('s', 'p')]],
  ['a pod that its Service does not call Ready yet', [bare('p')], [notYet('p')]],
  ['a pod that is not Ready', [bare('p', { ready: false })], []],
  ['a pod on its way out', [bare('p', { terminating: true })], []],
  ['a pod without an address', [bare('p', { ip: null })], []],
] as const)('%s is not called unreachable', (_name, pods, slices) => {
  expect(unreachable(pods, slices)).toEqual(new Map());
});
