import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { findingText } from '../../src/cli/finding.ts';
import { askForReach, reachFindings } from '../../src/cli/gateway-reach.ts';
import { deployment } from '../helpers/deployments.ts';
import { deploymentPod } from '../helpers/pods.ts';

const engines = (labels: Readonly<Record<string, string>> = {}) => ({
  deployments: new Map([['ns/d', deployment('d')]]),
  pods: new Map([['ns/p', deploymentPod('p', { ip: '10.0.0.1', labels })]]),
});
const gateway = (container: object) => ({ spec: { template: { spec: { containers: [container] } } } });
const slice = (port: object) => ({
  metadata: { name: 's', namespace: 'ns' },
  endpoints: [{ addresses: ['10.0.0.1'], targetRef: { kind: 'Pod', name: 'p' } }],
  ports: [port],
});
const listed = (...items: readonly object[]) => ({ status: 200, body: { items } });

/** The paths that are asked for where these gateways are there. */
const asked = async (seen: ReturnType<typeof engines>, ...gateways: readonly object[]) => {
  const paths: string[] = [];
  const answer = await askForReach(async (_method, path) => {
    paths.push(path.replace(/^.*\//, ''));
    return path.includes('deployments') ? listed(...gateways) : listed();
  }, seen);
  return { paths, answer };
};
const ours = 'deployments?labelSelector=app.kubernetes.io%2Fname%3Dgpumix-gateway';

test('pods that no request can be sent to are a finding where a gateway of ours is there', async () => {
  const { paths, answer } = await asked(engines(), gateway({ args: ['gateway'] }));
  expect(paths).toEqual([ours, 'endpointslices']);
  const [found, ...more] = reachFindings(answer, engines(), 8000);
  expect(more).toEqual([]);
  expect(found).toMatchObject({ verdict: 'wrong', id: 'pods-unreachable' });
  expect(findingText(found!)).toBe(
    'Deployment ns/d has 1 Ready pod that requests cannot be sent to: no Service with a TCP port selects them, and they have no label model.aibrix.ai/port',
  );
  expect(found!.mend).toBe('kubectl expose deployment d -n ns --port=8000, which must be the port of its engine');
  // A Service without a TCP port is none.
  expect(reachFindings(listed(slice({ port: 8000, protocol: 'UDP' })), engines(), 8000)).toHaveLength(1);
  expect(reachFindings(listed(slice({ port: 8000 })), engines(), 8000)).toEqual([]);
});

test.each([
  ['there is no gateway of ours', engines(), [], [ours]],
  ['it is told in a file where engines are', engines(), [gateway({ args: ['gateway', '--endpoints=/e.json'] })], [ours]],
  ['a variable names that file', engines(), [gateway({ env: [{ name: 'GPUMIX_ENDPOINTS' }] })], [ours]],
  ['each pod has its port by label', engines({ 'model.aibrix.ai/port': '8000' }), [gateway({})], []],
] as const)('nothing is said where %s', async (_name, seen, gateways, paths) => {
  expect(await asked(seen, ...gateways)).toEqual({ paths, answer: null });
  expect(reachFindings(null, seen, null)).toEqual([]);
});

test('where EndpointSlices may not be read, that is said', () => {
  const [found] = reachFindings({ status: 403, body: { message: 'no' } }, engines(), null);
  expect(found).toMatchObject({ verdict: 'unknown', id: 'not-read', object: 'EndpointSlices' });
});

test('the sample that gpumix is installed with has a Service for the pods of each Deployment', () => {
  const file = readFileSync(`${import.meta.dirname}/../../manifests/samples/hpa/llama-8b.yaml`, 'utf8');
  const objects = parseAllDocuments(file).map((document) => document.toJS());
  const services = objects.filter(({ kind }) => kind === 'Service');
  for (const { spec } of objects.filter(({ kind }) => kind === 'Deployment')) {
    const { labels } = spec.template.metadata;
    const selects = (selector: object) => Object.entries(selector).every(([key, value]) => labels[key] === value);
    expect(services.filter((one) => selects(one.spec.selector))).toHaveLength(1);
  }
});
