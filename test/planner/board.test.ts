import { expect, test } from 'vitest';
import type { Decision } from '../../src/domain.ts';
import { createBoard } from '../../src/planner/board.ts';
import { deployment } from '../helpers/deployments.ts';
import { deploymentPod } from '../helpers/pods.ts';

const pod = (name: string, owner: string) => deploymentPod(name, { deployment: owner });
const setUp = () => {
  const clock = { now: 1000 };
  const deployments = new Map([['ns/a', deployment('a', { replicas: 4 })]]);
  const pods = new Map([
    ['ns/a-1', pod('a-1', 'a')],
    ['ns/web-1', pod('web-1', 'web')],
  ]);
  const board = createBoard(deployments, pods, 300, () => clock.now);
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
  return { clock, deployments, board, publish };
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
