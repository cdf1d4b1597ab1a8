import { pino } from 'pino';
import { expect, test } from 'vitest';
import { problemReporter } from '../../src/runtime/logger.ts';

const reporter = () => {
  const said: string[] = [];
  const write = (line: string): void => {
    const { msg, problem } = JSON.parse(line) as { msg: string; problem: string };
    said.push(`${msg}: ${problem}`);
  };
  const time = { now: 0 };
  return { said, time, report: problemReporter(pino({}, { write }), () => time.now) };
};

test('a problem is said once, and that it has gone', () => {
  const { said, time, report } = reporter();
  for (time.now = 0; time.now <= 20_000; time.now += 2_000) report(['a']);
  for (; time.now <= 30_000; time.now += 2_000) report([]);
  report(['a']);
  expect(said).toEqual(['problem: a', 'problem gone: a', 'problem: a']);
});

test('one that is spelled in several ways by turns is said once in each, and not gone in between', () => {
  const { said, time, report } = reporter();
  const spellings = ['no connection', 'Connection is closed', 'timed out'];
  for (let turn = 0; turn < 30; turn += 1) {
    time.now += 2_000;
    report([spellings[turn % 3]!]);
  }
  expect(said).toEqual(['problem: no connection', 'problem: Connection is closed', 'problem: timed out']);
});

test('where reports are far apart, one that is missing from the next is gone', () => {
  const { said, time, report } = reporter();
  report(['a']);
  time.now = 10_000;
  report([]);
  expect(said).toEqual(['problem: a', 'problem gone: a']);
});
