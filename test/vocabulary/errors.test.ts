import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { errorCodes, GpumixError, messageOf } from '../../src/vocabulary/errors.ts';

const source = resolve(import.meta.dirname, '../../src');
const code = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && path !== 'vocabulary/errors.ts')
  .map((path) => readFileSync(join(source, path), 'utf8'))
  .join('\n');

test.each(Object.keys(errorCodes))('%s is thrown somewhere', (name) => {
  expect(code).toContain(`'${name}'`);
});

test('a message tells of its causes, each once', () => {
  const cause = new Error('connect ECONNREFUSED');
  expect(messageOf(new GpumixError('REDIS_UNAVAILABLE', 'Redis cannot be read', { cause }))).toBe(
    'Redis cannot be read: connect ECONNREFUSED',
  );
  expect(messageOf(new Error('GET /x: connect ECONNREFUSED', { cause }))).toBe('GET /x: connect ECONNREFUSED');
  expect(messageOf(new AggregateError([new Error('a'), new Error('b')]))).toBe('a; b');
  expect(messageOf('text')).toBe('text');
});
