import { mkdtempSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readGatewayConfig } from '../../src/config/gateway-config.ts';
import { heldReports } from '../../src/gateway/held-requests-report.ts';
import { watchPlans } from '../../src/gateway/routing-plan-reader.ts';
import { endpointsFile, parseEndpoints } from '../../src/gateway/static-endpoints.ts';
import type { RoutingPlan } from '../../src/vocabulary/routing-plan.ts';

describe('routing plans', () => {
  const plan = (more: Partial<RoutingPlan> | Record<string, unknown> = {}) =>
    JSON.stringify({
      version: 1,
      model: 'm',
      created: 1000,
      expires: 1300,
      classes: [{ fromTokens: 0, toTokens: null, shares: { 'ns/a': 1 } }],
      ready: {},
      planned: {},
      ...more,
    });

  test('one that is missing, broken or expired is not followed, and that is said', async () => {
    let texts: (string | null)[] = [plan(), null];
    const plans = watchPlans(async () => texts);
    await plans.refresh(['m', 'other']);
    expect(plans.current('m', 1299)).toMatchObject({ model: 'm' });
    expect(plans.problems(['m', 'other'], 1299)).toEqual([
      'the routing plan of other is missing: its requests go to the pods with the least outstanding work',
    ]);
    expect(plans.current('m', 1300)).toBeNull();
    expect(plans.problems(['m'], 1300)[0]).toMatch(/^the routing plan of m has expired: /);
    texts = ['{'];
    await plans.refresh(['m']);
    // The last good one stands.
    expect(plans.current('m', 1200)).not.toBeNull();
    expect(plans.problems(['m'], 1200)).toEqual(['the routing plan of m is no JSON']);
  });

  test('while they cannot be read the known ones stand until they expire', async () => {
    let away = false;
    const plans = watchPlans(() => (away ? Promise.reject(new Error('ECONNREFUSED')) : Promise.resolve([plan()])));
    await plans.refresh(['m']);
    away = true;
    await plans.refresh(['m']);
    expect(plans.current('m', 1299)).not.toBeNull();
    expect(plans.problems(['m'], 1299)).toEqual(['routing plans cannot be read: ECONNREFUSED']);
    expect(plans.current('m', 1301)).toBeNull();
  });

  const one = { fromTokens: 0, toTokens: null, shares: { a: 1 } };
  test.each([
    [{ version: 2 }, 'is of version 2; this gateway reads version 1'],
    [{ expires: 'later' }, 'has no time at which it expires'],
    [{ classes: [] }, 'has no classes'],
    [{ classes: [{ ...one, toTokens: 5 }] }, 'breaks its format in classes[0]'],
    [
      {
        classes: [
          { ...one, toTokens: 5 },
          { ...one, fromTokens: 6 },
        ],
      },
      'breaks its format in classes[0]',
    ],
    [{ classes: [{ ...one, shares: { a: -1 } }] }, 'breaks its format in classes[0]'],
    [{ classes: [{ ...one, shares: null }] }, 'breaks its format in classes[0]'],
  ])('%j %s', async (more, problem) => {
    const plans = watchPlans(async () => [plan(more)]);
    await plans.refresh(['m']);
    expect(plans.problems(['m'], 1000)).toEqual([`the routing plan of m ${problem}`]);
    expect(plans.current('m', 1000)).toBeNull();
  });
});

describe('a file of endpoints', () => {
  test('is read again when it changes; a broken one changes nothing and is named', () => {
    const path = join(mkdtempSync(join(tmpdir(), 'gpumix-endpoints-')), 'endpoints.json');
    const write = (text: string, time: number) => {
      writeFileSync(path, text);
      utimesSync(path, time, time);
    };
    write('{"m": {"ns/a": ["http://h:1"]}}', 1);
    const file = endpointsFile(path);
    const first = new Map([['m', new Map([['ns/a', ['http://h:1']]])]]);
    expect([file.endpoints(), file.problems()]).toEqual([first, []]);
    write('{', 2);
    expect(file.endpoints()).toEqual(first);
    expect(file.problems()[0]).toContain(`${path}: `);
    write('{"m": {}}', 3);
    expect([file.endpoints(), file.problems()]).toEqual([new Map([['m', new Map()]]), []]);
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
});

describe('in time', () => {
  test('what is held is told once the first waits, again while it does, and when it does no longer', async () => {
    const told: unknown[] = [];
    let held: { requests: number; inputTokens: number; outputTokens: number } | null = null;
    let away = false;
    const problems: string[] = [];
    const reports = heldReports(
      () => held,
      async (model, what) => {
        if (away) throw new Error('away');
        told.push(what === null ? `${model} none` : what);
      },
      () => 7,
      (problem) => problems.push(problem),
    );
    held = { requests: 2, inputTokens: 10, outputTokens: 20 };
    reports.began('m');
    reports.began('m');
    await new Promise((resolve) => setImmediate(resolve));
    await reports.renew();
    expect(told).toEqual([
      { model: 'm', at: 7, ...held },
      { model: 'm', at: 7, ...held },
    ]);
    away = true;
    await reports.renew();
    expect(problems).toEqual(['requests held for m cannot be told of: away']);
    [away, held] = [false, null];
    await reports.renew();
    await reports.renew();
    expect(told.slice(2)).toEqual(['m none']);
  });
});

test.each([
  [['--plans', 'ftp://x'], '--plans is "ftp://x": neither redis nor an http URL'],
  [['--overflow', '0.5'], '--overflow is "0.5": less than 1'],
  [['--port', 'x'], '--port is "x": not a whole number from 0'],
])('%j is refused', (argv, message) => {
  expect(() => readGatewayConfig(argv, {})).toThrow(expect.objectContaining({ code: 'BAD_SETTING', message }));
});
test('plans are in Redis, or at a URL', () => {
  expect(readGatewayConfig([], {}).plans).toBe('redis');
  expect(readGatewayConfig(['--plans', 'http://gpumix:8081/'], {}).plans).toEqual({ url: 'http://gpumix:8081' });
});
