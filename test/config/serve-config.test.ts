import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readGatewayConfig } from '../../src/config/gateway-config.ts';
import { historySeconds, readConfig } from '../../src/config/serve-config.ts';

/** Any file that is there. */
const pem = import.meta.filename;

test('flags beat environment variables, which beat defaults', () => {
  expect(readConfig([], {}).redisUrl).toBe('redis://localhost:6379');
  expect(readConfig([], { REDIS_URL: 'redis://env' }).redisUrl).toBe('redis://env');
  expect(readConfig(['--redis-url', 'redis://flag'], { REDIS_URL: 'redis://env' }).redisUrl).toBe('redis://flag');
  expect(readConfig([], { GPUMIX_HEADROOM: '0.2' }).headroom).toBe(0.2);
});

test('a switch may stand alone or have a value', () => {
  expect(readConfig(['--trust-silence'], {}).trustSilence).toBe(true);
  expect(readConfig(['--trust-silence=false'], { GPUMIX_TRUST_SILENCE: 'true' }).trustSilence).toBe(false);
});

test('namespaces are a list of names; none = all', () => {
  expect(readConfig([], {}).namespaces).toEqual([]);
  expect(readConfig([], { GPUMIX_NAMESPACES: 'team-a,team-b' }).namespaces).toEqual(['team-a', 'team-b']);
  expect(() => readConfig(['--namespaces=team_a'], {})).toThrow('"team_a" is no name of a namespace');
});

test('all that is wrong is said at once, one line each, and no password with it', () => {
  const argv = ['--interval-seconds', '0', '--headroom=-1', '--routing', 'magic', '--secure-port', '1.5', '--tls-cert-file', pem];
  expect(() => readConfig(argv, { GPUMIX_IDLE_AFTER_SECONDS: 'soon', GPUMIX_TRUST_SILENCE: 'maybe' })).toThrow(
    expect.objectContaining({
      code: 'BAD_SETTING',
      message: [
        '--interval-seconds is "0": less than 1',
        '--headroom is "-1": less than 0',
        'GPUMIX_IDLE_AFTER_SECONDS is "soon": not a number',
        'GPUMIX_TRUST_SILENCE is "maybe": neither true nor false',
        '--routing is "magic": none of auto, size, input, load, none',
        '--secure-port is "1.5": not a port, a whole number from 0 to 65535',
      ].join('\n'),
    }),
  );
  expect(() => readConfig(['--tls-cert-file', pem], {})).toThrow('--tls-cert-file and --tls-private-key-file go together');
});

test('settings that contradict each other are named at the start, all at once', () => {
  const flags = ['--interval-seconds=30', '--window-seconds=10', '--settle-seconds=30', `--tls-cert-file=${pem}`];
  expect(() => readConfig(flags, {})).toThrow(
    expect.objectContaining({
      code: 'BAD_SETTING',
      message: [
        '--window-seconds 10 is shorter than --interval-seconds 30',
        '--settle-seconds 30 is not shorter than --interval-seconds 30',
        '--tls-cert-file and --tls-private-key-file go together',
      ].join('\n'),
    }),
  );
  expect(() => readConfig(['--interval-seconds=601', '--window-seconds=700'], {})).toThrow(
    '--interval-seconds 601 is longer than a record lives (600 s)',
  );
  expect(() => readGatewayConfig(['--held-seconds=60', '--request-seconds=30'], {})).toThrow(
    '--held-seconds 60 is longer than --request-seconds 30',
  );
});

test.each(['window', 'shape-window', 'idle-after'])('--%s-seconds above ten minutes acts: history reaches as far', (name) => {
  expect(historySeconds(readConfig([`--${name}-seconds=1800`], {}))).toBe(1860);
});

test('a router is a mode, or a strategy of AIBrix with the mode that is nearest', () => {
  expect(readConfig([], {})).toMatchObject({ otherRouterKnowledge: 'none', routerNote: null });
  expect(readConfig(['--router=least-request'], {})).toMatchObject({ otherRouterKnowledge: 'load', routerNote: null });
  expect(readConfig(['--router=least-latency'], {})).toMatchObject({
    otherRouterKnowledge: 'none',
    routerNote: expect.stringMatching(/^--router: AIBrix's least-latency is planned for as none: of 111 requests .* 30 to/),
  });
});

test.each([
  ['slo', /^--router is "slo": AIBrix's slo sends nearly every request to the fastest GPU type, which no routing mode/],
  ['pd', /^--router is "pd": AIBrix's pd sends each request to a prefill pod and a decode pod/],
  ['fastest', /^--router is "fastest": not one of size, input, load, none, nor .* \(random, least-request, .*, pd\)$/],
  ['toString', /^--router is "toString": not one of/],
])('a router %s is one clear error', (name, message) => {
  expect(() => readConfig([`--router=${name}`], {})).toThrow(
    expect.objectContaining({ code: 'BAD_SETTING', message: expect.stringMatching(message) }),
  );
});

test('an unknown flag is bad usage', () => {
  expect(() => readConfig(['--replicas', '3'], {})).toThrow(
    expect.objectContaining({ code: 'BAD_USAGE', message: 'there is no flag --replicas; --help lists them' }),
  );
  expect(() => readConfig(['extra'], {})).toThrow(expect.objectContaining({ code: 'BAD_USAGE' }));
});

test('prices come from a file, checked', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'gpumix-config-')), 'prices.json');
  writeFileSync(file, '{"L4": 0.5}');
  expect(readConfig(['--prices', file], {}).prices).toEqual({ L4: 0.5 });
  writeFileSync(file, '{"L4": "cheap"}');
  expect(() => readConfig(['--prices', file], {})).toThrow(/L4: must be a number above 0, not "cheap"/);
  expect(() => readConfig(['--prices', '/nowhere'], {})).toThrow(/ENOENT/);
});
