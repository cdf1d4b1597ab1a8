import { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';

/** The certificate that a client showed, with the intermediate ones it sent. */
export interface ClientCertificate {
  readonly leaf: X509Certificate;
  readonly intermediates: readonly X509Certificate[];
  readonly commonName: string;
  readonly organizations: readonly string[];
}

/** Certificates that may vouch for clients. A new bundle is a new object. */
export type Authorities = readonly X509Certificate[];

const byConnection = new WeakMap<object, ClientCertificate | null>();

/** What the client at the other end of `socket` showed; `connection` is the object that lives as long as the socket. */
export const clientCertificate = (connection: object, socket: TLSSocket): ClientCertificate | null => {
  let found = byConnection.get(connection);
  if (found === undefined) {
    const leaf = socket.getPeerX509Certificate?.();
    found = leaf === undefined ? null : parsed(leaf);
    byConnection.set(connection, found);
  }
  return found;
};

const parsed = (leaf: X509Certificate): ClientCertificate => {
  const intermediates: X509Certificate[] = [];
  for (let next = leaf.issuerCertificate; next !== undefined && intermediates.length < longestChain; ) {
    intermediates.push(next);
    next = next.issuerCertificate;
  }
  const subject = leaf.toLegacyObject().subject as unknown as Record<string, string | string[] | undefined>;
  const values = (key: string): readonly string[] => [subject[key] ?? []].flat();
  return { leaf, intermediates, commonName: values('CN').at(-1) ?? '', organizations: values('O') };
};

const longestChain = 8;
const clientAuth = '1.3.6.1.5.5.7.3.2';
const anyUsage = '2.5.29.37.0';

/**
 * Whether one of `authorities` vouches for the client now, by itself or through what the client sent: signatures, dates and the
 * usage clientAuth. Every candidate is tried, as a renewed authority keeps its name and key, and the expired one may stand beside
 * it.
 */
export const vouchedFor = (
  { leaf, intermediates }: Pick<ClientCertificate, 'leaf' | 'intermediates'>,
  authorities: Authorities,
  now: number,
): boolean => {
  // A certificate that was tried once is not tried again, however often the client's certificates sign each other.
  const tried = new Set<X509Certificate>();
  const reaches = (certificate: X509Certificate): boolean => {
    if (tried.has(certificate) || !validAt(certificate, now) || !allowsClients(certificate)) return false;
    tried.add(certificate);
    return (
      authorities.some(
        (issuer) => validAt(issuer, now) && (signed(issuer, certificate) || issuer.fingerprint256 === certificate.fingerprint256),
      ) || intermediates.some((issuer) => issuer.ca && signed(issuer, certificate) && reaches(issuer))
    );
  };
  return reaches(leaf);
};

const validAt = ({ validFromDate, validToDate }: X509Certificate, now: number): boolean =>
  validFromDate.getTime() <= now && now <= validToDate.getTime();

/** What the signatures said, by certificate and issuer: they do not change. */
const signatures = new WeakMap<X509Certificate, WeakMap<X509Certificate, boolean>>();

const signed = (issuer: X509Certificate, certificate: X509Certificate): boolean => {
  const known = signatures.get(certificate) ?? new WeakMap<X509Certificate, boolean>();
  signatures.set(certificate, known);
  const answer = known.get(issuer) ?? (certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey));
  known.set(issuer, answer);
  return answer;
};

/** No list of extended usages allows all of them; Node calls that list keyUsage. */
const allowsClients = ({ keyUsage }: X509Certificate): boolean => {
  const usages = keyUsage as readonly string[] | undefined;
  return usages === undefined || usages.includes(clientAuth) || usages.includes(anyUsage);
};

/** The certificates of a PEM bundle. Throws when one cannot be read or there is none. */
export const authoritiesOf = (pem: string): Authorities => {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw new Error('no certificate in the bundle');
  return blocks.map((block) => new X509Certificate(block));
};
