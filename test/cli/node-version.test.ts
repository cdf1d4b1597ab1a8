import { expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { nodeProblem } from '../../src/cli/node-version.ts';

test('an old Node is told which one is needed, the same as package.json says', () => {
  const least = packageJson.engines.node.replace('>=', '');
  expect(nodeProblem(`${Number(least) - 1}.20.2`)).toContain(`Node ${least} or newer is needed, and this is Node 23.20.2`);
  expect(nodeProblem(`${least}.0.0`)).toBe(null);
  expect(nodeProblem('100.1.0')).toBe(null);
});
