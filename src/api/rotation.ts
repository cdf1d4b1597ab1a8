import { X509Certificate } from 'node:crypto';
import { issueAuthority, issueCertificate, type KeyPair } from './x509.ts';

/** Our own authority and serving certificate, as kept in the Secret. */
export interface Certificates {
  /** PEM, newest first; the first one signs, the others are still trusted. This is the APIServices' caBundle. */
  readonly authorities: readonly string[];
  /** Key of the first authority. */
  readonly authorityKey: string;
  readonly serving: KeyPair;
}

export interface Lifetimes {
  readonly authoritySeconds: number;
  readonly servingSeconds: number;
  /** A new authority signs only after everybody can have it in his caBundle, and the old one is trusted that much longer. */
  readonly overlapSeconds: number;
}

const day = 86_400;
export const defaultLifetimes: Lifetimes = {
  authoritySeconds: 5 * 365 * day,
  servingSeconds: 90 * day,
  overlapSeconds: 3_600,
};

/** Clocks differ: certificates are valid from a little before they were made. */
const backdatedSeconds = 300;

/**
 * The next step towards certificates that are valid and fresh, or the same object when nothing is due. One step at a
 * time, so that at every moment what is served verifies against the bundle before and after the step: a new authority is
 * first only trusted, then it signs, and the old one leaves last. Renewal is due when a third of the time is left.
 */
export const nextCertificates = (
  last: Certificates | null,
  dnsNames: readonly string[],
  now: Date,
  lifetimes: Lifetimes = defaultLifetimes,
): Certificates => {
  if (last === null || !usable(last, now)) return firstCertificates(dnsNames, now, lifetimes);
  const [newest = '', ...older] = last.authorities;
  const authority = new X509Certificate(newest);
  const serving = new X509Certificate(last.serving.certificate);
  if (due(authority, now)) {
    const made = newAuthority(now, lifetimes);
    return { ...last, authorities: [made.certificate, ...last.authorities], authorityKey: made.privateKey };
  }
  const settled = secondsSince(authority, now) >= lifetimes.overlapSeconds || older.length === 0;
  const fresh = isSignedBy(serving, authority) && !due(serving, now) && covers(serving, dnsNames);
  if (!fresh && settled) return { ...last, serving: newServing(signer(last), dnsNames, now, lifetimes) };
  const oldIsLeft = older.length > 0 && fresh && secondsSince(serving, now) >= lifetimes.overlapSeconds;
  return oldIsLeft ? { ...last, authorities: [newest] } : last;
};

const firstCertificates = (dnsNames: readonly string[], now: Date, lifetimes: Lifetimes): Certificates => {
  const authority = newAuthority(now, lifetimes);
  const serving = newServing(authority, dnsNames, now, lifetimes);
  return { authorities: [authority.certificate], authorityKey: authority.privateKey, serving };
};

const signer = ({ authorities, authorityKey }: Certificates): KeyPair => ({
  certificate: authorities[0] ?? '',
  privateKey: authorityKey,
});

/** The name tells authorities apart, for whoever looks at a chain, and for verifiers that go by it. */
const newAuthority = (now: Date, { authoritySeconds }: Lifetimes): KeyPair =>
  issueAuthority(`gpumix CA ${now.toISOString()}`, shifted(now, -backdatedSeconds), shifted(now, authoritySeconds));

const newServing = (authority: KeyPair, dnsNames: readonly string[], now: Date, { servingSeconds }: Lifetimes): KeyPair => {
  const validity = { notBefore: shifted(now, -backdatedSeconds), notAfter: shifted(now, servingSeconds) };
  const request = { commonName: dnsNames[0] ?? 'gpumix', dnsNames, usages: ['serverAuth'] as const, ...validity };
  return issueCertificate(request, authority);
};

const shifted = (date: Date, seconds: number): Date => new Date(date.getTime() + seconds * 1000);
const secondsSince = ({ validFromDate }: X509Certificate, now: Date): number =>
  (now.getTime() - validFromDate.getTime()) / 1000 - backdatedSeconds;

const due = ({ validFromDate, validToDate }: X509Certificate, now: Date): boolean => {
  const life = validToDate.getTime() - validFromDate.getTime() - backdatedSeconds * 1000;
  return validToDate.getTime() - now.getTime() < life / 3;
};

/** Whether what is there can be read, belongs together and is valid now; anything else is made anew. */
const usable = ({ authorities, serving }: Certificates, now: Date): boolean => {
  try {
    const certificate = new X509Certificate(serving.certificate);
    const trusted = authorities.map((pem) => new X509Certificate(pem));
    const valid = trusted.filter((authority) => authority.validFromDate <= now && now <= authority.validToDate);
    return now <= certificate.validToDate && valid.some((authority) => isSignedBy(certificate, authority)) && valid.length > 0;
  } catch {
    return false;
  }
};

const isSignedBy = (certificate: X509Certificate, authority: X509Certificate): boolean =>
  certificate.checkIssued(authority) && certificate.verify(authority.publicKey);

const covers = ({ subjectAltName = '' }: X509Certificate, dnsNames: readonly string[]): boolean => {
  const covered = subjectAltName.split(', ');
  return dnsNames.every((name) => covered.includes(`DNS:${name}`));
};
