import { expect, test } from 'vitest';
import { tooOld } from '../../../hack/kind/environment.ts';

test.each([
  { version: 'v1.34.9', why: 'too old' },
  { version: 'v1.35.0', why: null },
  { version: 'v1.37.2+k3s1', why: null },
  { version: 'v2.0.0', why: null },
])('Kubernetes $version', ({ version, why }) => {
  if (why === null) expect(tooOld(version)).toBeNull();
  else expect(tooOld(version)).toMatch(/^Kubernetes v1\.34\.9 is too old: .*1\.35/);
});
