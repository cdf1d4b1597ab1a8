import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { demoTrace, shippedOpenapi, shippedProfiles } from '../../src/runtime/shipped-files.ts';

test('seen from the source, the profiles that gpumix comes with are those of the repository', () => {
  expect(readdirSync(shippedProfiles)).toEqual(readdirSync(new URL('../../profiles', import.meta.url)));
});

test('seen from the source, the OpenAPI documents of both versions are there', () => {
  expect(readdirSync(shippedOpenapi).toSorted()).toEqual(['v2', 'v3']);
});

test('seen from the source, the trace of the demo is there and names its columns', () => {
  expect(readFileSync(demoTrace, 'utf8')).toMatch(/^[^\n]*,/);
});
