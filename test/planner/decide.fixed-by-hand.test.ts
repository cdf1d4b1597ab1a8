import { expect, test } from 'vitest';
import type { ModelDeployment } from '../../src/cluster/variant.ts';
import { foundProfile } from '../helpers/deployments.ts';
import { busy, deployments, reading, run, steady, targets, workload } from '../helpers/planner.ts';

const having = (more: Partial<ModelDeployment>) =>
  new Map(deployments.map((one) => [`ns/${one.name}`, one.name === 'h100' ? { ...one, ...more } : one]));
const busyNow = workload(2002, { m: busy(1410, 2000) });

test('a pin is published and planned around', () => {
  const decided = run(reading(2002, busyNow, { deployments: having({ pin: { replicas: 1, until: null } }) }));
  // 3 req/s: the H100's 8 suffice, so no L40S is needed beside it.
  expect(targets(decided)).toEqual({ 'ns/h100': 1, 'ns/l40s': 0 });
  expect(targets(steady)).toEqual({ 'ns/h100': 0, 'ns/l40s': 2 });
});

test('a pin counts in every state, also when nothing is known', () => {
  const pinned = { deployments: having({ pin: { replicas: 5, until: null } }) };
  for (const given of [null, workload(2002, {}), workload(9000, { m: busy(1410, 2000) })])
    expect(targets(run(reading(given?.now ?? 2002, given, pinned)))['ns/h100']).toBe(5);
  const unprofiled = { ...pinned, profiles: new Map([['ns/l40s', foundProfile('l40s', 2)]]) };
  expect(targets(run(reading(2002, busyNow, unprofiled)))).toEqual({ 'ns/h100': 5, 'ns/l40s': 2 });
});

test('a pin ends when its time is over', () => {
  const until = (time: number) => ({ deployments: having({ pin: { replicas: 5, until: time } }) });
  expect(targets(run(reading(2002, busyNow, until(2003))))['ns/h100']).toBe(5);
  expect(targets(run(reading(2002, busyNow, until(2002))))['ns/h100']).toBe(0);
});

test('a paused Deployment is left alone, and what it runs is planned with', () => {
  const decided = run(reading(2002, busyNow, { deployments: having({ paused: true, replicas: 1 }) }));
  expect(targets(decided)).toEqual({ 'ns/h100': 'paused by the annotation gpumix.io/paused', 'ns/l40s': 0 });
  expect(decided.targets[0]?.standing.replicas).toBe(1);
});

test('what is fixed below the demand leaves the rest to the others, or says what is not served', () => {
  const both = new Map(
    deployments.map((one) => [`ns/${one.name}`, { ...one, pin: { replicas: one.name === 'l40s' ? 1 : 0, until: null } }]),
  );
  const decided = run(reading(2002, busyNow, { deployments: both }));
  expect(targets(decided)).toEqual({ 'ns/h100': 0, 'ns/l40s': 1 });
  expect(decided.models[0]?.unserved).toEqual({ pinned: expect.closeTo(1) });
  expect(decided.targets.map(({ decision }) => decision)).toMatchObject([{ pinned: true }, { pinned: true }]);
});
