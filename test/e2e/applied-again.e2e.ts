import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { field, kubectl } from './cluster.ts';

/** Samples that are applied again while an autoscaler has moved their Deployments. */
const samples = join(resolve(import.meta.dirname, '../..'), 'manifests/samples/hpa');
const name = 'llama-8b-h100';
const scaled = (replicas: number) => kubectl(['scale', 'deployment', name, '-n', 'serving', `--replicas=${replicas}`]);
const replicas = () => field('{.spec.replicas}', 'deployment', name, '-n', 'serving');

beforeAll(async () => {
  await kubectl(['apply', '--server-side', '-k', samples]);
  // What the HPA does: nothing reads a metric here, so it does not come between.
  await scaled(7);
});

afterAll(async () => {
  await kubectl(['delete', '-k', samples, '--ignore-not-found']);
});

test.each([
  { kind: 'server-side', args: ['apply', '--server-side'] },
  { kind: 'client-side', args: ['apply'] },
  { kind: 'client-side, a second time', args: ['apply'] },
  { kind: 'server-side after client-side', args: ['apply', '--server-side'] },
])('$kind: no conflict, and replicas stay', async ({ args }) => {
  await kubectl([...args, '-k', samples]);
  expect(await replicas()).toBe('7');
});
