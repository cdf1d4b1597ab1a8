import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { issueAuthority, issueCertificate } from '../../src/api/x509.ts';
import { askForCertificate, certificateFindings, type SeenCertificate } from '../../src/cli/certificate-findings.ts';
import { findingText } from '../../src/cli/finding.ts';

const day = 86_400_000;
const now = Date.UTC(2026, 11, 1);
const at = (days: number): Date => new Date(now + days * day);
const authority = issueAuthority('gpumix CA', at(-100), at(1000));
const stranger = issueAuthority('another', at(-100), at(1000));
/** Valid from so many days from now to so many. */
const serving = (from: number, to: number): string =>
  issueCertificate({ commonName: 'gpumix', usages: ['serverAuth'], notBefore: at(from), notAfter: at(to) }, authority)
    .certificate;
const seen = (pem: string, isMaintained = true): SeenCertificate => ({ source: 'Secret gpumix-system/c', pem, isMaintained });
const told = (certificate: SeenCertificate | null, bundles: Parameters<typeof certificateFindings>[1] = []) =>
  certificateFindings(certificate, bundles, now).map((one) => `${one.verdict}: ${findingText(one)}`);

test('a certificate that is renewed in time, by an authority that is believed, is well', () => {
  const bundles = [{ apiService: 'v1beta2.custom.metrics.k8s.io', bundle: `${stranger.certificate}${authority.certificate}` }];
  expect(told(seen(serving(-60, 30)), bundles)).toEqual([
    'ok: Secret gpumix-system/c has a serving certificate that is valid until 2026-12-31T00:00:00.000Z',
  ]);
  expect(told(null)).toEqual([]);
});

test('one whose renewal is overdue is told, and wrong on its last day', () => {
  expect(told(seen(serving(-80, 10)))).toEqual([
    'note: Secret gpumix-system/c has a serving certificate that expires at 2026-12-11T00:00:00.000Z, and nobody renews it, as serve should',
  ]);
  expect(told(seen(serving(-89, 0.5)))[0]).toMatch(/^wrong: .* expires at 2026-12-01T12:00:00/);
  expect(told(seen(serving(-90, -1)))[0]).toMatch(/^wrong: .* has expired \(2026-11-30T00:00:00\.000Z\): HPAs read nothing$/);
  // One of the user's own is renewed by whoever made it, and need not be so early.
  expect(told(seen(serving(-80, 10), false))[0]).toMatch(/^ok/);
  expect(told(seen(serving(-85, 5), false))[0]).toMatch(/^note: .* and whoever made it should renew it$/);
});

test('a caBundle of somebody else is named with the command that lets serve write its own; none is not looked at', () => {
  const bundles = [
    { apiService: 'v1beta1.custom.metrics.k8s.io', bundle: '' },
    { apiService: 'v1beta2.custom.metrics.k8s.io', bundle: stranger.certificate },
  ];
  expect(certificateFindings(seen(serving(-10, 80)), bundles, now)).toMatchObject([
    { verdict: 'ok' },
    {
      verdict: 'wrong',
      id: 'apiservice-authority',
      object: 'APIService v1beta2.custom.metrics.k8s.io',
      mend: `kubectl patch apiservice v1beta2.custom.metrics.k8s.io --type=merge -p='{"spec":{"caBundle":null}}'`,
    },
  ]);
  // An authority that only the chain leads to is believed.
  const chain = `${serving(-10, 80)}${stranger.certificate}`;
  expect(told(seen(chain, false), bundles)).toHaveLength(1);
});

test('it is read from the file that serve is given, or else from its Secret', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gpumix-certificate-'));
  const file = join(folder, 'tls.crt');
  writeFileSync(file, 'pem');
  const config = { serviceName: 'gpumix', serviceNamespace: null, tlsCertFile: null };
  const asked = (
    answer: { readonly status: number; readonly body: unknown },
    more: object = {},
    namespace: string | null = 'ns',
  ) => askForCertificate(async () => answer, { ...config, ...more }, namespace);
  const refused = { status: 403, body: { message: 'no' } };
  expect(await asked(refused, { tlsCertFile: file })).toEqual({ source: file, pem: 'pem', isMaintained: false });
  rmSync(folder, { recursive: true });
  const source = 'Secret ns/gpumix-serving-certificate';
  expect(await asked(refused)).toEqual({ source, problem: '403 no' });
  expect(told({ source, problem: '403 no' })).toEqual([`unknown: ${source} cannot be read: 403 no`]);
  const data = { 'tls.crt': Buffer.from('pem').toString('base64') };
  expect(await asked({ status: 200, body: { data } })).toEqual({ source, pem: 'pem', isMaintained: true });
  expect(await asked({ status: 200, body: {} })).toBeNull();
  expect(await asked(refused, {}, null)).toBeNull();
  expect(told(seen('no certificate'))).toEqual(['wrong: Secret gpumix-system/c has a serving certificate that cannot be read']);
});
