import { expect, test } from 'vitest';
import { progressOn } from '../../src/cli/progress.ts';

const watched = (errorColumns?: number) => {
  const said: string[] = [];
  const time = { now: 0 };
  const io = {
    stdout: () => {},
    stderr: (text: string) => void said.push(text),
    ...(errorColumns === undefined ? {} : { errorColumns }),
  };
  return { said, time, progress: progressOn(io, () => time.now) };
};

test('after three seconds it says how far it is and what is left, and goes away in the end', () => {
  const { said, time, progress } = watched(80);
  for (time.now = 0; time.now < 3000; time.now += 100) progress.tell('run 1 of 2', time.now / 10_000);
  expect(said).toEqual([]);
  time.now = 4000;
  progress.tell('run 1 of 2', 0.4);
  progress.tell('run 1 of 2', 0.41);
  progress.end();
  expect(said).toEqual(['\r\u001b[Krun 1 of 2: 40 %, about 6 s left', '\r\u001b[K']);
});

test('a line is shorter than the terminal is wide', () => {
  const { said, time, progress } = watched(20);
  time.now = 4000;
  progress.tell('engines are watched for long', 0.5);
  expect(said[0]!.replace('\r\u001b[K', '')).toHaveLength(19);
});

test('what is over at once, and what is no terminal, is not told', () => {
  const quick = watched(80);
  quick.progress.tell('run', 1);
  quick.progress.end();
  const piped = watched();
  piped.time.now = 60_000;
  piped.progress.tell('run', 0.5);
  piped.progress.end();
  expect([quick.said, piped.said]).toEqual([[], []]);
});
