import { expect, test } from 'vitest';
import { createModelPods } from '../../src/gateway/model-pods.ts';
import { type SharedResponseOrigins, sharedThrough } from '../../src/gateway/shared-response-origins.ts';
import { storedResponses } from '../../src/gateway/stored-responses.ts';

const [a, b] = ['http://10.0.0.1:8000', 'http://10.0.0.2:8000'];
const pods = (...origins: readonly string[]) => {
  const modelPods = createModelPods();
  modelPods.update(new Map([['m', new Map([['ns/a', origins]])]]));
  return modelPods;
};
const gateway = (sharedResponses?: SharedResponseOrigins, modelPods = pods(a, b)) =>
  storedResponses({ modelPods, connections: null as never, ...(sharedResponses === undefined ? {} : { sharedResponses }) });
const store = () => {
  const values = new Map<string, string>();
  return {
    values,
    read: async (keys: readonly string[]) => keys.map((key) => values.get(key) ?? null),
    write: async (key: string, value: string) => void values.set(key, value),
  };
};

test('what one gateway has passed on another one finds, and ids stay as the engine made them', async () => {
  const kept = store();
  const one = gateway(sharedThrough(kept, 'gpumix:'));
  const other = gateway(sharedThrough(kept, 'gpumix:'));
  expect(await other.originOf('resp_1')).toBeNull();
  one.remember('resp_1', b);
  expect([await one.originOf('resp_1'), await other.originOf('resp_1')]).toEqual([b, b]);
  expect([...kept.values]).toEqual([['gpumix:response:resp_1', b]]);
});

test('a pod that is gone has taken its responses with it', async () => {
  const kept = store();
  gateway(sharedThrough(kept, 'gpumix:')).remember('resp_1', b);
  expect(await gateway(sharedThrough(kept, 'gpumix:'), pods(a)).originOf('resp_1')).toBeNull();
});

test('with Redis away each knows its own', async () => {
  const away = async () => {
    throw new Error('away');
  };
  const one = gateway({ read: away, write: away });
  one.remember('resp_1', a);
  expect([await one.originOf('resp_1'), await one.originOf('resp_2')]).toEqual([a, null]);
  const alone = gateway();
  alone.remember('resp_1', a);
  expect([await alone.originOf('resp_1'), await alone.originOf('resp_2')]).toEqual([a, null]);
});
