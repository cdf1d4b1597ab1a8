import { expect, test } from 'vitest';
import { boundlessWork, WorkBudget } from '../../src/solver/work-budget.ts';

test('a part is charged to the whole, ends for itself, and what it leaves is there for the next', () => {
  const whole = new WorkBudget(100);
  const first = whole.part(0.5);
  first.charge(20);
  expect([first.left, whole.left, whole.used]).toEqual([30, 80, 20]);
  first.charge(40);
  expect([first.spent, first.left, whole.spent, whole.left]).toEqual([true, 0, false, 40]);
  expect(whole.part(0.5).left).toBe(20);
});

test('with the whole every part is spent', () => {
  const whole = new WorkBudget(10);
  const [one, other] = [whole.part(0.5), whole.part(0.9)];
  one.charge(11);
  expect([whole.spent, other.spent, other.left]).toEqual([true, true, 0]);
});

test('a budget of nothing is spent at once, one without a limit and its parts never', () => {
  expect(new WorkBudget(0).spent).toBe(true);
  const part = boundlessWork.part(0.1);
  part.charge(1e12);
  expect([part.spent, part.left]).toEqual([false, Number.POSITIVE_INFINITY]);
});
