import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { messageOf } from '../vocabulary/errors.ts';
import type { Log } from './log.ts';
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

/**
 * Certificate and key from files that someone else renews. They are read again every few seconds, by content: a mounted
 * Secret changes through symbolic links that file watches do not follow. A pair that does not fit, as when only one of
 * the files was written yet, leaves the last good one. Throws when the first read fails.
 */
export const certificateFromFiles = async (
  certificateFile: string,
  privateKeyFile: string,
  log: Log,
  pollMilliseconds = 5_000,
): Promise<ServingCertificate> => {
  const read = async (): Promise<KeyPair> => {
    const [certificate, privateKey] = await Promise.all([readFile(certificateFile, 'utf8'), readFile(privateKeyFile, 'utf8')]);
    if (!new X509Certificate(certificate).checkPrivateKey(createPrivateKey(privateKey))) {
      throw new Error(`${privateKeyFile} is not the key of ${certificateFile}`);
    }
    return { certificate, privateKey };
  };
  let current = await read();
  let lastProblem = '';
  const listeners: ((pair: KeyPair) => void)[] = [];
  const poll = async (): Promise<void> => {
    try {
      const next = await read();
      lastProblem = '';
      if (next.certificate === current.certificate && next.privateKey === current.privateKey) return;
      current = next;
      log.info({ certificateFile, expires: new X509Certificate(next.certificate).validTo }, 'certificate renewed');
      for (const listener of listeners) listener(next);
    } catch (error) {
      const problem = messageOf(error);
      if (problem !== lastProblem) log.warn({ problem }, 'certificate files not read, the last certificate stands');
      lastProblem = problem;
    }
  };
  const timer = setInterval(() => void poll(), pollMilliseconds).unref();
  return {
    current: () => current,
    problem: () => undefined,
    onChange: (changed) => listeners.push(changed),
    stop: () => clearInterval(timer),
  };
};
