import { describe, expect, test } from 'vitest';
import type { TrialVerdict } from '../../../src/planner/believe/profile-trial.ts';
import { profilesToPlanBy, profileVerdicts, trialsAfter } from '../../../src/planner/believe/trusted-profiles.ts';
import { deployment, foundProfile } from '../../helpers/deployments.ts';

const found = foundProfile('a', 5);
const shape = [{ inputTokens: 1024, outputTokens: 64, share: 1 }];
const trial = { digest: 'older', found: null, workPerRequest: 1, proven: true, heldBack: null };
const judgedOne = (more: Partial<TrialVerdict> = {}): TrialVerdict => ({
  trial: { ...trial, digest: found.digest },
  found,
  lowersNothing: false,
  problem: null,
  ...more,
});
const deployments = new Map([['ns/a', deployment('a', { aliases: ['alias'], replicas: 4 })]]);

describe('judgements', () => {
  test('a profile without its Deployment is not judged', () => {
    expect(profileVerdicts({ deployments, profiles: new Map([['ns/b', found]]) }, new Map(), new Map(), new Map()).size).toBe(0);
  });

  test('sizes that arrived under an alias prove a profile as well', () => {
    const profiles = new Map([['ns/a', found]]);
    const proven = (name: string) =>
      profileVerdicts({ deployments, profiles }, new Map(), new Map([[name, shape]]), new Map()).get('ns/a')!.trial.proven;
    expect([proven('m'), proven('alias'), proven('other')]).toEqual([true, true, false]);
  });

  test('the load that was planned for last counts before the one of the trial', () => {
    const judged = (workPerRequest: ReadonlyMap<string, number>) =>
      profileVerdicts(
        { deployments, profiles: new Map([['ns/a', found]]) },
        new Map([['ns/a', trial]]),
        new Map([['m', shape]]),
        workPerRequest,
      ).get('ns/a')!;
    // Five times the throughput of the last profile is too good to be believed; the same throughput is not.
    expect(judged(new Map()).problem).toContain('5.0 times');
    expect(judged(new Map([['ns/a', 0.2]])).problem).toBe(null);
  });
});

describe('what is planned by', () => {
  const plannedBy = (judged: TrialVerdict, bounds: ReadonlyMap<string, { minReplicas: number; maxReplicas: number | null }>) =>
    profilesToPlanBy({ deployments, bounds }, new Map([['ns/a', judged]]));

  test('bounds stay as they are where nothing has to stand', () => {
    const bounds = new Map([['ns/a', { minReplicas: 1, maxReplicas: 2 }]]);
    const planned = plannedBy(judgedOne(), bounds);
    expect(planned.bounds).toBe(bounds);
    expect(planned.profileProblems.size).toBe(0);
  });

  test('where what runs stands, both bounds are at least spec.replicas', () => {
    const standing = judgedOne({ lowersNothing: true, problem: 'serves nothing' });
    const boundsOf = (given: { minReplicas: number; maxReplicas: number | null }) =>
      plannedBy(standing, new Map([['ns/a', given]])).bounds.get('ns/a');
    expect(boundsOf({ minReplicas: 1, maxReplicas: 2 })).toEqual({ minReplicas: 4, maxReplicas: 4, heldBy: 'newProfile' });
    expect(boundsOf({ minReplicas: 6, maxReplicas: null })).toEqual({ minReplicas: 6, maxReplicas: null });
    expect(plannedBy(standing, new Map()).bounds.get('ns/a')).toEqual({
      minReplicas: 4,
      maxReplicas: null,
      heldBy: 'newProfile',
    });
    expect(plannedBy(standing, new Map()).profileProblems.get('ns/a')).toBe('serves nothing');
  });
});

test('the trial of a profile that is away is remembered as long as its Deployment is there', () => {
  const before = new Map([
    ['ns/a', trial],
    ['ns/gone', trial],
  ]);
  expect([...trialsAfter(before, new Map(), deployments)]).toEqual([['ns/a', trial]]);
  expect(trialsAfter(before, new Map([['ns/a', judgedOne()]]), deployments).get('ns/a')!.digest).toBe(found.digest);
});
