import { describe, expect, test } from 'vitest';
import {
  atLeast,
  flag,
  flagOf,
  oneOfTexts,
  portNumber,
  portOrNull,
  readableOrNull,
  readSettings,
  setting,
  settingOptions,
  textOrNull,
  variableOf,
  whole,
  wholeFrom,
} from '../../src/config/settings.ts';

const table = {
  mostRequests: setting(whole, '8', 'Most requests.'),
  trustAll: setting(flag, 'false', 'Trust all.'),
  storeUrl: setting((text) => new URL(text).href, 'redis://localhost', 'Where the store is.', 'STORE_URL'),
};

describe('values', () => {
  test('only digits are a whole number', () => {
    expect([whole('0'), whole('12'), wholeFrom(1)('3')]).toEqual([0, 12, 3]);
    for (const text of ['', '-1', '1.0', '1e3', ' 1']) expect(() => whole(text)).toThrow('not a whole number from 0');
    expect(() => wholeFrom(1)('0')).toThrow('not a whole number from 1');
  });

  test('a port is one that there can be, and nothing at all where that is allowed', () => {
    expect([portNumber('0'), portNumber('65535'), portOrNull(''), portOrNull('3')]).toEqual([0, 65535, null, 3]);
    for (const text of ['', '65536', '-1', '80.5'])
      expect(() => portNumber(text)).toThrow('not a port, a whole number from 0 to');
  });

  test('a file that is named is there', () => {
    expect([readableOrNull(''), readableOrNull(import.meta.filename)]).toEqual([null, import.meta.filename]);
    expect(() => readableOrNull('/nowhere')).toThrow(/^ENOENT/);
  });

  test('a number is read as people write it, and not below its least', () => {
    const parse = atLeast(-1);
    expect([parse('-1'), parse('0.25')]).toEqual([-1, 0.25]);
    expect(() => parse('-1.5')).toThrow('less than -1');
    for (const text of ['', '.5', '1e3', 'Infinity']) expect(() => parse(text)).toThrow('not a number');
  });

  test('a text may be absent, or one of a list that is named otherwise', () => {
    expect([textOrNull(''), textOrNull('x')]).toEqual([null, 'x']);
    expect(oneOfTexts('a', 'b')('b')).toBe('b');
    expect(() => oneOfTexts('a', 'b')('c')).toThrow('none of a, b');
  });
});

test('a flag and a variable are named after the setting, unless it names its own variable', () => {
  expect(flagOf('storeUrl')).toBe('store-url');
  expect([variableOf('mostRequests', table.mostRequests), variableOf('storeUrl', table.storeUrl)]).toEqual([
    'GPUMIX_MOST_REQUESTS',
    'STORE_URL',
  ]);
});

describe('reading', () => {
  test('an address that cannot be read is not repeated, as it may hold a password', () => {
    const problem = (argv: readonly string[], environment = {}) => {
      try {
        return readSettings(table, argv, environment);
      } catch (error) {
        return String(error);
      }
    };
    expect(problem([], { STORE_URL: 'secret' })).toContain('STORE_URL: Invalid URL');
    expect(problem([], { STORE_URL: 'secret' })).not.toContain('secret');
    expect(problem(['--most-requests=x'])).toContain('--most-requests is "x"');
  });

  test('contradictions are looked for only among settings that can all be read', () => {
    const contradictions = ({ mostRequests }: { mostRequests: number }) => [`${mostRequests} is odd`];
    expect(() => readSettings(table, ['--most-requests=7'], {}, contradictions)).toThrow('7 is odd');
    expect(() => readSettings(table, ['--most-requests=x'], {}, contradictions)).not.toThrow('is odd');
    expect(readSettings(table, [], {}, () => [])).toEqual({ mostRequests: 8, trustAll: false, storeUrl: 'redis://localhost' });
  });
});

test('the help of a setting names its variable, and only a switch stands without a value', () => {
  expect(settingOptions(table)).toMatchObject({
    'most-requests': { type: 'string', value: 'VALUE', default: '8', help: 'Most requests. (GPUMIX_MOST_REQUESTS)' },
    'trust-all': { type: 'boolean', default: 'false' },
    'store-url': { help: 'Where the store is. (STORE_URL)' },
  });
  expect(settingOptions(table)['trust-all']).not.toHaveProperty('value');
});
