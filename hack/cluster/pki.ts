import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { issueAuthority, issueCertificate, type KeyPair } from '../../src/api/x509.ts';

/** Where a certificate and its private key are, both PEM. */
export interface PairFiles {
  readonly certificate: string;
  readonly privateKey: string;
}

/** The files of a control plane's keys and certificates. */
export interface Pki {
  /** Signs the API server's certificate and clients' certificates. */
  readonly cluster: PairFiles;
  /** Signs the certificate that kube-apiserver shows to aggregated API servers. */
  readonly frontProxy: PairFiles;
  readonly frontProxyClient: PairFiles;
  readonly apiServer: PairFiles;
  readonly admin: PairFiles;
  readonly controllerManager: PairFiles;
  readonly scheduler: PairFiles;
  readonly serviceAccountKey: string;
}

const hour = 3_600_000;
const validity = () => ({ notBefore: new Date(Date.now() - hour), notAfter: new Date(Date.now() + 8760 * hour) });

export const authority = (commonName: string): KeyPair => {
  const { notBefore, notAfter } = validity();
  return issueAuthority(commonName, notBefore, notAfter);
};

/** A client certificate: Kubernetes takes the common name for the user and the organizations for the groups. */
export const clientCertificate = (signer: KeyPair, commonName: string, organizations: readonly string[] = []) =>
  issueCertificate({ commonName, organizations, usages: ['clientAuth'], ...validity() }, signer);

/** Makes everything that a control plane needs, in files below `folder`. */
export const makePki = (folder: string): Pki => {
  const save = (name: string, pair: KeyPair): PairFiles => {
    const files = { certificate: join(folder, `${name}.crt`), privateKey: join(folder, `${name}.key`) };
    writeFileSync(files.certificate, pair.certificate);
    writeFileSync(files.privateKey, pair.privateKey, { mode: 0o600 });
    return files;
  };
  const cluster = authority('gpumix test cluster CA');
  const frontProxy = authority('gpumix test front proxy CA');
  const serving = {
    commonName: 'kube-apiserver',
    dnsNames: ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc'],
    ipAddresses: ['127.0.0.1', '10.0.0.1'],
    usages: ['serverAuth'] as const,
  };
  const serviceAccountKey = join(folder, 'service-account.key');
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  writeFileSync(serviceAccountKey, privateKey.export({ format: 'pem', type: 'sec1' }), { mode: 0o600 });
  return {
    cluster: save('ca', cluster),
    frontProxy: save('front-proxy-ca', frontProxy),
    frontProxyClient: save('front-proxy-client', clientCertificate(frontProxy, 'front-proxy-client')),
    apiServer: save('apiserver', issueCertificate({ ...serving, ...validity() }, cluster)),
    admin: save('admin', clientCertificate(cluster, 'admin', ['system:masters'])),
    controllerManager: save('controller-manager', clientCertificate(cluster, 'system:kube-controller-manager')),
    scheduler: save('scheduler', clientCertificate(cluster, 'system:kube-scheduler')),
    serviceAccountKey,
  };
};
