import { describe, expect, test } from 'vitest';
import { type ClaimObject, claimedDevices, deviceClaim } from '../../src/cluster/claims.ts';

const result = (device: string, more: { driver?: string; pool?: string; adminAccess?: boolean } = {}) => ({
  ...{ driver: 'gpu.nvidia.com', pool: 'n1', device },
  ...more,
});
type Result = ReturnType<typeof result>;
const claim = (results: readonly Result[] | null, more: Partial<ClaimObject['metadata']> = {}, pods: string[] = []) =>
  deviceClaim({
    metadata: { name: 'c', namespace: 'ns', ...more },
    status: {
      ...(results === null ? {} : { allocation: { devices: { results } } }),
      reservedFor: pods.map((name) => ({ resource: 'pods', name })),
    },
  });

describe('a ResourceClaim', () => {
  test('that is allocated holds its devices, for the pods that it is reserved for', () => {
    expect(claim([result('gpu-0'), result('gpu-1')], {}, ['a', 'b'])).toEqual({
      namespace: 'ns',
      pods: ['a', 'b'],
      devices: [
        { pool: 'n1', name: 'gpu-0' },
        { pool: 'n1', name: 'gpu-1' },
      ],
    });
  });

  test('that no pod has taken yet is of the pod that it was made for', () => {
    const ownerReferences = [{ kind: 'Pod', name: 'a' }];
    expect(claim([result('gpu-0')], { ownerReferences })?.pods).toEqual(['a']);
    expect(claim([result('gpu-0')])?.pods).toEqual([]);
  });

  test.each([
    ['not allocated', claim(null)],
    ['of another driver', claim([result('channel-0', { driver: 'compute-domain.nvidia.com' })])],
    ['of somebody who only looks on', claim([result('gpu-0', { adminAccess: true })])],
    [
      'made for a pod that asks for nvidia.com/gpu',
      claim([result('gpu-0')], { annotations: { 'resource.kubernetes.io/extended-resource-claim': 'true' } }),
    ],
  ])('%s holds nothing that is not counted already', (_name, given) => {
    expect(given).toBeNull();
  });
});

describe('what claims hold', () => {
  const slices = [
    { node: 'n1', pool: 'n1', devices: { 'gpu-0': 'H100', 'gpu-1': 'H100' } },
    { node: 'n2', pool: 'n2', devices: { 'gpu-0': 'L4' } },
  ];
  const deploymentOf = (pod: string) => ({ 'ns/ours-1': 'ours', 'other/ours-1': 'theirs' })[pod] ?? '';
  const held = (...claims: ReturnType<typeof claim>[]) =>
    claimedDevices(
      claims.filter((one) => one !== null),
      slices,
      deploymentOf,
    );

  test('is where its devices are, and its pod tells whose it is', () => {
    const ours = claim([result('gpu-0'), result('gpu-1')], {}, ['ours-1']);
    const theirs = claim([result('gpu-0', { pool: 'n2' })], {}, ['job']);
    expect(held(ours, theirs)).toEqual([
      { namespace: 'ns', deployment: 'ours', node: 'n1', gpus: 2, byClaim: true },
      { namespace: 'ns', deployment: '', node: 'n2', gpus: 1, byClaim: true },
    ]);
  });

  test('together is each device once; parts of GPUs and unknown devices are not counted', () => {
    const first = claim([result('gpu-0'), result('gpu-1-mig-0'), result('gpu-7')], {}, ['job']);
    const second = claim([result('gpu-0')], {}, ['ours-1']);
    expect(held(first, second).map(({ gpus }) => gpus)).toEqual([1]);
  });
});
