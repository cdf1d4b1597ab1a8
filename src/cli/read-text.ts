import { readFile } from 'node:fs/promises';
import { type ErrorCode, GpumixError } from '../vocabulary/errors.ts';

/**
 * The text of a file that a flag names, without the byte order mark that editors may put first.
 * @throws GpumixError with this code
 */
export const readText = async (path: string, code: ErrorCode): Promise<string> => {
  try {
    return (await readFile(path, 'utf8')).replace(/^\uFEFF/, '');
  } catch (cause) {
    throw new GpumixError(code, `${path}: cannot be read`, { cause });
  }
};
