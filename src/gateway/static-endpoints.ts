import { readFileSync, statSync } from 'node:fs';
import { GpumixError, messageOf } from '../errors.ts';
import { isObject } from '../json.ts';
import type { Endpoints } from './model-pods.ts';

/**
 * Reads a file of endpoints: model -> `namespace/deployment` -> origins.
 * @throws GpumixError BAD_SETTING
 */
export const parseEndpoints = (text: string, where: string): Endpoints => {
  const wrong = (what: string) => new GpumixError('BAD_SETTING', `${where}: ${what}`);
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw wrong(messageOf(error));
  }
  if (!isObject(document)) throw wrong('not an object of model to variants');
  return new Map(
    Object.entries(document).map(([model, variants]) => {
      if (!isObject(variants)) throw wrong(`${model}: not an object of NAMESPACE/DEPLOYMENT to origins`);
      return [
        model,
        new Map(
          Object.entries(variants).map(([variant, origins]) => {
            if (!Array.isArray(origins) || !origins.every(isOrigin))
              throw wrong(`${model}: ${variant}: not a list of origins such as http://10.0.0.7:8000`);
            return [variant, origins as readonly string[]];
          }),
        ),
      ];
    }),
  );
};

const isOrigin = (value: unknown): boolean =>
  typeof value === 'string' && /^https?:\/\//.test(value) && URL.canParse(value) && new URL(value).origin === value;

/** The file's endpoints, read again when it changes. One that has become unreadable changes nothing, and says so. */
export const endpointsFile = (path: string) => {
  let read = { changedAt: Number.NaN, endpoints: new Map() as Endpoints, problem: null as string | null };
  return {
    endpoints: (): Endpoints => {
      try {
        const changedAt = statSync(path).mtimeMs;
        if (changedAt !== read.changedAt)
          read = { changedAt, endpoints: parseEndpoints(readFileSync(path, 'utf8'), path), problem: null };
      } catch (error) {
        read = { ...read, problem: messageOf(error) };
      }
      return read.endpoints;
    },
    problems: (): readonly string[] => (read.problem === null ? [] : [read.problem]),
  };
};
