import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { type ProfileWanted, profileSources } from '../../src/profiles/sources.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});
const folderOf = (files: Readonly<Record<string, string>>): string => {
  const folder = mkdtempSync(join(tmpdir(), 'gpumix-profiles-'));
  folders.push(folder);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
};
const profile = (fields: object): string => JSON.stringify({ cost: 1, indexes: [[64], [512]], tputs: [[5]], ...fields });
const wanted = (namespace: string, name: string, model: string, more: Partial<ProfileWanted> = {}): ProfileWanted => ({
  namespace,
  name,
  model,
  gpu: null,
  gpusPerReplica: 1,
  ...more,
});
const redis = (values: Record<string, string>) => async (keys: readonly string[]) => keys.map((key) => values[key] ?? null);

test('a document with the same created but other content is read again', async () => {
  const values: Record<string, string> = { 'aibrix:profile_m_a100': profile({ gpu: 'a100', created: 5 }) };
  const read = profileSources(redis(values), null);
  const one = [wanted('ns', 'a100', 'm')];
  expect((await read(one, 0)).found.get('ns/a100')?.profile.cost).toBe(1);
  values['aibrix:profile_m_a100'] = profile({ gpu: 'a100', created: 5, cost: 2 });
  expect((await read(one, 10)).found.get('ns/a100')?.profile.cost).toBe(2);
});

test('a key that two models could mean belongs to the Deployment that its document names', async () => {
  const values = { 'aibrix:profile_llama_big_a100': profile({ gpu: 'a100' }) };
  const read = profileSources(redis(values), null);
  const { found } = await read([wanted('ns', 'a100', 'llama_big'), wanted('ns', 'big_a100', 'llama')], 0);
  expect([...found.keys()]).toEqual(['ns/a100']);
});

test('a full name means one namespace, a bare one all, each with a copy of its own', async () => {
  const both = [wanted('ns1', 'a100', 'm'), wanted('ns2', 'a100', 'm')];
  const full = profileSources(redis({ 'aibrix:profile_m_a100': profile({ gpu: 'ns1/a100' }) }), null);
  expect([...(await full(both, 0)).found.keys()]).toEqual(['ns1/a100']);
  const bare = profileSources(redis({ 'aibrix:profile_m_a100': profile({ gpu: 'a100' }) }), null);
  expect([...(await bare(both, 0)).found.keys()]).toEqual(['ns1/a100', 'ns2/a100']);
  const filed = profileSources(redis({ 'aibrix:profile_m_ns1/a100': profile({ gpu: 'ns1/a100' }) }), null);
  expect([...(await filed(both, 0)).found.keys()]).toEqual(['ns1/a100']);
});

test('one broken document of three harms only itself, and what it said before stands', async () => {
  const values: Record<string, string> = {
    'aibrix:profile_m_a': profile({ gpu: 'a' }),
    'aibrix:profile_m_b': profile({ gpu: 'b' }),
    'aibrix:profile_m_c': profile({ gpu: 'c' }),
  };
  const read = profileSources(redis(values), null);
  const all = ['a', 'b', 'c'].map((name) => wanted('ns', name, 'm'));
  await read(all, 0);
  values['aibrix:profile_m_b'] = '{"gpu":"b",';
  const { found, problems } = await read(all, 10);
  expect([...found.keys()]).toEqual(['ns/a', 'ns/b', 'ns/c']);
  expect(problems).toEqual([expect.stringMatching(/^aibrix:profile_m_b: not JSON/)]);
});

test('a deleted profile counts for a minute more; Redis being away takes none', async () => {
  const values: Record<string, string> = { 'aibrix:profile_m_a': profile({ gpu: 'a' }) };
  let away = false;
  const read = profileSources(async (keys) => (away ? Promise.reject(new Error('away')) : redis(values)(keys)), null);
  const one = [wanted('ns', 'a', 'm')];
  await read(one, 0);
  away = true;
  expect((await read(one, 1000)).found.size).toBe(1);
  away = false;
  delete values['aibrix:profile_m_a'];
  expect((await read(one, 1050)).found.size).toBe(1);
  expect((await read(one, 1070)).found.size).toBe(0);
});

test('a folder: by Deployment, else by GPU type and count; changed and removed files count', async () => {
  const folder = folderOf({
    'org/llama/l40s.json': profile({ gpuType: 'L40S' }),
    'org/llama/l40s-2.json': profile({ gpuType: 'L40S', gpusPerReplica: 2, cost: 2 }),
    'org/llama/special.json': profile({ gpu: 'special', cost: 3 }),
    'other/l40s.json': profile({ gpuType: 'L40S', cost: 9 }),
  });
  const read = profileSources(null, folder);
  const all = [
    wanted('ns', 'one', 'org/llama', { gpu: 'L40S' }),
    wanted('ns', 'two', 'org/llama', { gpu: 'L40S', gpusPerReplica: 2 }),
    wanted('ns', 'special', 'org/llama', { gpu: 'L40S' }),
    wanted('ns', 'none', 'org/llama', { gpu: 'H100' }),
  ];
  const costs = async (now: number) => [...(await read(all, now)).found].map(([name, { profile: found }]) => [name, found.cost]);
  expect(await costs(0)).toEqual([
    ['ns/one', 1],
    ['ns/two', 2],
    ['ns/special', 3],
  ]);
  writeFileSync(join(folder, 'org/llama/l40s.json'), profile({ gpuType: 'L40S', cost: 7 }));
  rmSync(join(folder, 'org/llama/special.json'));
  expect(await costs(10)).toEqual([
    ['ns/one', 7],
    ['ns/two', 2],
    ['ns/special', 7],
  ]);
});

test('Redis beats the folder; a mounted ConfigMap is not read twice; a missing folder is an empty one', async () => {
  const folder = folderOf({ '..2026_01/m/a.json': profile({ gpu: 'a', cost: 4 }) });
  symlinkSync(join(folder, '..2026_01/m'), join(folder, 'm'));
  const one = [wanted('ns', 'a', 'm')];
  const { found, problems } = await profileSources(null, folder)(one, 0);
  expect(found.get('ns/a')?.source).toBe('m/a.json');
  expect(problems).toEqual([]);
  const both = profileSources(redis({ 'aibrix:profile_m_a': profile({ gpu: 'a', cost: 5 }) }), folder);
  expect((await both(one, 0)).found.get('ns/a')?.profile.cost).toBe(5);
  expect((await profileSources(null, join(folder, 'nowhere'))(one, 0)).found.size).toBe(0);
});
