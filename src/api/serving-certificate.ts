import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { polling, type RequestLog } from './log.ts';
import type { KeyPair } from './x509.ts';

/** The certificate that we show, whoever makes it. */
export interface ServingCertificate {
  readonly current: () => KeyPair;
  /** Why nobody will trust it; undefined when all is well. */
  readonly problem: () => string | undefined;
  /** Calls `changed` with every new one. */
  readonly onChange: (changed: (pair: KeyPair) => void) => void;
  readonly stop: () => void;
}

export interface PolledPair {
  /** What is shown until `read` has something else. */
  readonly first: KeyPair;
  /** Nobody trusts `first`: the pair is read at once, and it is a problem until it was. */
  readonly makeshift: boolean;
  /** The pair as it is now. Throws when it cannot be read: the last one stands. */
  readonly read: () => Promise<KeyPair>;
  readonly pollMilliseconds: number | undefined;
  /** @param none whether nothing but the makeshift was ever there */
  readonly sayProblem: (problem: string, none: boolean) => void;
}

/** A certificate that someone renews: it is read again every few seconds, and compared by content. */
export const polledCertificate = ({ first, makeshift, read, sayProblem, ...options }: PolledPair): ServingCertificate => {
  let current = first;
  const listeners: ((pair: KeyPair) => void)[] = [];
  const round = async (): Promise<void> => {
    const next = await read();
    if (next.certificate === current.certificate && next.privateKey === current.privateKey) return;
    current = next;
    for (const listener of listeners) listener(next);
  };
  const isNone = (): boolean => makeshift && current === first;
  const say = (what: string): void => sayProblem(what, isNone());
  const { problem, stop } = polling(round, options.pollMilliseconds ?? 5_000, say, { atOnce: makeshift });
  return {
    current: () => current,
    problem: () => (isNone() ? problem() || 'not loaded yet' : undefined),
    onChange: (changed) => listeners.push(changed),
    stop,
  };
};

/**
 * Certificate and key from files that someone else renews; a mounted Secret changes through symbolic links that file watches
 * do not follow. A pair that does not fit, as when only one of the files was written yet, leaves the last good one. Throws
 * when the first read fails.
 */
export const certificateFromFiles = async (
  certificateFile: string,
  privateKeyFile: string,
  log: RequestLog,
  pollMilliseconds?: number,
): Promise<ServingCertificate> => {
  const read = async (): Promise<KeyPair> => {
    const [certificate, privateKey] = await Promise.all([readFile(certificateFile, 'utf8'), readFile(privateKeyFile, 'utf8')]);
    if (!new X509Certificate(certificate).checkPrivateKey(createPrivateKey(privateKey))) {
      throw new Error(`${privateKeyFile} is not the key of ${certificateFile}`);
    }
    return { certificate, privateKey };
  };
  const sayProblem = (problem: string) => log.warn({ problem }, 'certificate files not read, the last certificate stands');
  const certificate = polledCertificate({ first: await read(), makeshift: false, read, sayProblem, pollMilliseconds });
  certificate.onChange(({ certificate: pem }) =>
    log.info({ certificateFile, expires: new X509Certificate(pem).validTo }, 'certificate renewed'),
  );
  return certificate;
};
