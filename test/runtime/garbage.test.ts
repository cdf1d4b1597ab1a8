import { getHeapStatistics } from 'node:v8';
import { expect, test } from 'vitest';
import { garbage } from '../../src/runtime/garbage.ts';

const mebibytes = (): number => getHeapStatistics().used_heap_size / 2 ** 20;
const litter = (objects: number): void => {
  const kept = Array.from({ length: objects }, (_, index) => ({ index, text: [index] }));
  expect(kept.length).toBe(objects);
};

test('garbage is collected once much of it has piled up, not before', () => {
  const { collect, collectIfMuch } = garbage(6 << 20, 0.4);
  collect();
  const clean = mebibytes();
  litter(1000);
  const little = mebibytes();
  collectIfMuch();
  expect(mebibytes()).toBeGreaterThanOrEqual(little);
  litter(200_000);
  expect(mebibytes()).toBeGreaterThan(clean + 8);
  collectIfMuch();
  expect(mebibytes()).toBeLessThan(clean + 4);
});

test('also before anything was ever collected', () => {
  const { collectIfMuch } = garbage(6 << 20, 0.4);
  litter(200_000);
  const littered = mebibytes();
  collectIfMuch();
  expect(mebibytes()).toBeLessThan(littered - 6);
});
