import { createPrivateKey, X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type CertificateRequest, issueAuthority, issueCertificate, type KeyPair } from '../../src/api/x509.ts';

const [from, until] = [new Date('2026-01-02T03:04:05Z'), new Date('2036-01-02T03:04:05Z')];
const authority = issueAuthority('gpumix CA', from, until);
const issued = (more: Partial<CertificateRequest> = {}): KeyPair =>
  issueCertificate({ commonName: 'web', usages: ['serverAuth'], notBefore: from, notAfter: until, ...more }, authority);
const read = ({ certificate }: KeyPair) => new X509Certificate(certificate);

/** Whether each length is written as short as it can be, which DER asks for and Go insists on. */
const hasShortestLengths = (der: Buffer): boolean => {
  if (der.length === 0) return true;
  const [tag, first] = [der[0]!, der[1]!];
  const more = first < 0x80 ? 0 : first & 0x7f;
  const length = more === 0 ? first : der.readUIntBE(2, more);
  const end = 2 + more + length;
  if (more > 0 && length < (more === 1 ? 0x80 : 2 ** (8 * (more - 1)))) return false;
  const constructed = (tag & 0x20) !== 0;
  return (!constructed || hasShortestLengths(der.subarray(2 + more, end))) && hasShortestLengths(der.subarray(end));
};

describe('an authority', () => {
  test('signs itself, and may sign others', () => {
    const certificate = read(authority);
    expect(certificate).toMatchObject({ ca: true, subject: 'CN=gpumix CA', issuer: 'CN=gpumix CA' });
    expect(certificate.verify(certificate.publicKey)).toBe(true);
  });

  test('that is renewed keeps its key, so that what it signed stays good', () => {
    const renewed = issueAuthority('gpumix CA', from, new Date('2046-01-02T03:04:05Z'), authority);
    expect(renewed.privateKey).toBe(authority.privateKey);
    expect(read(renewed).serialNumber).not.toBe(read(authority).serialNumber);
    const certificate = read(issued());
    expect([certificate.verify(read(renewed).publicKey), certificate.checkIssued(read(renewed))]).toEqual([true, true]);
  });
});

describe('a certificate', () => {
  test('is signed by its authority and by no other, has the key that comes with it, and may sign nobody', () => {
    const pair = issued();
    const certificate = read(pair);
    expect(certificate.verify(read(authority).publicKey)).toBe(true);
    expect(certificate.checkIssued(read(authority))).toBe(true);
    expect(certificate.checkPrivateKey(createPrivateKey(pair.privateKey))).toBe(true);
    expect(certificate.verify(read(issueAuthority('gpumix CA', from, until)).publicKey)).toBe(false);
    expect(certificate).toMatchObject({ ca: false, issuer: 'CN=gpumix CA' });
  });

  test('names whom it is for, and what', () => {
    const certificate = read(issued({ commonName: 'jürgen', organizations: ['system:masters', 'b'], usages: ['clientAuth'] }));
    expect(certificate.subject).toBe('O=system:masters\nO=b\nCN=jürgen');
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
    expect(certificate.subjectAltName).toBeUndefined();
    expect(read(issued({ usages: ['serverAuth', 'clientAuth'] })).keyUsage).toHaveLength(2);
  });

  test('answers to host names and addresses of either kind', () => {
    const certificate = read(
      issued({ dnsNames: ['web.ns.svc', 'web'], ipAddresses: ['10.0.0.7', '::1', 'fd00::12:3', '2001:db8::'] }),
    );
    expect(certificate.checkHost('web.ns.svc')).toBe('web.ns.svc');
    expect(certificate.checkHost('other.ns.svc')).toBeUndefined();
    for (const address of ['10.0.0.7', '::1', 'fd00::12:3', '2001:db8::']) expect(certificate.checkIP(address)).toBe(address);
    expect(certificate.checkIP('10.0.0.8')).toBeUndefined();
  });

  test.each([1, 5, 12, 20, 200])('with %i names is well-formed, however long that makes it', (count) => {
    const dnsNames = Array.from({ length: count }, (_, index) => `replica-${index}.gpumix-system.svc`);
    const certificate = read(issued({ dnsNames }));
    expect(certificate.subjectAltName?.split(', ')).toEqual(dnsNames.map((dnsName) => `DNS:${dnsName}`));
    expect(certificate.verify(read(authority).publicKey)).toBe(true);
    expect(hasShortestLengths(certificate.raw)).toBe(true);
  });

  test('holds from one second to another, also beyond 2049 where times are written in another way', () => {
    const times = ['2049-12-31T23:59:59Z', '2050-01-01T00:00:00Z'].map((time) => new Date(time));
    const certificate = read(issued({ notBefore: times[0]!, notAfter: times[1]! }));
    expect([certificate.validFromDate, certificate.validToDate]).toEqual(times);
    expect(read(issued()).validFromDate).toEqual(from);
  });

  test('has a positive serial number of 16 bytes, each its own', () => {
    const serials = Array.from({ length: 20 }, () => read(issued()).serialNumber);
    expect(new Set(serials).size).toBe(20);
    expect(serials.filter((serial) => !/^[4-7][0-9A-F]{31}$/.test(serial))).toEqual([]);
  });
});
