import { expect, test } from 'vitest';
import { cannotWake } from '../../../src/planner/report/cannot-wake.ts';

const now = 1000;
const zero = { decision: { replicas: 0, asOf: now } };

test('an idle model at zero cannot wake where no gateway of ours was ever heard', () => {
  expect(cannotWake({ state: 'idle' }, [zero, zero], null, now)).toBe(true);
});

test('a gateway of ours wakes it until ten minutes after it was heard', () => {
  expect(cannotWake({ state: 'idle' }, [zero], now - 600, now)).toBe(false);
  expect(cannotWake({ state: 'idle' }, [zero], now - 601, now)).toBe(true);
});

test('one replica of one Deployment is enough to see requests', () => {
  expect(cannotWake({ state: 'idle' }, [zero, { decision: { replicas: 1, asOf: now } }], null, now)).toBe(false);
});

test('nothing is claimed of a model that has no answer, no Deployment, or is not idle', () => {
  expect(cannotWake({ state: 'idle' }, [zero, { decision: { unavailable: 'no integer' } }], null, now)).toBe(false);
  expect(cannotWake({ state: 'idle' }, [], null, now)).toBe(false);
  expect(cannotWake({ state: 'quiet' }, [zero], null, now)).toBe(false);
});
