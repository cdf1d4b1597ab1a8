import { expect, test } from 'vitest';
import { billOfMaterials } from '../../../hack/bundle/bill-of-materials.ts';

const fields = { license: 'MIT', repository: 'https://example.com/x', author: '', texts: [] };

test('each package is a component with its address at the registry, its licence and the checksum of its archive', () => {
  const { components } = billOfMaterials([
    { ...fields, name: '@kubernetes/client-node', version: '2.0.1', license: 'Apache-2.0' },
    { ...fields, name: 'unknown', version: '0.0.0', license: '(MIT OR CC0-1.0)' },
  ]) as { components: readonly Record<string, unknown>[] };
  expect(components[0]).toMatchObject({
    group: '@kubernetes',
    name: 'client-node',
    purl: 'pkg:npm/%40kubernetes/client-node@2.0.1',
    licenses: [{ license: { id: 'Apache-2.0' } }],
    hashes: [{ alg: 'SHA-512', content: expect.stringMatching(/^[0-9a-f]{128}$/) }],
  });
  expect(components[1]).not.toHaveProperty('hashes');
  expect(components[1]).toMatchObject({ licenses: [{ expression: '(MIT OR CC0-1.0)' }] });
});
