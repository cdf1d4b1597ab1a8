import { X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { authoritiesOf, vouchedFor } from '../../src/api/client-certificate.ts';
import { issueAuthority, issueCertificate, type KeyPair } from '../../src/api/x509.ts';

const now = Date.now();
const at = (hours: number) => new Date(now + hours * 3_600_000);
const client = (signer: KeyPair) => {
  const request = { commonName: 'bob', usages: ['clientAuth'] as const, notBefore: at(-1), notAfter: at(1) };
  const leaf = new X509Certificate(issueCertificate(request, signer).certificate);
  return { leaf, intermediates: [], commonName: 'bob', organizations: [] };
};

describe('an authority that was renewed with its key and name', () => {
  const expired = issueAuthority('CA', at(-48), at(-24));
  const renewed = issueAuthority('CA', at(-2), at(24), expired);
  const bundle = (...pairs: readonly KeyPair[]) => authoritiesOf(pairs.map(({ certificate }) => certificate).join(''));

  test.each([
    ['the expired one first', bundle(expired, renewed), true],
    ['the renewed one first', bundle(renewed, expired), true],
    ['the renewed one alone', bundle(renewed), true],
    ['the expired one alone', bundle(expired), false],
  ])('%s', (_name, authorities, vouched) => {
    expect(vouchedFor(client(renewed), authorities, now)).toBe(vouched);
  });

  test('another key of the same name vouches for nobody', () => {
    expect(vouchedFor(client(renewed), bundle(issueAuthority('CA', at(-2), at(24))), now)).toBe(false);
  });
});
