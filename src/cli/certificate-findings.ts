import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { KubernetesRequest } from '../cluster/kubernetes-connection.ts';
import type { Config } from '../config/serve-config.ts';
import { type Finding, note, ok, unknown, wrong } from './finding.ts';
import { refusal, succeeded } from './kubernetes-answer.ts';

/** The serving certificate of `serve`, and where it is from; `problem` = why it is not seen. */
export type SeenCertificate = { readonly source: string } & (
  | { readonly pem: string; readonly isMaintained: boolean }
  | { readonly problem: string }
);

type CertificateConfig = Pick<Config, 'serviceName' | 'serviceNamespace' | 'tlsCertFile'>;

/** @param namespace of the Service, where no setting says it */
export const askForCertificate = async (
  kubernetes: KubernetesRequest,
  { serviceName, serviceNamespace, tlsCertFile }: CertificateConfig,
  namespace: string | null,
): Promise<SeenCertificate | null> => {
  if (tlsCertFile !== null) return { source: tlsCertFile, pem: readFileSync(tlsCertFile, 'utf8'), isMaintained: false };
  const within = serviceNamespace ?? namespace;
  if (within === null) return null;
  const source = `Secret ${within}/${serviceName}-serving-certificate`;
  const answer = await kubernetes('GET', `/api/v1/namespaces/${within}/secrets/${serviceName}-serving-certificate`);
  if (!succeeded(answer)) return { source, problem: refusal(answer) };
  const data = (answer.body as { readonly data?: Readonly<Record<string, string>> }).data ?? {};
  const pem = Buffer.from(data['tls.crt'] ?? '', 'base64').toString();
  // An installation that begins has none yet.
  return pem === '' ? null : { source, pem, isMaintained: true };
};

/** APIServices that lead to us, with the authorities that the API server believes there (PEM). */
export interface TrustedBundle {
  readonly apiService: string;
  readonly bundle: string;
}

/** @param now ms */
export const certificateFindings = (
  seen: SeenCertificate | null,
  bundles: readonly TrustedBundle[],
  now: number,
): readonly Finding[] => {
  if (seen === null) return [];
  const { source } = seen;
  if ('problem' in seen) return [unknown('not-read', source, `cannot be read: ${seen.problem}`)];
  const certificate = certificateIn(seen.pem);
  if (certificate === null) return [wrong('certificate', source, 'has a serving certificate that cannot be read', mendOf(seen))];
  const foreign = bundles.filter(({ bundle }) => bundle !== '' && !isTrusted(certificatesIn(seen.pem), bundle));
  const ages = ageFindings(certificate, seen, now);
  return [
    ...(ages.length === 0
      ? [ok(source, `has a serving certificate that is valid until ${certificate.validToDate.toISOString()}`)]
      : ages),
    ...foreign.map(({ apiService }) =>
      wrong(
        'apiservice-authority',
        `APIService ${apiService}`,
        `has a caBundle that did not sign the certificate in ${source}, so the API server does not believe gpumix`,
        `kubectl patch apiservice ${apiService} --type=merge -p='{"spec":{"caBundle":null}}'`,
      ),
    ),
  ];
};

const certificateIn = (pem: string): X509Certificate | null => {
  try {
    return new X509Certificate(pem);
  } catch {
    return null;
  }
};

const certificatesIn = (pem: string): readonly X509Certificate[] =>
  (pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []).flatMap((block) => certificateIn(block) ?? []);

/** Whether a certificate, or one that vouches for it, is among the authorities or signed by one of them. */
const isTrusted = (chain: readonly X509Certificate[], bundle: string): boolean =>
  certificatesIn(bundle).some((authority) =>
    chain.some((certificate) => certificate.raw.equals(authority.raw) || certificate.verify(authority.publicKey)),
  );

/** `serve` renews when a third of the time is left; with less than a quarter somebody should have. */
const overdue = 0.25;
const day = 86_400_000;

const ageFindings = (certificate: X509Certificate, seen: SeenCertificate & { readonly isMaintained: boolean }, now: number) => {
  const [from, to] = [certificate.validFromDate.getTime(), certificate.validToDate.getTime()];
  const left = to - now;
  const soon = seen.isMaintained ? overdue * (to - from) : Math.min(7 * day, overdue * (to - from));
  if (left >= soon) return [];
  const until = certificate.validToDate.toISOString();
  const untended = seen.isMaintained ? 'nobody renews it, as serve should' : 'whoever made it should renew it';
  const expired = `has a serving certificate that has expired (${until}): HPAs read nothing`;
  if (left <= 0) return [wrong('certificate', seen.source, expired, mendOf(seen))];
  const told = left < day ? wrong : note;
  return [told('certificate', seen.source, `has a serving certificate that expires at ${until}, and ${untended}`, mendOf(seen))];
};

const mendOf = (seen: SeenCertificate & { readonly isMaintained: boolean }): string =>
  seen.isMaintained
    ? 'kubectl logs -n gpumix-system -l app.kubernetes.io/name=gpumix says why; kubectl apply --server-side -k manifests gives the right'
    : '--tls-cert-file and --tls-private-key-file are read again when they change';
