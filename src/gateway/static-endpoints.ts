import { readFileSync, statSync } from 'node:fs';
import * as z from 'zod/mini';
import { origin, readDocument } from '../formats/documents.ts';
import { GpumixError, messageOf } from '../vocabulary/errors.ts';
import type { OriginsByModel } from './model-pods.ts';

/** The format of a file of endpoints: model -> `namespace/deployment` -> origins. */
export const endpointsSchema = z.record(z.string(), z.record(z.string(), z.array(origin)));

/**
 * Reads a file of endpoints.
 * @throws GpumixError BAD_SETTING
 */
export const parseEndpoints = (text: string, where: string): OriginsByModel => {
  const fail = (what: string): never => {
    throw new GpumixError('BAD_SETTING', `${where}: ${what}`);
  };
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    fail(messageOf(error));
  }
  const models = Object.entries(readDocument(endpointsSchema, document, fail));
  return new Map(models.map(([model, variants]) => [model, new Map(Object.entries(variants))]));
};

/** The file's endpoints, read again when it changes. One that has become unreadable changes nothing, and says so. */
export const endpointsFile = (path: string) => {
  let read = { changedAt: Number.NaN, origins: new Map() as OriginsByModel, problem: null as string | null };
  return {
    origins: (): OriginsByModel => {
      try {
        const changedAt = statSync(path).mtimeMs;
        if (changedAt !== read.changedAt)
          read = { changedAt, origins: parseEndpoints(readFileSync(path, 'utf8'), path), problem: null };
      } catch (error) {
        read = { ...read, problem: messageOf(error) };
      }
      return read.origins;
    },
    problems: (): readonly string[] => (read.problem === null ? [] : [read.problem]),
  };
};
