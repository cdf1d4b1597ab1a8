import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ClusterObjects } from '../../src/cluster/cluster-view.ts';
import { changesIn, mirror } from '../../src/cluster/object-changes.ts';

/** Maps that watches change, by kind. */
const watched = () => {
  const maps = Object.fromEntries(Object.keys(mirror().objects).map((kind) => [kind, new Map<string, unknown>()]));
  return { maps, objects: maps as unknown as ClusterObjects };
};
const sorted = (objects: ClusterObjects) =>
  Object.entries(objects).map(([kind, map]) => [kind, [...(map as Map<string, unknown>)].sort(([a], [b]) => (a < b ? -1 : 1))]);

test('whatever comes, changes and goes: once the changes are told, the mirror has the same objects', () => {
  const kinds = Object.keys(watched().maps);
  const event = fc.record({
    kind: fc.constantFrom(...kinds),
    key: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    what: fc.constantFrom('set', 'gone', 'told'),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 200 }), fc.integer({ min: 1, max: 4 }), (events, most) => {
      const { maps, objects } = watched();
      const there = mirror();
      const changes = changesIn(objects, most);
      const tell = () => {
        for (const part of changes()) {
          expect(part.set.length).toBeLessThanOrEqual(most);
          there.apply(structuredClone(part));
        }
      };
      for (const [at, { kind, key, what }] of events.entries())
        if (what === 'set') maps[kind]!.set(key, { at });
        else if (what === 'gone') maps[kind]!.delete(key);
        else tell();
      tell();
      expect(sorted(there.objects)).toEqual(sorted(objects));
      expect(changes()).toEqual([]);
    }),
  );
});

test('what stays as it is is not told again', () => {
  const { maps, objects } = watched();
  for (const name of ['a', 'b', 'c']) maps['pods']!.set(name, { name });
  const changes = changesIn(objects, 2);
  expect(changes().map(({ set }) => set.map(([key]) => key))).toEqual([['a', 'b'], ['c']]);
  maps['pods']!.set('b', { name: 'b' });
  maps['pods']!.delete('c');
  expect(changes()).toEqual([
    { kind: 'pods', set: [], gone: ['c'] },
    { kind: 'pods', set: [['b', { name: 'b' }]], gone: [] },
  ]);
});
