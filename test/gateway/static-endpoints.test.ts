import { mkdtempSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { endpointsFile, parseEndpoints } from '../../src/gateway/static-endpoints.ts';

test('is read again when it changes; a broken one changes nothing and is named', () => {
  const path = join(mkdtempSync(join(tmpdir(), 'gpumix-endpoints-')), 'endpoints.json');
  const write = (text: string, time: number) => {
    writeFileSync(path, text);
    utimesSync(path, time, time);
  };
  write('{"m": {"ns/a": ["http://h:1"]}}', 1);
  const file = endpointsFile(path);
  const first = new Map([['m', new Map([['ns/a', ['http://h:1']]])]]);
  expect([file.origins(), file.problems()]).toEqual([first, []]);
  write('{', 2);
  expect(file.origins()).toEqual(first);
  expect(file.problems()[0]).toContain(`${path}: `);
  write('{"m": {}}', 3);
  expect([file.origins(), file.problems()]).toEqual([new Map([['m', new Map()]]), []]);
});

test.each([
  ['[]', 'e: must be an object, not []'],
  ['{"m": []}', 'e: m: must be an object, not []'],
  ['{"m": {"ns/a": "http://h:1"}}', 'e: m.ns/a: must be a list, not "http://h:1"'],
  ['{"m": {"ns/a": ["http://h:1/v1"]}}', 'e: m.ns/a[0]: must be an origin such as http://10.0.0.7:8000, not "http://h:1/v1"'],
  ['{"m": {"ns/a": ["file:///etc"]}}', 'e: m.ns/a[0]: must be an origin such as http://10.0.0.7:8000, not "file:///etc"'],
])('%s: %s', (text, message) => {
  expect(() => parseEndpoints(text, 'e')).toThrow(expect.objectContaining({ code: 'BAD_SETTING', message }));
});
