import { appendFile, mkdir, readFile, stat, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';
import { GpumixError, located } from '../vocabulary/errors.ts';
import { type Measurement, parseResults } from './results.ts';

export interface FoundResults {
  readonly results: readonly Measurement[];
  /** Bytes of a line that a kill has cut off, and that are gone now. */
  readonly cutOff: number;
}

/**
 * The results that a file holds already; a missing file holds none. A line without an end is what a killed run was writing:
 * it is taken away, so that the next one does not continue it.
 * @param model that is measured; results of another are refused
 * @throws GpumixError BAD_BENCHMARK
 */
export const existingResults = async (path: string, model: string): Promise<FoundResults> => {
  const text = await textOf(path);
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  const results = located(path, () => parseResults(whole));
  for (const [index, line] of whole.split('\n').entries()) {
    const found = /"model": ?("(?:[^"\\]|\\.)*")/.exec(line)?.[1];
    if (found !== undefined && JSON.parse(found) !== model)
      throw new GpumixError('BAD_BENCHMARK', `${path}: line ${index + 1}: is of model ${found}; name another --output`);
  }
  const cutOff = Buffer.byteLength(text) - Buffer.byteLength(whole);
  if (cutOff > 0) await truncate(path, Buffer.byteLength(whole));
  return { results, cutOff };
};

/** Adds lines at the end, on the disk before it returns. @throws GpumixError BAD_BENCHMARK */
export const appendResults = async (path: string, lines: readonly string[]): Promise<void> => {
  try {
    await mkdir(dirname(path), { recursive: true });
    await appendFile(path, `${lines.join('\n')}\n`, { flush: true });
  } catch (cause) {
    throw new GpumixError('BAD_BENCHMARK', `${path}: cannot be written`, { cause });
  }
};

const textOf = async (path: string): Promise<string> => {
  try {
    // A device may be read for ever.
    return (await stat(path)).isFile() ? await readFile(path, 'utf8') : '';
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw new GpumixError('BAD_BENCHMARK', `${path}: cannot be read`, { cause });
  }
};
