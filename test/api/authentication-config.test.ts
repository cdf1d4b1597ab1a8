import { expect, test } from 'vitest';
import { watchAuthenticationConfig } from '../../src/api/authentication-config.ts';
import { requestHeaderConfig } from '../helpers/api-server.ts';

const log = { info: () => {}, warn: () => {}, error: () => {} };

test('whoever asks while a read is under way waits for one that begins later, and reads stay a second apart (item 89)', async () => {
  const data = (name: string) => ({ ...requestHeaderConfig(), 'requestheader-allowed-names': JSON.stringify([name]) });
  const begun: number[] = [];
  let name = 'old';
  const config = await watchAuthenticationConfig(async () => {
    begun.push(performance.now());
    const body = { data: data(name) }; // what is true when the read begins ...
    await new Promise((resolve) => setTimeout(resolve, 300)); // ... comes back later
    return { status: 200, body };
  }, log);
  const first = config.refresh();
  while (begun.length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
  name = 'new';
  await Promise.all([config.refresh(), config.refresh(), first]);
  config.stop();
  expect(config.current()?.frontProxy?.allowedNames).toEqual(['new']);
  expect(begun).toHaveLength(3);
  expect(Math.min((begun[1] ?? 0) - (begun[0] ?? 0), (begun[2] ?? 0) - (begun[1] ?? 0))).toBeGreaterThan(990);
});
