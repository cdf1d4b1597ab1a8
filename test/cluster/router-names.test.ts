import { expect, test } from 'vitest';
import { routerOf } from '../../src/cluster/router-names.ts';
import { routerKnowledges } from '../../src/vocabulary/planning-documents.ts';

test.each(routerKnowledges)('our own mode %s is itself', (mode) => {
  expect(routerOf(mode)).toEqual({ routerKnowledge: mode, note: null });
});

test.each([
  ['random spreads as round robin does', 'random', 'none', null],
  ['least-request spreads by requests in flight', 'least-request', 'load', null],
  ['throughput is nearer to random', 'throughput', 'none', /it sent 35 to the H100, random 41 and least-request 62$/],
  ['least-latency is nearer to random', 'least-latency', 'none', /sent 30 to/],
  ['least-busy-time is nearer to random', 'least-busy-time', 'none', /sent 37 to/],
  ['least-kv-cache is nearer to random', 'least-kv-cache', 'none', /sent 42 to/],
  ['power-of-two is nearer to random', 'power-of-two', 'none', /sent 50 to/],
  ['prefix-cache is nearer to random', 'prefix-cache', 'none', /sent 14 to/],
  ['what was not measured is said not to be', 'session-affinity', 'none', /was not measured$/],
])('%s', (_name, strategy, routerKnowledge, note) => {
  expect(routerOf(strategy)).toEqual({ routerKnowledge, note: note === null ? null : expect.stringMatching(note) });
});

test.each(['slo', 'slo-least-load', 'slo-pack-load', 'slo-least-load-pulling'])('%s fits no mode', (strategy) => {
  expect(routerOf(strategy)).toMatch(/^AIBrix's slo.* sends nearly every request to the fastest GPU type/);
});

test.each(['', 'Random', 'constructor', 'prefix-cache:2,least-latency:1'])('%j is the name of no router', (name) => {
  expect(routerOf(name)).toBeNull();
});
