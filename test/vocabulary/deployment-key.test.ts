import { expect, test } from 'vitest';
import { deploymentKey, namespaceOf, ownerKey } from '../../src/vocabulary/deployment-key.ts';

test('a Deployment and what belongs to it have the same key', () => {
  expect(deploymentKey({ namespace: 'ns', name: 'a' })).toBe('ns/a');
  expect(ownerKey({ namespace: 'ns', deployment: 'a' })).toBe(deploymentKey({ namespace: 'ns', name: 'a' }));
});

test('the namespace of a key is what stands before the first slash', () => {
  expect([namespaceOf('ns/a'), namespaceOf('ns/a/b')]).toEqual(['ns', 'ns']);
});

test('a key without a slash names no namespace', () => {
  expect([namespaceOf('name'), namespaceOf('/name'), namespaceOf('')]).toEqual(['', '', '']);
});
