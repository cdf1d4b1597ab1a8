import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { issueCertificate } from '../../src/api/x509.ts';
import type { ControlPlane } from '../cluster/control-plane.ts';
import { authority } from '../cluster/pki.ts';
import type { Target } from './exchange.ts';

/** Files of a serving certificate for a day, and how the front proxy of a control plane reaches a server that has it. */
export const servingTarget = ({
  folder,
  pki,
}: Pick<ControlPlane, 'folder' | 'pki'>): {
  readonly certificate: string;
  readonly key: string;
  readonly target: Omit<Target, 'port'>;
} => {
  const ca = authority('bench serving CA');
  const hour = 3_600_000;
  const validity = { notBefore: new Date(Date.now() - hour), notAfter: new Date(Date.now() + 24 * hour) };
  const serving = issueCertificate({ commonName: 'localhost', dnsNames: ['localhost'], usages: ['serverAuth'], ...validity }, ca);
  const save = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const { frontProxyClient } = pki;
  return {
    certificate: save('bench.crt', serving.certificate),
    key: save('bench.key', serving.privateKey),
    target: {
      servername: 'localhost',
      ca: ca.certificate,
      cert: readFileSync(frontProxyClient.certificate, 'utf8'),
      key: readFileSync(frontProxyClient.privateKey, 'utf8'),
    },
  };
};
