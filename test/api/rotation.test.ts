import { X509Certificate } from 'node:crypto';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import { type Certificates, nextCertificates } from '../../src/api/rotation.ts';

const hour = 3600;
const lifetimes = { authoritySeconds: 30 * hour, servingSeconds: 9 * hour, overlapSeconds: hour };
const names = ['gpumix.gpumix-system.svc', 'gpumix'];
const start = Date.parse('2026-11-25T00:00:00Z');
const at = (seconds: number) => new Date(start + seconds * 1000);

const step = (last: Certificates | null, seconds: number, dnsNames = names) =>
  nextCertificates(last, dnsNames, at(seconds), lifetimes);
const settled = (last: Certificates | null, seconds: number) => {
  let current = step(last, seconds);
  for (let next = step(current, seconds); next !== current; next = step(current, seconds)) current = next;
  return current;
};

test('the first certificate names the Service, and nothing is due after it (item 102)', () => {
  const first = step(null, 0);
  const certificate = new X509Certificate(first.serving.certificate);
  expect(certificate.subjectAltName).toBe('DNS:gpumix.gpumix-system.svc, DNS:gpumix');
  expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
  expect(certificate.verify(new X509Certificate(first.authorities[0]!).publicKey)).toBe(true);
  expect(step(first, 1)).toBe(first);
});

test('a serving certificate is renewed when a third of its life is left, by the same authority', () => {
  const first = step(null, 0);
  expect(step(first, 5.9 * hour)).toBe(first);
  const renewed = step(first, 6.1 * hour);
  expect(renewed.authorities).toEqual(first.authorities);
  expect(renewed.serving).not.toEqual(first.serving);
});

test('other names make a new certificate', () => {
  const first = step(null, 0);
  const renamed = step(first, 1, ['other.ns.svc']);
  expect(new X509Certificate(renamed.serving.certificate).subjectAltName).toBe('DNS:other.ns.svc');
});

test('what is broken or has expired is made anew', () => {
  const first = step(null, 0);
  expect(step({ ...first, serving: { ...first.serving, certificate: 'nonsense' } }, 1).authorities).not.toEqual(
    first.authorities,
  );
  expect(step(first, 10 * hour).serving).not.toEqual(first.serving);
});

test('an authority is replaced in steps, and every step verifies against the bundle before and after it (item 99)', () => {
  const trusts = (bundle: readonly string[], { serving }: Certificates) =>
    bundle.some((pem) => new X509Certificate(serving.certificate).verify(new X509Certificate(pem).publicKey));
  let last = step(null, 0);
  const stages = new Set<string>();
  for (let seconds = 0; seconds < 100 * hour; seconds += 600) {
    const next = step(last, seconds);
    expect(trusts(last.authorities, next)).toBe(true);
    expect(trusts(next.authorities, last)).toBe(true);
    expect(new X509Certificate(next.serving.certificate).validToDate > at(seconds)).toBe(true);
    expect(next.authorities.every((pem) => new X509Certificate(pem).validToDate > at(seconds))).toBe(true);
    stages.add(`${next.authorities.length}`);
    last = next;
  }
  expect([...stages].sort()).toEqual(['1', '2']);
  expect(last.authorities[0]).not.toBe(step(null, 0).authorities[0]);
});

test('a new authority signs only when everybody can have it in his caBundle (item 99)', () => {
  let announced = step(null, 0);
  let since = 0;
  for (; announced.authorities.length === 1; since += 600) announced = step(announced, since);
  const issuerOf = ({ serving }: Certificates) => new X509Certificate(serving.certificate).issuer;
  const [next = '', old = ''] = announced.authorities.map((pem) => new X509Certificate(pem).subject);
  expect(issuerOf(step(announced, since + 0.7 * hour))).toBe(old);
  const signing = step(announced, since + 1.1 * hour);
  expect(issuerOf(signing)).toBe(next);
  expect(step(signing, since + 1.9 * hour)).toBe(signing); // the old one is trusted for another hour
  expect(step(signing, since + 2.2 * hour).authorities).toEqual([announced.authorities[0]]);
});

test('a TLS client that trusts the bundle accepts the chain under the Service name (item 102)', async () => {
  const { authorities, serving } = nextCertificates(null, names, new Date());
  const server = createServer({ cert: serving.certificate, key: serving.privateKey });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const socket: TLSSocket = connect({ port, host: '127.0.0.1', ca: [...authorities], servername: names[0]! });
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  expect(socket.authorized).toBe(true);
  socket.destroy();
  server.close();
});

test('settling twice changes nothing', () => {
  const once = settled(null, 0);
  expect(settled(once, 0)).toBe(once);
});
