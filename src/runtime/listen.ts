import { GpumixError, messageOf } from '../vocabulary/errors.ts';

/** What a user can mend: the port is taken, or not ours to have, or the address is none of this machine. */
const ofTheAddress = new Set(['EADDRINUSE', 'EACCES', 'EADDRNOTAVAIL', 'EAFNOSUPPORT', 'ENOTFOUND', 'EAI_AGAIN', 'EINVAL']);

/**
 * Listens, and says what is wrong with host and port where that fails.
 * @throws GpumixError BAD_SETTING
 */
export const listening = async <T>(host: string, port: number, listen: () => Promise<T>): Promise<T> => {
  try {
    return await listen();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (!ofTheAddress.has(code ?? '')) throw cause;
    const why = code === 'EADDRINUSE' ? 'another process has it' : messageOf(cause);
    throw new GpumixError('BAD_SETTING', `port ${port} of ${host} cannot be listened on: ${why}`);
  }
};
