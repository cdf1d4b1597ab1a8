import { describe, expect, test } from 'vitest';
import { answered, createModelPods, failed, hasNoPods, type OriginsByModel, type Pod } from '../../src/gateway/model-pods.ts';

const originsOf = (models: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>): OriginsByModel =>
  new Map(Object.entries(models).map(([model, variants]) => [model, new Map(Object.entries(variants))]));
const [one, two] = ['http://10.0.0.1:8000', 'http://10.0.0.2:8000'];

describe('the pods of a model', () => {
  test('begin with nothing given to them and nothing held against them', () => {
    const pods = createModelPods();
    pods.update(originsOf({ m: { 'ns/a': [one], 'ns/b': [] } }));
    expect(pods.variants('m')).toEqual(
      new Map([
        [
          'ns/a',
          [
            {
              origin: one,
              variant: 'ns/a',
              requests: 0,
              given: 0,
              outstandingTokens: 0,
              failures: 0,
              restsUntil: 0,
              refusesUsage: false,
            },
          ],
        ],
        ['ns/b', []],
      ]),
    );
  });

  test('are those of the last update, and what is known of one that stays is kept', () => {
    const pods = createModelPods();
    pods.update(originsOf({ m: { 'ns/a': [one, two] }, gone: { 'ns/b': [] } }));
    const [first] = pods.variants('m')!.get('ns/a') as [Pod];
    first.requests = 3;
    pods.update(originsOf({ m: { 'ns/a': [one] }, new: {} }));
    expect(pods.variants('m')!.get('ns/a')).toEqual([first]);
    expect(pods.variants('m')!.get('ns/a')![0]).toBe(first);
    expect([pods.models(), pods.variants('gone')]).toEqual([['m', 'new'], undefined]);
  });

  test('are the same under each name of their Deployment, and stay so', () => {
    const pods = createModelPods();
    const twoNames = originsOf({ m: { 'ns/a': [one] }, alias: { 'ns/a': [one] } });
    pods.update(twoNames);
    (pods.variants('m')!.get('ns/a') as [Pod])[0].requests = 5;
    expect(pods.variants('alias')!.get('ns/a')![0]!.requests).toBe(5);
    pods.update(twoNames);
    expect(['m', 'alias'].map((name) => pods.variants(name)!.get('ns/a')![0]!.requests)).toEqual([5, 5]);
  });

  test('that went and came back are new', () => {
    const pods = createModelPods();
    pods.update(originsOf({ m: { 'ns/a': [one] } }));
    (pods.variants('m')!.get('ns/a') as [Pod])[0].requests = 3;
    pods.update(originsOf({ m: { 'ns/a': [] } }));
    pods.update(originsOf({ m: { 'ns/a': [one] } }));
    expect(pods.variants('m')!.get('ns/a')![0]!.requests).toBe(0);
  });

  test('are new where their address has passed to another Deployment', () => {
    const pods = createModelPods();
    pods.update(originsOf({ m: { 'ns/a': [one] } }));
    const [pod] = pods.variants('m')!.get('ns/a') as [Pod];
    pods.update(originsOf({ m: { 'ns/b': [one] } }));
    expect(pods.variants('m')!.get('ns/b')![0]).not.toBe(pod);
  });
});

test('no pod can be given a request where every variant is empty, and where there is none', () => {
  const pods = createModelPods();
  pods.update(originsOf({ m: { 'ns/a': [], 'ns/b': [one] }, empty: { 'ns/a': [] }, none: {} }));
  expect(['m', 'empty', 'none'].map((model) => hasNoPods(pods.variants(model)!))).toEqual([false, true, true]);
});

test('a pod rests half a second after it fails, each time twice as long up to 15 s, and not at all once it has answered', () => {
  const pods = createModelPods();
  pods.update(originsOf({ m: { 'ns/a': [one] } }));
  const [pod] = pods.variants('m')!.get('ns/a') as [Pod];
  const rests = Array.from({ length: 7 }, () => {
    failed(pod, 100);
    return pod.restsUntil - 100;
  });
  expect(rests).toEqual([0.5, 1, 2, 4, 8, 15, 15]);
  answered(pod);
  expect([pod.failures, pod.restsUntil]).toEqual([0, 0]);
  failed(pod, 200);
  expect(pod.restsUntil).toBe(200.5);
});
