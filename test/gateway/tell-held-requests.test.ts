import { expect, test } from 'vitest';
import { tellHeldRequests } from '../../src/gateway/tell-held-requests.ts';

test('what is held is told once the first waits, again while it does, and when it does no longer', async () => {
  const told: unknown[] = [];
  let held: { requests: number; inputTokens: number; outputTokens: number } | null = null;
  let away = false;
  const problems: string[] = [];
  const heldTeller = tellHeldRequests(
    () => held,
    async (model, what) => {
      if (away) throw new Error('away');
      told.push(what === null ? `${model} none` : what);
    },
    () => 7,
    (problem) => problems.push(problem),
  );
  held = { requests: 2, inputTokens: 10, outputTokens: 20 };
  heldTeller.began('m');
  heldTeller.began('m');
  await new Promise((resolve) => setImmediate(resolve));
  await heldTeller.renew();
  expect(told).toEqual([
    { model: 'm', at: 7, ...held },
    { model: 'm', at: 7, ...held },
  ]);
  away = true;
  await heldTeller.renew();
  expect(problems).toEqual(['requests held for m cannot be told of: away']);
  [away, held] = [false, null];
  await heldTeller.renew();
  await heldTeller.renew();
  expect(told.slice(2)).toEqual(['m none']);
});
