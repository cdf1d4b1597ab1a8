import { expect, test } from 'vitest';
import { flagsOfServe } from '../../src/cli/one-look.ts';

test('the flags of the serve in whose container it runs, as /proc tells them', () => {
  expect(flagsOfServe('node\0--max-semi-space-size=2\0/app/dist/gpumix.js\0serve\0--budget=\0--headroom\x000.2\0')).toEqual([
    '--budget=',
    '--headroom',
    '0.2',
  ]);
  expect(flagsOfServe('/sbin/init\0')).toEqual([]);
});
