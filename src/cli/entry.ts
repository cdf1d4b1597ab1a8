#!/usr/bin/env node
import { nodeProblem } from './node-version.ts';

// What dist/gpumix.js begins with. The rest is loaded only by a Node that can run it: an older one would say something else, or
// nothing at all.
const problem = nodeProblem(process.versions.node);
if (problem === null) void import('./gpumix.ts').then(({ start }) => start());
else {
  process.stderr.write(`gpumix: ${problem}\n`);
  process.exitCode = 2;
}
