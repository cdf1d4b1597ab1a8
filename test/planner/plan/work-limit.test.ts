import { expect, test } from 'vitest';
import { tickWork, workLimitOfMachine } from '../../../src/planner/plan/work-limit.ts';

test('it is the usual one until enough work was seen, then a second of this machine', () => {
  const { limit, saw } = workLimitOfMachine();
  saw(200_000, 400);
  expect(limit()).toBe(tickWork);
  saw(200_000, 400);
  expect(limit()).toBe(0.5 * tickWork);
});

test('it is learned once: what comes later changes nothing', () => {
  const { limit, saw } = workLimitOfMachine();
  saw(300_000, 150);
  expect(limit()).toBe(2 * tickWork);
  saw(300_000, 3000);
  expect(limit()).toBe(2 * tickWork);
});

test('plans that take little tell nothing, and no machine is believed to be far off', () => {
  const { limit, saw } = workLimitOfMachine();
  for (let plan = 0; plan < 100; plan += 1) saw(10_000, 1000);
  expect(limit()).toBe(tickWork);
  saw(300_000, 0);
  expect(limit()).toBe(4 * tickWork);
  const slow = workLimitOfMachine();
  slow.saw(300_000, 1e9);
  expect(slow.limit()).toBe(0.25 * tickWork);
});
