import { expect, test } from 'vitest';
import { type RouterSettings, routingNow } from '../../../src/planner/plan/router-now.ts';

const settings: RouterSettings = { routing: 'auto' };
const routing = (heartbeatAt: number | null, given = settings) => routingNow(given, { now: 1000, workload: { heartbeatAt } });

test('a gateway of ours that is heard knows the input', () => {
  expect(routing(995, { ...settings, router: 'load' })).toBe('input');
});

test('without one, or ten minutes after it was heard, the other router counts', () => {
  expect(routing(400, { ...settings, router: 'load' })).toBe('load');
  expect(routing(null, { ...settings, router: 'load' })).toBe('load');
  expect(routing(null)).toBe('none');
  expect(routingNow(settings, { now: 1000, workload: null })).toBe('none');
});

test('a setting that names a routing counts whatever is heard', () => {
  expect(routing(995, { ...settings, routing: 'size' })).toBe('size');
});
