import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  type KeyPairKeyObjectResult,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto';
import { isIPv4 } from 'node:net';

/**
 * Issues X.509 certificates (RFC 5280) with ECDSA P-256 keys. Node reads certificates but cannot make them, and the
 * libraries that can would cost a tenth of the adapter's memory for these few structures.
 */

/** A certificate and its private key, both PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly privateKey: string;
}

export interface CertificateRequest {
  readonly commonName: string;
  readonly organizations?: readonly string[];
  /** Host names and IP addresses that a server answers to. */
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  readonly usages: readonly ('serverAuth' | 'clientAuth')[];
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** A self-signed certificate that may sign others. @param renewed the pair whose key it keeps; absent = a new key */
export const issueAuthority = (commonName: string, notBefore: Date, notAfter: Date, renewed?: KeyPair): KeyPair => {
  const keys = renewed === undefined ? newKeys() : keysOf(renewed);
  const extensions = [
    extension('2.5.29.19', true, sequence(TRUE)), // basicConstraints: CA
    extension('2.5.29.15', true, Buffer.of(0x03, 0x02, 0x01, 0x06)), // keyUsage: keyCertSign, cRLSign
    extension('2.5.29.14', false, octets(keyId(keys.publicKey))),
  ];
  const names = { subject: name(commonName, []), issuer: name(commonName, []) };
  return signed({ ...names, notBefore, notAfter, extensions }, keys, keys.privateKey);
};

/** A certificate for `request`, signed by `authority`, which issueAuthority made. */
export const issueCertificate = (request: CertificateRequest, authority: KeyPair): KeyPair => {
  const keys = newKeys();
  const issuer = new X509Certificate(authority.certificate);
  const extensions = [
    extension('2.5.29.15', true, Buffer.of(0x03, 0x02, 0x07, 0x80)), // keyUsage: digitalSignature
    extension('2.5.29.37', false, sequence(...request.usages.map((usage) => oid(usageIds[usage])))),
    extension('2.5.29.35', false, sequence(tagged(0x80, keyId(issuer.publicKey)))),
    ...subjectAlternativeNames(request),
  ];
  const names = {
    subject: name(request.commonName, request.organizations ?? []),
    issuer: name(/^CN=(.*)$/m.exec(issuer.subject)?.[1] ?? '', []),
  };
  const { notBefore, notAfter } = request;
  return signed({ ...names, notBefore, notAfter, extensions }, keys, createPrivateKey(authority.privateKey));
};

const usageIds = { serverAuth: '1.3.6.1.5.5.7.3.1', clientAuth: '1.3.6.1.5.5.7.3.2' } as const;

type Keys = KeyPairKeyObjectResult;
const newKeys = (): Keys => generateKeyPairSync('ec', { namedCurve: 'prime256v1' });

const keysOf = ({ privateKey }: KeyPair): Keys => ({
  publicKey: createPublicKey(privateKey),
  privateKey: createPrivateKey(privateKey),
});

interface Body {
  readonly subject: Buffer;
  readonly issuer: Buffer;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly extensions: readonly Buffer[];
}

/** Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signatureValue } (RFC 5280, 4.1). */
const signed = (body: Body, keys: Keys, signer: KeyObject): KeyPair => {
  const algorithm = sequence(oid('1.2.840.10045.4.3.2')); // ecdsa-with-SHA256
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40; // positive, and never a leading zero
  const toBeSigned = sequence(
    tagged(0xa0, integer(Buffer.of(2))), // version 3
    integer(serial),
    algorithm,
    body.issuer,
    sequence(time(body.notBefore), time(body.notAfter)),
    body.subject,
    keys.publicKey.export({ format: 'der', type: 'spki' }),
    tagged(0xa3, sequence(...body.extensions)),
  );
  const certificate = sequence(toBeSigned, algorithm, bits(sign('sha256', toBeSigned, signer)));
  return {
    certificate: pem('CERTIFICATE', certificate),
    privateKey: keys.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
  };
};

const subjectAlternativeNames = ({ dnsNames = [], ipAddresses = [] }: CertificateRequest): Buffer[] => {
  if (dnsNames.length + ipAddresses.length === 0) return [];
  const names = [
    ...dnsNames.map((dnsName) => tagged(0x82, Buffer.from(dnsName, 'ascii'))),
    ...ipAddresses.map((address) => tagged(0x87, addressBytes(address))),
  ];
  return [extension('2.5.29.17', false, sequence(...names))];
};

const addressBytes = (address: string): Buffer => {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail = ''] = address.split('::');
  const groups = (part: string) => part.split(':').filter((group) => group !== '');
  const zeros = Array<string>(8 - groups(head).length - groups(tail).length).fill('0');
  const all = [...groups(head), ...zeros, ...groups(tail)].map((group) => group.padStart(4, '0'));
  return Buffer.from(all.join(''), 'hex');
};

/** SHA-1 of the public key's bits (RFC 5280, 4.2.1.2): the last 65 bytes of a P-256 key's SPKI are its point. */
const keyId = (publicKey: KeyObject): Buffer =>
  createHash('sha1')
    .update(publicKey.export({ format: 'der', type: 'spki' }).subarray(-65))
    .digest();

const name = (commonName: string, organizations: readonly string[]): Buffer =>
  sequence(...organizations.map((organization) => attribute('2.5.4.10', organization)), attribute('2.5.4.3', commonName));
const attribute = (type: string, value: string): Buffer =>
  tagged(0x31, sequence(oid(type), tagged(0x0c, Buffer.from(value, 'utf8'))));

// DER (X.690): tag, length, content.

const tagged = (tag: number, content: Buffer): Buffer => {
  if (content.length < 0x80) return Buffer.concat([Buffer.of(tag, content.length), content]);
  const length = Buffer.from(content.length.toString(16).padStart(content.length > 0xff ? 4 : 2, '0'), 'hex');
  return Buffer.concat([Buffer.of(tag, 0x80 | length.length), length, content]);
};
const sequence = (...parts: readonly Buffer[]): Buffer => tagged(0x30, Buffer.concat(parts));
const integer = (bytes: Buffer): Buffer => tagged(0x02, bytes);
const octets = (bytes: Buffer): Buffer => tagged(0x04, bytes);
const bits = (bytes: Buffer): Buffer => tagged(0x03, Buffer.concat([Buffer.of(0), bytes]));
const TRUE = Buffer.of(0x01, 0x01, 0xff);

const extension = (id: string, critical: boolean, value: Buffer): Buffer =>
  sequence(oid(id), ...(critical ? [TRUE] : []), octets(value));

/** The first two numbers share a byte; the others are base 128, all but the last byte with the high bit set. */
const oid = (dotted: string): Buffer => {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const base128 = (value: number): number[] => {
    const digits = [value & 0x7f];
    for (let left = value >>> 7; left > 0; left >>>= 7) digits.unshift((left & 0x7f) | 0x80);
    return digits;
  };
  return tagged(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
};

/** UTCTime to the end of 2049, GeneralizedTime after it (RFC 5280, 4.1.2.5). */
const time = (date: Date): Buffer => {
  const digits = `${date.toISOString().replace(/\D/g, '').slice(0, 14)}Z`;
  return date.getUTCFullYear() < 2050 ? tagged(0x17, Buffer.from(digits.slice(2))) : tagged(0x18, Buffer.from(digits));
};

const pem = (label: string, bytes: Buffer): string =>
  `-----BEGIN ${label}-----\n${bytes.toString('base64').replace(/.{1,64}/g, '$&\n')}-----END ${label}-----\n`;
