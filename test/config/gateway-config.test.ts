import { expect, test } from 'vitest';
import { readGatewayConfig } from '../../src/config/gateway-config.ts';

test.each([
  [['--plans', 'ftp://x'], '--plans is "ftp://x": neither redis nor an http URL'],
  [['--overflow', '0.5'], '--overflow is "0.5": less than 1'],
  [['--port', 'x'], '--port is "x": not a port, a whole number from 0 to 65535'],
])('%j is refused', (argv, message) => {
  expect(() => readGatewayConfig(argv, {})).toThrow(expect.objectContaining({ code: 'BAD_SETTING', message }));
});
test('plans are in Redis, or at a URL', () => {
  expect(readGatewayConfig([], {}).plans).toBe('redis');
  expect(readGatewayConfig(['--plans', 'http://gpumix:8081/'], {}).plans).toEqual({ url: 'http://gpumix:8081' });
});
