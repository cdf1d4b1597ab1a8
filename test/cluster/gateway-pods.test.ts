import { expect, test } from 'vitest';
import { type AutoscalerBounds, rememberVanished } from '../../src/cluster/bounds.ts';
import { selectedPods, unchangedSince } from '../../src/cluster/gateway-pods.ts';
import { paceOfPodAutoscaler } from '../../src/cluster/pace.ts';
import type { DeploymentPod } from '../../src/cluster/pods.ts';
import { deploymentPod } from '../helpers/pods.ts';

const pod = (name: string, more: Partial<DeploymentPod> = {}) =>
  deploymentPod(name, {
    namespace: 'aibrix-system',
    deployment: 'aibrix-gateway-plugins',
    labels: { app: 'gateway', tier: 'front' },
    ...more,
  });

test('the gateway is named by its Deployment or by labels', () => {
  const pods = new Map([pod('a'), pod('b', { deployment: 'other', labels: { app: 'gateway' } })].map((one) => [one.name, one]));
  const names = (selector: string) => selectedPods(pods, selector)().map(({ name }) => name);
  expect(names('aibrix-gateway-plugins')).toEqual(['a']);
  expect(names('app=gateway')).toEqual(['a', 'b']);
  expect(names('app=gateway,tier=front')).toEqual(['a']);
  expect(names('nobody')).toEqual([]);
});

test('a gateway is unchanged since it was first seen so; a restart, a new pod or one that is not Ready begins anew', () => {
  let pods: readonly DeploymentPod[] = [pod('a'), pod('b')];
  const since = unchangedSince(() => pods);
  expect([since(100), since(110)]).toEqual([100, 100]);
  pods = [pod('b'), pod('a')];
  expect(since(120)).toBe(100);
  pods = [pod('a'), pod('b', { incarnation: 'b restarted' })];
  expect([since(130), since(140)]).toEqual([130, 130]);
  pods = [pod('a'), pod('b', { ready: false })];
  expect(since(150)).toBeNull();
  pods = [pod('a'), pod('b')];
  expect(since(160)).toBe(160);
  pods = [];
  expect(since(170)).toBeNull();
});

test('the bounds of an autoscaler that vanished hold for five minutes more', () => {
  const autoscalers = new Map<string, AutoscalerBounds>([
    ['ns/hpa', { deployment: 'ns/d', minReplicas: 1, maxReplicas: 9, pace: paceOfPodAutoscaler }],
  ]);
  const bounds = rememberVanished([
    autoscalers,
    new Map([['ns/so', { deployment: 'ns/d', minReplicas: 0, maxReplicas: 5, pace: paceOfPodAutoscaler }]]),
  ]);
  expect(bounds(1000).get('ns/d')).toEqual({ minReplicas: 1, maxReplicas: 5 });
  autoscalers.clear();
  expect(bounds(1300).get('ns/d')).toEqual({ minReplicas: 1, maxReplicas: 5 });
  expect(bounds(1301).get('ns/d')).toEqual({ minReplicas: 0, maxReplicas: 5 });
});
