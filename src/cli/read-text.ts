import { readFile } from 'node:fs/promises';
import { type ErrorCode, GpumixError } from '../vocabulary/errors.ts';

/** The text of a file that a flag names. @throws GpumixError with this code */
export const readText = async (path: string, code: ErrorCode): Promise<string> => {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new GpumixError(code, `${path}: cannot be read`, { cause });
  }
};
