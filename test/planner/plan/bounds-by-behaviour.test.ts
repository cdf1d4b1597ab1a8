import { describe, expect, test } from 'vitest';
import type { ScalingBehaviour } from '../../../src/planner/believe/scaling-behaviour.ts';
import { noStartups } from '../../../src/planner/believe/startups.ts';
import {
  boundsIfPodsCame,
  plannedOfUnfollowed,
  withAttainableBounds,
  withUnfollowed,
} from '../../../src/planner/plan/bounds-by-behaviour.ts';
import type { Plan } from '../../../src/vocabulary/planning-documents.ts';
import { belief, candidate } from '../../helpers/beliefs.ts';

const now = 1000;
const outage = { attainable: 2, failures: 1, retryAt: 1100 };
const unfollowed = { replicas: 1, rising: true, since: 0, unfollowedUntil: 1300, spec: null };
const bounds = (minReplicas: number, maxReplicas: number | null) => ({ minReplicas, maxReplicas });
const model = (behaviour: Partial<ScalingBehaviour>, given = bounds(0, null)) =>
  belief({
    candidates: [candidate('a', { bounds: given })],
    behaviours: new Map([['ns/a', { startups: noStartups, outage: null, following: null, ...behaviour }]]),
  });

describe('pods that do not come', () => {
  const attained = (given: ReturnType<typeof bounds>, at = now) =>
    withAttainableBounds(model({ outage }, given), at).candidates[0]!.bounds;

  test('the maximum falls to what runs or still comes', () => {
    expect(attained(bounds(0, null))).toEqual({ ...bounds(0, 2), heldBy: 'outOfStock' });
    expect(attained(bounds(0, 8))).toEqual({ ...bounds(0, 2), heldBy: 'outOfStock' });
  });

  test('a lower maximum stays, and no maximum falls below the minimum', () => {
    expect(attained(bounds(0, 1))).toEqual(bounds(0, 1));
    expect(attained(bounds(3, 8))).toEqual({ ...bounds(3, 3), heldBy: 'outOfStock' });
  });

  test('the bounds are as they were when the type is tried again', () => {
    expect(attained(bounds(0, null), outage.retryAt)).toEqual(bounds(0, null));
  });

  test('the bounds without the outage are kept, but not of a Deployment that does not follow', () => {
    expect([...boundsIfPodsCame([model({ outage }, bounds(1, 8))], now)]).toEqual([['ns/a', bounds(1, 8)]]);
    expect(boundsIfPodsCame([model({ outage, following: unfollowed })], now).size).toBe(0);
    expect(boundsIfPodsCame([model({}), belief()], now).size).toBe(0);
  });
});

describe('targets that are not followed', () => {
  const plan: Plan = {
    ...{ status: 'optimal', cost: 3, bound: 3, gap: 0, servedGap: null, solve: { milliseconds: 0, nodes: 1, work: 0 } },
    models: [{ name: 'm', cost: 3, replicas: { 'ns/a': 3 }, routing: [], beyondSlo: [], unserved: [] }],
  };

  test('what the plan wants is listed only of those that do not follow', () => {
    expect([...plannedOfUnfollowed([model({ following: unfollowed })], plan)]).toEqual([['ns/a', 3]]);
    expect(plannedOfUnfollowed([model({ following: { ...unfollowed, unfollowedUntil: null } })], plan).size).toBe(0);
    expect(plannedOfUnfollowed([model({ following: unfollowed })], null).size).toBe(0);
  });

  test('one that lacks replicas stays as it is, and one that has enough keeps its bounds', () => {
    const boundsFor = (wanted: number) => withUnfollowed(model({}), new Map([['ns/a', wanted]])).candidates[0]!.bounds;
    expect(boundsFor(3)).toEqual({ ...bounds(1, 1), heldBy: 'notFollowed' });
    expect(boundsFor(1)).toEqual(bounds(0, null));
  });
});
