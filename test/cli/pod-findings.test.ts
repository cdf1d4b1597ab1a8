import { expect, test } from 'vitest';
import { findingText } from '../../src/cli/finding.ts';
import { type PodStatus, podFinding, podFindings } from '../../src/cli/pod-findings.ts';

const pod = (status: PodStatus['status'], more: object = {}): PodStatus => ({
  metadata: { namespace: 'ns', name: 'a-1', ...more },
  ...(status === undefined ? {} : { status }),
});
const waiting = (reason: string, restartCount = 0) =>
  pod({ containerStatuses: [{ name: 'engine', restartCount, state: { waiting: { reason, message: 'why' } } }] });
const unplaced = pod({ conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes' }] });

test.each([
  [unplaced, 'Pod ns/a-1 finds no place (ns/a): Unschedulable: 0/3 nodes', 'kubectl describe pod a-1 -n ns'],
  [
    waiting('ImagePullBackOff'),
    'Pod ns/a-1 does not start (ns/a): ImagePullBackOff, 0 restarts: why',
    'kubectl describe pod a-1 -n ns',
  ],
  [
    waiting('CrashLoopBackOff', 7),
    'Pod ns/a-1 does not start (ns/a): CrashLoopBackOff, 7 restarts: why',
    'kubectl logs a-1 -n ns -c engine --previous',
  ],
])('%#: why it is not Ready', (one, text, mend) => {
  const found = podFinding('ns/a', one)!;
  expect([found.verdict, found.id, findingText(found), found.mend]).toEqual(['wrong', 'pod-failing', text, mend]);
});

test('one that may yet become Ready, or is on its way out, is nothing wrong', () => {
  expect(
    [
      waiting('ContainerCreating'),
      pod(undefined),
      { ...unplaced, metadata: { ...unplaced.metadata, deletionTimestamp: 'now' } },
    ].map((one) => podFinding('ns/a', one)),
  ).toEqual([null, null, null]);
});

test('of one Deployment the first is named', () => {
  const pods = [unplaced, waiting('CrashLoopBackOff')].map((one) => ({ deployment: 'ns/a', pod: one }));
  expect(podFindings(pods)).toHaveLength(1);
});
