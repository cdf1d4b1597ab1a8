import { describe, expect, test } from 'vitest';
import { type VirtualFleet, virtualFleet } from '../helpers/virtual-fleet.ts';
import type { GatewayState } from '../helpers/virtual-gateway.ts';

/** Seconds after the end of an interval. */
const phases = [0, 3, 8];
const backlogSeconds = 120;
const tenMinutes = 600;

const cost = (fleet: VirtualFleet): number => {
  const { h100 = 0, l40s = 0 } = fleet.replicas();
  return 5 * h100 + l40s;
};

/** Steady traffic through a gateway of ours, and everything Ready. */
const settled = async (engines: 'served' | 'queued', phase: number): Promise<VirtualFleet> => {
  const fleet = virtualFleet({ h100: 8, l40s: 2 }, engines);
  for (const [gpu, throughput] of [
    ['h100', 8],
    ['l40s', 2],
  ] as const)
    await fleet.profile(
      gpu,
      JSON.stringify({ gpu, cost: 1, indexes: [[64], [1024]], tputs: [[throughput]], e2e: [[5]], created: 100_000 }),
    );
  fleet.start(1);
  await fleet.run(600 + phase);
  expect(fleet.replicas()).toEqual({ h100: 0, l40s: 7 });
  return fleet;
};

/** What the next ten minutes cost at most and at least, and how many requests waited at most. */
const watched = async (fleet: VirtualFleet) => {
  const seen = { most: 0, least: Number.POSITIVE_INFINITY, waited: 0 };
  await fleet.run(tenMinutes, () => {
    seen.most = Math.max(seen.most, cost(fleet));
    seen.least = Math.min(seen.least, cost(fleet));
    seen.waited = Math.max(seen.waited, fleet.waiting());
  });
  return seen;
};

const stands = async (fleet: VirtualFleet, state: GatewayState, seconds: number): Promise<void> => {
  const before = cost(fleet);
  fleet.world.gateway = state;
  await fleet.run(seconds, () => expect(cost(fleet)).toBe(before));
  fleet.world.gateway = 'runs';
};

const kinds = [
  ['paused', 'a gateway is paused'],
  ['frozen', 'a gateway stands still with its host, its steady clock too,'],
] as const;

describe('a gateway that did not run buys no fleet', () => {
  for (const [state, name] of kinds)
    for (const seconds of [5, 20, 30, 60, 90, 120]) {
      test(`fault: ${name} for ${seconds} s`, async () => {
        for (const phase of phases) {
          const fleet = await settled('served', phase);
          const before = cost(fleet);
          await stands(fleet, state, seconds);
          const { most, least } = await watched(fleet);
          expect(most).toBeLessThanOrEqual(1.1 * before);
          expect(least).toBe(before);
        }
      });

      test(`fault: ${name} for ${seconds} s, and what waited is drained`, async () => {
        for (const phase of phases) {
          const fleet = await settled('queued', phase);
          const before = cost(fleet);
          await stands(fleet, state, seconds);
          const { most, least, waited } = await watched(fleet);
          expect(waited).toBeGreaterThan(12 * (seconds - 2));
          expect(most).toBeLessThanOrEqual(Math.ceil((1.1 * (12 + waited / backlogSeconds)) / 2));
          expect([least, cost(fleet), fleet.waiting()]).toEqual([before, before, 0]);
        }
      });
    }
});

describe('the clock of Redis, which gateways and gpumix follow', () => {
  test.each([5, 60, 600, -5, -60, -600])('fault: the clock that a gateway follows steps by %d s', async (step) => {
    for (const phase of phases)
      for (const engines of ['served', 'queued'] as const) {
        const fleet = await settled(engines, phase);
        const before = cost(fleet);
        fleet.world.redisClock = step;
        expect(await watched(fleet)).toMatchObject({ most: before, least: before });
        // And back.
        fleet.world.redisClock = 0;
        expect(await watched(fleet)).toMatchObject({ most: before, least: before });
      }
  });

  test.each([600, -600])('traffic that rises just after it has stepped by %d s is planned for', async (step) => {
    const fleet = await settled('served', 3);
    fleet.world.redisClock = step;
    await fleet.run(10);
    fleet.world.rate = 24;
    await fleet.run(60);
    expect(cost(fleet)).toBeGreaterThanOrEqual(13);
  });
});

test('a burst after a pause is believed', async () => {
  const fleet = await settled('served', 3);
  await stands(fleet, 'paused', 60);
  fleet.world.rate = 24;
  await fleet.run(90);
  expect(cost(fleet)).toBeGreaterThanOrEqual(13);
});
