import { MessageChannel } from 'node:worker_threads';
import { afterEach, expect, test } from 'vitest';
import type { ClusterObjects } from '../../src/cluster/cluster-view.ts';
import { mirror } from '../../src/cluster/object-changes.ts';
import { type ServingThread, servedBy, servingThread } from '../../src/planner/planner-thread.ts';
import type { Publication } from '../../src/planner/publish/board.ts';
import type { ModelReport } from '../../src/planner/report/tick-outcome.ts';
import { callsThrough } from '../../src/runtime/thread-calls.ts';
import { deployment } from '../helpers/deployments.ts';

const open: MessageChannel[] = [];
afterEach(() => {
  for (const { port1 } of open.splice(0)) port1.close();
});

/** A cluster of 1,200 Deployments, and two threads that plan one after the other. */
const setUp = () => {
  const deployments = new Map(Array.from({ length: 1200 }, (_, at) => [`ns/d${at}`, deployment(`d${at}`)]));
  const objects: ClusterObjects = { ...mirror().objects, deployments };
  const watches = { unsynced: ['Pods'], problems: ['of a watch'] };
  const said: [Publication, number][] = [];
  const planner = () => {
    const channel = new MessageChannel();
    open.push(channel);
    const calls = servingThread({
      objects,
      watches: { unsynced: () => watches.unsynced, problems: () => watches.problems },
      board: { publish: (publication, at) => void said.push([publication, at]) },
      leadership: () => ({ leads: true, term: null }),
      onNotes: () => {},
    });
    callsThrough(channel.port1, calls);
    return servedBy(callsThrough<ServingThread>(channel.port2, {}));
  };
  return { deployments, watches, said, planner };
};

test('the thread that plans sees the cluster as it was at its last update, in full also after another has died', async () => {
  const { deployments, watches, planner } = setUp();
  const one = planner();
  expect([one.objects.deployments.size, one.watches.unsynced().length]).toEqual([0, 1]);
  await one.update();
  expect(one.objects.deployments).toEqual(deployments);
  expect([one.watches.unsynced(), one.watches.problems()]).toEqual([['Pods'], ['of a watch']]);
  deployments.delete('ns/d3');
  deployments.set('ns/d4', deployment('d4', { replicas: 7 }));
  watches.unsynced = [];
  await one.update();
  expect(one.objects.deployments).toEqual(deployments);
  expect(one.watches.unsynced()).toEqual([]);
  const next = planner();
  await next.update();
  expect(next.objects.deployments).toEqual(deployments);
});

test('what is published arrives whole, at once; what a thread said that died on the way is forgotten', async () => {
  const { said, planner } = setUp();
  const decision = { replicas: 2, asOf: 1000 };
  const publication: Publication = {
    targets: Array.from({ length: 1200 }, (_, at) => ({
      ...{ namespace: 'ns', deployment: `d${at}`, labels: {}, decision, standing: decision },
    })),
    models: [{ name: 'm' } as ModelReport],
    plan: { status: 'feasible', cost: 3 },
  };
  const dying = planner();
  void dying.board.publish(publication, 1);
  open.pop()!.port1.close();
  const next = planner();
  await next.board.publish(publication, 2);
  expect(said).toEqual([[publication, 2]]);
});
