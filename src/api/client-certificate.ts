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

/** From when until when a whole chain is valid (ms); null: there is no chain. */
interface Validity {
  readonly from: number;
  readonly until: number;
}

/** What the signatures said, per client and bundle: they do not change, only the clock does. */
const validities = new WeakMap<ClientCertificate, WeakMap<Authorities, Validity | null>>();

/** Whether one of `authorities` vouches for the client now: signatures, dates and the usage clientAuth. */
export const vouchedFor = (client: ClientCertificate, authorities: Authorities, now: number): boolean => {
  const known = validities.get(client) ?? new WeakMap<Authorities, Validity | null>();
  validities.set(client, known);
  let validity = known.get(authorities);
  if (validity === undefined) {
    validity = validityOf(chainTo(client.leaf, client.intermediates, authorities, longestChain));
    known.set(authorities, validity);
  }
  return validity !== null && validity.from <= now && now <= validity.until;
};

const validityOf = (chain: readonly X509Certificate[] | null): Validity | null =>
  chain && {
    from: Math.max(...chain.map((certificate) => certificate.validFromDate.getTime())),
    until: Math.min(...chain.map((certificate) => certificate.validToDate.getTime())),
  };

/** A chain of signatures from `certificate` to an authority; null when there is none. */
const chainTo = (
  certificate: X509Certificate,
  intermediates: readonly X509Certificate[],
  authorities: Authorities,
  longest: number,
): readonly X509Certificate[] | null => {
  if (longest === 0 || !allowsClients(certificate)) return null;
  const authority = authorities.find(
    (one) => signed(one, certificate) || one.fingerprint256 === certificate.fingerprint256,
  );
  if (authority !== undefined) return [certificate, authority];
  for (const intermediate of intermediates) {
    if (!intermediate.ca || !signed(intermediate, certificate)) continue;
    const rest = chainTo(intermediate, intermediates, authorities, longest - 1);
    if (rest !== null) return [certificate, ...rest];
  }
  return null;
};

const signed = (issuer: X509Certificate, certificate: X509Certificate): boolean =>
  certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);

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
