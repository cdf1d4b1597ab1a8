import { describe, expect, test } from 'vitest';
import type { Cut } from '../../src/solver/capacity-cuts.ts';
import type { FleetModel, FleetVariant } from '../../src/solver/fleet.ts';
import { Joint } from '../../src/solver/joint.ts';

const never = Number.POSITIVE_INFINITY;
const variant: FleetVariant = { price: 1, lower: 0, upper: 9, pools: [], gpus: 1, running: null };
/** 2 req/s of one class. The first type alone takes two replicas for it; in the other way it takes four, and the second one. */
const firstAlone = { loads: Float64Array.of(2, never), open: Uint8Array.of(1, 0) };
const both = { loads: Float64Array.of(4, 1), open: Uint8Array.of(1, 1) };
const model = (...ways: FleetModel['ways']): FleetModel => ({
  ...{ priority: 0, rates: Float64Array.of(2), variants: [variant, variant], ways, previous: null },
});
const jointOf = (...models: FleetModel[]): Joint =>
  new Joint(
    { models, stock: [], budget: never },
    models.map(() => 2),
  );
const cut = (constant: number): Cut => ({ constant, slopes: new Float64Array(2), weight: 1 });

test('the variants of all models are numbered through', () => {
  const joint = jointOf(model(both), model(both), model(both));
  expect([joint.first(0), joint.first(1), joint.first(2), joint.variants]).toEqual([0, 2, 4, 6]);
});

describe('what a model leaves unserved', () => {
  const joint = jointOf(model(firstAlone, both));
  const unserved = (way: number, ...replicas: number[]) => joint.service(0, way, replicas).unserved;

  test('is what its replicas do not carry in a way', () => {
    expect([unserved(0, 1, 0), unserved(1, 1, 0), unserved(1, 0, 1)]).toEqual([1, 1.5, 0].map((rate) => expect.closeTo(rate, 6)));
  });

  test('is no more before a way is chosen than in any', () => {
    for (const replicas of [
      [0, 0],
      [1, 0],
      [2, 0],
      [1, 0.25],
      [0, 0.5],
      [0.5, 0.5],
    ]) {
      const free = unserved(-1, ...replicas);
      for (const way of [0, 1]) expect(free, `${replicas} ${way}`).toBeLessThanOrEqual(unserved(way, ...replicas) + 1e-9);
    }
    // The first as if alone, the second as if beside it: in neither way are both so quick.
    expect(unserved(-1, 1, 0.5)).toBeCloseTo(0, 6);
  });

  test('is nothing where nothing arrives', () => {
    const idle = { ...model(both), rates: new Float64Array(), ways: [{ loads: new Float64Array(), open: both.open }] };
    expect(jointOf(idle).service(0, 0, [0, 0])).toMatchObject({ unserved: 0 });
    expect(jointOf(idle).assignment(0, [0, 0])).toMatchObject({ way: 0, assignment: new Float64Array() });
  });
});

describe('the best way', () => {
  test('is the one that leaves the least unserved, of those that are open to every type in use', () => {
    const joint = jointOf(model(firstAlone, both));
    expect(joint.bestWay(0, [1, 0])).toMatchObject({ way: 0, service: { unserved: expect.closeTo(1, 6) } });
    expect(joint.bestWay(0, [2, 1])).toMatchObject({ way: 1, service: { unserved: expect.closeTo(0, 6) } });
    expect(joint.assignment(0, [0, 1])).toMatchObject({ way: 1, served: Float64Array.of(1), assignment: Float64Array.of(0, 1) });
  });

  test('there may be none: everything is unserved then', () => {
    const joint = jointOf(model(firstAlone));
    expect([joint.bestWay(0, [1, 1]), joint.assignment(0, [1, 1]), joint.unserved(0, [1, 1])]).toEqual([null, null, 2]);
    expect(joint.unserved(0, [1, 0])).toBeCloseTo(1, 6);
  });
});

test('a cut that holds before a way is chosen holds in every way, and one of a way in that alone', () => {
  const joint = jointOf(model(firstAlone, both), model(both));
  joint.keep(0, -1, cut(1));
  joint.keep(0, 1, cut(2));
  const known = (m: number, way: number) => joint.known(m, way).map(({ constant }) => constant);
  expect([known(0, -1), known(0, 0), known(0, 1), known(1, 0)]).toEqual([[1], [1], [1, 2], []]);
  joint.keep(1, 0, cut(3));
  expect([known(1, -1), known(1, 0)]).toEqual([[3], [3]]);
});
