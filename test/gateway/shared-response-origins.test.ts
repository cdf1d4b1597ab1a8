import { expect, test } from 'vitest';
import { sharedThrough } from '../../src/gateway/shared-response-origins.ts';

test('a pod is kept for a day under the id that the engine made; an id that none would make is neither kept nor asked for', async () => {
  const kept = new Map<string, readonly [string, number | null]>();
  const asked: string[] = [];
  const shared = sharedThrough(
    {
      read: async (keys) => {
        asked.push(...keys);
        return keys.map((key) => kept.get(key)?.[0] ?? null);
      },
      write: async (key, value, seconds) => void kept.set(key, [value, seconds]),
    },
    'gpumix:',
  );
  const long = 'x'.repeat(201);
  await shared.write('resp_1', 'http://10.0.0.1:8000');
  await shared.write(long, 'http://10.0.0.1:8000');
  expect([...kept]).toEqual([['gpumix:response:resp_1', ['http://10.0.0.1:8000', 86_400]]]);
  expect([await shared.read('resp_1'), await shared.read('resp_2'), await shared.read(long)]).toEqual([
    'http://10.0.0.1:8000',
    null,
    null,
  ]);
  expect(asked).toEqual(['gpumix:response:resp_1', 'gpumix:response:resp_2']);
});
