import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { redisDefaults } from '../../src/workload/redis.ts';
import { lookAtRedis } from '../../src/workload/redis-look.ts';
import { heartbeatsKey } from '../../src/workload/store.ts';
import { startRedis } from '../helpers/redis.ts';

const settings = (redisUrl: string) => ({ ...redisDefaults, redisUrl, redisTimeoutSeconds: 1, keyPrefix: 'gpumix:' });

test('what is there is told by name, newest record first, and nothing is written', async () => {
  const redis = await startRedis();
  const client = new Redis(redis.url);
  await client.mset({
    'aibrix:org/m_request_trace_100': '{}',
    'aibrix:org/m_request_trace_110': '{}',
    'aibrix:profile_m_a': '{}',
    'other:aibrix:x': '',
  });
  const before = await client.dbsize();
  const look = await lookAtRedis(settings(`${redis.url}/0`), true);
  const elsewhere = await lookAtRedis(settings(`${redis.url}/3`), true);
  const quick = await lookAtRedis(settings(redis.url), false);
  expect(await client.dbsize()).toBe(before);
  await client.quit();
  await redis.kill();
  expect(look).toMatchObject({
    address: `127.0.0.1:${redis.port}/0`,
    problem: null,
    role: 'master',
    keys: { records: new Map([['org/m', 110]]), profiles: ['aibrix:profile_m_a'], cutShort: false },
  });
  expect([elsewhere.address, elsewhere.keys?.records.size]).toEqual([`127.0.0.1:${redis.port}/3`, 0]);
  expect(quick.keys).toBe(null);
});

test('one that is not there says why, and no password is told', async () => {
  const look = await lookAtRedis(settings('redis://user:secret@127.0.0.1:1'), true);
  expect(look.address).toBe('127.0.0.1:1/0');
  expect(look.problem).toMatch(/ECONNREFUSED/);
  expect(JSON.stringify(look)).not.toContain('secret');
});

test('what is left of the life of a record tells how far its writer’s clock is from that of Redis, unless it goes by that', async () => {
  const redis = await startRedis();
  const client = new Redis(redis.url);
  const now = Math.floor(Date.now() / 1000);
  await client.set(`aibrix:early_request_trace_${now + 30}`, '{}', 'EX', 600);
  await client.set(`aibrix:late_request_trace_${now - 40}`, '{}', 'EX', 600);
  await client.set(`aibrix:lasting_request_trace_${now}`, '{}');
  const newest = [
    { model: 'early', at: now + 30 },
    { model: 'late', at: now - 40 },
    { model: 'lasting', at: now },
    { model: 'none', at: now },
  ];
  const { recordsAhead } = await lookAtRedis(settings(redis.url), false, newest);
  await client.hset(heartbeatsKey('gpumix:'), 'g', String(now));
  const besideOurs = await lookAtRedis(settings(redis.url), false, newest);
  await client.quit();
  await redis.kill();
  expect([...recordsAhead.keys()]).toEqual(['early', 'late']);
  expect(Math.abs(recordsAhead.get('early')! - 30)).toBeLessThan(3);
  expect(Math.abs(recordsAhead.get('late')! + 40)).toBeLessThan(3);
  expect(besideOurs.recordsAhead.size).toBe(0);
});

test('who stops writes its open interval early: that is no clock that is wrong', async () => {
  const redis = await startRedis();
  const client = new Redis(redis.url);
  const now = Math.floor(Date.now() / 1000);
  const ours = JSON.stringify({ meta_v: 4, meta_by_g: 1 });
  // A gateway of ours that has taken leave: its heartbeat is gone.
  await client.set(`aibrix:ours_request_trace_${now + 60}`, ours, 'EX', 600);
  await client.set(`aibrix:alone_request_trace_${now + 8}`, '{}', 'EX', 600);
  await client.set(`aibrix:stopped_request_trace_${now + 8}`, '{}', 'EX', 600);
  await client.set(`aibrix:stopped_request_trace_${now - 2}`, '{}', 'EX', 598);
  await client.set(`aibrix:early_request_trace_${now + 8}`, '{}', 'EX', 600);
  await client.set(`aibrix:early_request_trace_${now - 2}`, '{}', 'EX', 590);
  const newest = [{ model: 'ours', at: now + 60 }, ...['alone', 'stopped', 'early'].map((model) => ({ model, at: now + 8 }))];
  const { recordsAhead } = await lookAtRedis(settings(redis.url), false, newest);
  await client.quit();
  await redis.kill();
  expect([...recordsAhead.keys()]).toEqual(['stopped', 'early']);
  expect(Math.abs(recordsAhead.get('stopped')!)).toBeLessThan(3);
  expect(Math.abs(recordsAhead.get('early')! - 8)).toBeLessThan(3);
});
