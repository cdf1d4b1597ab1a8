import { open, rm, stat, writeFile } from 'node:fs/promises';
import { GpumixError } from '../vocabulary/errors.ts';

/**
 * Tries a file that a long run will write at its end; nothing is changed by that.
 * @param flag that names it
 * @throws GpumixError BAD_USAGE
 */
export const checkWritable = async (path: string, flag: string): Promise<void> => {
  try {
    const isThere = await stat(path).then(
      () => true,
      () => false,
    );
    await (await open(path, 'a')).close();
    if (!isThere) await rm(path);
  } catch (cause) {
    throw cannot(path, flag, cause);
  }
};

/** @throws GpumixError BAD_USAGE */
export const writeText = async (path: string, text: string, flag: string): Promise<void> => {
  try {
    await writeFile(path, text);
  } catch (cause) {
    throw cannot(path, flag, cause);
  }
};

const cannot = (path: string, flag: string, cause: unknown): GpumixError =>
  new GpumixError('BAD_USAGE', `${flag} ${path}: cannot be written`, { cause });
