import { expect, test } from 'vitest';
import { type RouterSettings, routerKnowledgeNow } from '../../../src/planner/plan/router-knowledge.ts';

const settings: RouterSettings = { routerKnowledge: 'auto' };
const knowledge = (heartbeatAt: number | null, given = settings) =>
  routerKnowledgeNow(given, { now: 1000, workload: { heartbeatAt } });

test('a gateway of ours that is heard knows the input', () => {
  expect(knowledge(995, { ...settings, otherRouterKnowledge: 'load' })).toBe('input');
});

test('without one, or ten minutes after it was heard, the other router counts', () => {
  expect(knowledge(400, { ...settings, otherRouterKnowledge: 'load' })).toBe('load');
  expect(knowledge(null, { ...settings, otherRouterKnowledge: 'load' })).toBe('load');
  expect(knowledge(null)).toBe('none');
  expect(routerKnowledgeNow(settings, { now: 1000, workload: null })).toBe('none');
});

test('a setting that names what the router knows counts whatever is heard', () => {
  expect(knowledge(995, { ...settings, routerKnowledge: 'size' })).toBe('size');
});
