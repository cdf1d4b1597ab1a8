import { expect, test } from 'vitest';
import type { ModelDeployment } from '../../src/cluster/variant.ts';
import { foundProfile } from '../helpers/deployments.ts';
import { busy, deployments, reading, run, steady, targets, times, workload } from '../helpers/planner.ts';
import { nothing } from '../helpers/records.ts';

const silent = [...busy(1410, 1750), ...times(1760, 2000).map(nothing)];

test('quiet and stale: the last decision stands, with its age', () => {
  const stale = run(reading(2040, workload(2002, { m: busy(1410, 2000) })), steady.memory);
  expect(stale.models).toMatchObject([{ state: 'stale' }]);
  expect(stale.targets.map(({ decision }) => decision)).toEqual([
    { replicas: 0, asOf: 2000 },
    { replicas: 2, asOf: 2000 },
  ]);
});

test('after staleAfterSeconds it is unavailable with the reason, and pods are still answered', () => {
  const old = run(reading(2301, workload(2002, { m: busy(1410, 2000) })), steady.memory);
  expect(targets(old)['ns/l40s']).toMatch(/^stale: no request record for 301 s; our own write to Redis does not succeed/);
  expect(old.targets.map(({ standing }) => standing.replicas)).toEqual([0, 2]);
});

test('nothing but a credible idle goes to the label', () => {
  expect(targets(run(reading(2002, workload(2002, { m: silent })), steady.memory))).toEqual({
    'ns/h100': 0,
    'ns/l40s': 2,
  });
  const idle = run(reading(2002, workload(2002, { m: silent }, { heartbeatAt: 2000 })), steady.memory);
  expect(targets(idle)).toEqual({ 'ns/h100': 1, 'ns/l40s': 0 });
  expect(idle.plan).toBeNull();
});

test('at zero with nobody to wake it is said, unless a gateway of ours is heard', () => {
  const asleep = (heartbeatAt: number | null, more: Partial<ModelDeployment> = {}) => {
    const all = deployments.map((one) => ({ ...one, idleReplicas: 0, ...more }));
    const given = workload(2002, { m: silent }, { heartbeatAt });
    const trusting = { trustSilence: true };
    const of = { deployments: new Map(all.map((one) => [`ns/${one.name}`, one])) };
    return run(reading(2002, given, of), steady.memory, trusting).models[0]?.cannotWake;
  };
  expect(asleep(null)).toBe(true);
  expect(asleep(1401)).toBe(true);
  expect(asleep(1402)).toBe(false);
  expect(asleep(null, { idleReplicas: 1 })).toBe(false);
  expect(asleep(null, { pin: { replicas: 2, until: null } })).toBe(false);
  expect(steady.models[0]?.cannotWake).toBe(false);
});

test('after an idle decision, losing its evidence changes nothing', () => {
  const idle = run(reading(2002, workload(2002, { m: silent }, { heartbeatAt: 2000 })), steady.memory);
  const later = run(reading(2100, workload(2100, { m: silent }, { heartbeatAt: 2000 })), idle.memory);
  expect(later.models).toMatchObject([{ state: 'stale' }]);
  expect(targets(later)).toEqual({ 'ns/h100': 1, 'ns/l40s': 0 });
});

test('missing: unavailable, but a Deployment below its label is raised to it', () => {
  const none = workload(2002, { m: times(1410, 2000).map(nothing) }, { heartbeatAt: 2000 });
  const atZero = new Map([...reading(0, null).deployments].map(([key, one]) => [key, { ...one, replicas: 0 }]));
  expect(targets(run(reading(2002, none)))).toEqual({
    'ns/h100': expect.stringMatching(/^missing/),
    'ns/l40s': expect.stringMatching(/^missing/),
  });
  expect(targets(run(reading(2002, none, { deployments: atZero })))).toEqual({
    'ns/h100': 1,
    'ns/l40s': expect.stringMatching(/^missing/),
  });
  expect(targets(run(reading(2002, null)))['ns/l40s']).toBe('missing: Redis has not been read yet');
  expect(targets(run(reading(2002, none, { unsynced: ['Pods have not been read yet'] })))['ns/l40s']).toBe(
    'missing: Pods have not been read yet',
  );
});

test('a Deployment without a profile is left alone, the others are planned', () => {
  const profiles = new Map([['ns/l40s', foundProfile('l40s', 2)]]);
  expect(targets(run(reading(2002, workload(2002, { m: busy(1410, 2000) }), { profiles })))).toEqual({
    'ns/h100': 'no profile for Deployment ns/h100 of model m',
    'ns/l40s': 2,
  });
});

test('a label that is no integer keeps one Deployment from going idle, and harms no other', () => {
  const broken = { ...deployments[0]!, idleReplicas: null, problem: 'Deployment ns/h100: min_replicas is "two"' };
  const given = new Map([
    ['ns/h100', broken],
    ['ns/l40s', deployments[1]!],
  ]);
  const idle = run(reading(2002, workload(2002, { m: silent }, { heartbeatAt: 2000 }), { deployments: given }));
  expect(targets(idle)).toEqual({ 'ns/h100': 'Deployment ns/h100: min_replicas is "two"', 'ns/l40s': 0 });
  const traffic = run(reading(2002, workload(2002, { m: busy(1410, 2000) }), { deployments: given }));
  expect(targets(traffic)).toEqual({ 'ns/h100': 0, 'ns/l40s': 2 });
});
