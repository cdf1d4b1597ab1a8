import { expect, test } from 'vitest';
import { clockFindings } from '../../src/cli/clock-findings.ts';
import { findingText } from '../../src/cli/finding.ts';

const redis = (clockAhead: number, problem: string | null = null) => ({ address: 'h:6379/0', problem, clockAhead });
const told = (...asked: Parameters<typeof clockFindings>) =>
  clockFindings(...asked).map((one) => `${one.verdict}: ${findingText(one)}`);
const redisCounts = 'gpumix goes by that of Redis';

test('clocks that agree are well', () => {
  expect(told(redis(1), -1)).toEqual(['ok: the clocks here, of Redis h:6379/0 and of the API server agree']);
  expect(told(redis(1), null)).toEqual([]);
  expect(told(redis(30, 'away'), 30)).toEqual([]);
});

test.each([
  [
    'of Redis',
    30.4,
    0,
    `Redis h:6379/0 is 30 s ahead of the clock here and that of the API server: its clock is wrong, and ${redisCounts}`,
  ],
  [
    'here',
    -30,
    -31,
    `The clock here is 30 s ahead of that of Redis h:6379/0 and that of the API server: it is wrong; ${redisCounts}`,
  ],
  ['of the API server', 0, -45, 'The API server is 45 s behind the clock here and that of Redis h:6379/0: its clock is wrong'],
  [
    'of all',
    30,
    -30,
    `Redis h:6379/0 is 30 s ahead of the clock here, and the API server is 30 s behind it: no two agree; ${redisCounts}`,
  ],
  ['of one of two', -30, null, `Redis h:6379/0 is 30 s behind the clock here; ${redisCounts}`],
])('the clock %s is wrong', (_whose, redisAhead, kubernetesAhead, text) => {
  expect(told(redis(redisAhead), kubernetesAhead)).toEqual([`note: ${text}`]);
});

test('a gateway that writes records too early or too late has another clock than Redis', () => {
  const gateways = (ahead: number) => told(redis(0), null, [{ model: 'm', ahead }]);
  expect([gateways(4), gateways(-12)]).toEqual([[], []]);
  expect(gateways(30)).toEqual([
    'note: The gateway of model m writes records of intervals that are not over by the clock of Redis: its own is 30 s ahead of it',
  ]);
  expect(gateways(-40)).toEqual([
    'note: The gateway of model m writes its records late by the clock of Redis, and demand is as late: its own is 40 s behind it',
  ]);
});

test('the nodes of a gateway whose clock is wrong are named, where they are known', () => {
  const mend = (nodes: readonly string[]) => clockFindings(redis(0), null, [{ model: 'm', ahead: 30, nodes }])[0]?.mend;
  expect([mend(['a']), mend(['a', 'b'])]).toEqual(['run NTP on node a', 'run NTP on nodes a, b']);
  expect(mend([])).toBe('run NTP on the host that is named');
});
