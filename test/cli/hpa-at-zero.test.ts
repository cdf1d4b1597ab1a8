import { expect, test } from 'vitest';
import { zeroReplicas } from '../../src/cli/hpa-at-zero.ts';

const answer = (body: unknown, status = 200) => ({ status, body });
const release = (minor: string) => answer({ major: '1', minor });
const gate = (value: number) => answer(`kubernetes_feature_enabled{name="HPAScaleToZero",stage="BETA"} ${value}\n`);

test('the gate counts before the release, and the release where the gate cannot be read', () => {
  expect(zeroReplicas({ version: release('37'), gates: null })).toEqual({ allowed: true, cluster: 'v1.37' });
  expect(zeroReplicas({ version: release('36+'), gates: answer(null, 403) })).toEqual({ allowed: false, cluster: 'v1.36' });
  expect(zeroReplicas({ version: release('37'), gates: gate(0) }).allowed).toBe(false);
  expect(zeroReplicas({ version: release('35'), gates: gate(1) }).allowed).toBe(true);
});

test('without either it is not known', () => {
  expect(zeroReplicas({ version: answer({}, 0), gates: null })).toEqual({ allowed: null, cluster: 'of an unknown release' });
});
