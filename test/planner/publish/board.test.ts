import { describe, expect, test } from 'vitest';
import type { Bounds } from '../../../src/cluster/bounds.ts';
import { createBoard } from '../../../src/planner/publish/board.ts';
import type { Decision } from '../../../src/vocabulary/target.ts';
import { deployment } from '../../helpers/deployments.ts';
import { deploymentPod } from '../../helpers/pods.ts';

const pod = (name: string, owner: string) => deploymentPod(name, { deployment: owner });
const setUp = () => {
  const clock = { now: 1000 };
  const deployments = new Map([['ns/a', deployment('a', { replicas: 4 })]]);
  const pods = new Map([
    ['ns/a-1', pod('a-1', 'a')],
    ['ns/web-1', pod('web-1', 'web')],
  ]);
  const bounds = new Map<string, Bounds>();
  const board = createBoard(
    deployments,
    pods,
    300,
    () => clock.now,
    () => bounds,
  );
  const publish = (replicas: number, more: Partial<Decision> = {}) =>
    board.publish(
      {
        targets: [
          {
            namespace: 'ns',
            deployment: 'a',
            labels: {},
            decision: { replicas, asOf: 990, ...more },
            standing: { replicas, asOf: 990, ...more },
          },
        ],
        models: [],
        plan: null,
      },
      clock.now,
    );
  return { clock, deployments, bounds, board, publish };
};

test('a Deployment that has just been seen is undecided, not unknown, and its pods stand at spec.replicas', () => {
  const { board } = setUp();
  expect(board.target('ns', 'a')).toMatchObject({
    decision: { unavailable: expect.stringMatching(/^no plan yet/) },
    standing: { replicas: 4 },
  });
  expect(board.target('ns', 'web')).toBeUndefined();
});

test('what was published is answered, with the labels as they are now', () => {
  const { board, publish, deployments } = setUp();
  publish(7);
  deployments.set('ns/a', deployment('a', { labels: { tier: 'gold' } }));
  expect(board.target('ns', 'a')).toMatchObject({ decision: { replicas: 7, asOf: 990 }, labels: { tier: 'gold' } });
  expect(board.targets('ns')).toHaveLength(1);
  expect(board.targets('other')).toEqual([]);
});

test('a planner that is stuck is no answer any more; its pods keep the last', () => {
  const { board, publish, clock } = setUp();
  publish(7);
  clock.now = 1301;
  expect(board.target('ns', 'a')).toMatchObject({
    decision: { unavailable: 'the planner has not finished a tick for 301 s' },
    standing: { replicas: 7 },
  });
});

test('a Deployment that is gone has no target, and pods of others are not ours', () => {
  const { board, publish, deployments } = setUp();
  publish(7);
  expect(board.pod('ns', 'a-1')?.deployment).toBe('a');
  expect(board.pod('ns', 'web-1')).toBeUndefined();
  expect(board.pods('ns').map(({ name }) => name)).toEqual(['a-1']);
  deployments.delete('ns/a');
  expect(board.target('ns', 'a')).toBeUndefined();
  expect(board.pods('ns')).toEqual([]);
});

test('what an earlier leader decided raises, and lowers nothing below what runs', () => {
  const { board, publish, deployments } = setUp();
  publish(3, { restored: true });
  expect(board.target('ns', 'a')).toMatchObject({ decision: { replicas: 4 }, standing: { replicas: 4 } });
  publish(7, { restored: true });
  expect(board.target('ns', 'a')).toMatchObject({ decision: { replicas: 7 }, standing: { replicas: 7 } });
  deployments.set('ns/a', deployment('a', { replicas: 9 }));
  expect(board.target('ns', 'a')).toMatchObject({ decision: { replicas: 9 } });
  publish(3);
  expect(board.target('ns', 'a')).toMatchObject({ decision: { replicas: 3 } });
});

describe('what Kubernetes alone says counts at once, whoever planned and when', () => {
  test('a pin, until when it says so, and a pause', () => {
    const { board, publish, deployments, clock } = setUp();
    publish(7);
    deployments.set('ns/a', deployment('a', { replicas: 4, pin: { replicas: 2, until: 1500 } }));
    expect(board.target('ns', 'a')).toMatchObject({ decision: { replicas: 2 }, standing: { replicas: 2 } });
    clock.now = 1299;
    publish(7);
    clock.now = 1501;
    expect(board.target('ns', 'a')).toMatchObject({ decision: { replicas: 7 } });
    deployments.set('ns/a', deployment('a', { replicas: 4, paused: true }));
    expect(board.target('ns', 'a')).toMatchObject({
      decision: { unavailable: 'paused by the annotation gpumix.io/paused' },
      standing: { replicas: 4 },
    });
  });

  test('the label of a model that is idle, and of no other', () => {
    const { board, publish, deployments } = setUp();
    deployments.set('ns/a', deployment('a', { replicas: 4, idleReplicas: 2 }));
    publish(0, { idle: true });
    expect(board.target('ns', 'a')?.decision).toMatchObject({ replicas: 2 });
    publish(7);
    expect(board.target('ns', 'a')?.decision).toMatchObject({ replicas: 7 });
    publish(0, { idle: true });
    deployments.set('ns/a', deployment('a', { replicas: 4, idleReplicas: null, problem: 'min_replicas is "two"' }));
    expect(board.target('ns', 'a')?.decision).toEqual({ unavailable: 'min_replicas is "two"' });
  });

  test('bounds of its autoscaler; a minimum wakes nothing that is idle', () => {
    const { board, publish, bounds, clock } = setUp();
    bounds.set('ns/a', { minReplicas: 3, maxReplicas: 5 });
    publish(7);
    expect(board.target('ns', 'a')).toMatchObject({ decision: { replicas: 5 }, standing: { replicas: 5 } });
    clock.now += 1;
    publish(1);
    expect(board.target('ns', 'a')?.decision).toMatchObject({ replicas: 3 });
    publish(0, { idle: true });
    expect(board.target('ns', 'a')?.decision).toMatchObject({ replicas: 0 });
  });
});
