import { expect, test } from 'vitest';
import { findingText } from '../../src/cli/finding.ts';
import { keysFinding, profileFinding, recordFindings, redisFindings } from '../../src/cli/redis-findings.ts';

const keys = { records: new Map([['meta-llama/Llama-3.1-8B', 1000]]), profiles: ['aibrix:profile_m_old'], cutShort: false };
const redis = { address: 'h:6379/0', problem: null, role: 'master', keys };

test.each([
  ['a Redis that is well', redis, []],
  [
    'one that is away',
    { ...redis, problem: 'ECONNREFUSED', keys: null },
    [
      'wrong redis-away Redis h:6379/0 does not answer: ECONNREFUSED; records, the plan of serve and profiles in it are not known',
    ],
  ],
  ['a replica', { ...redis, role: 'slave' }, ['wrong redis-read-only Redis h:6379/0 is a replica, which takes no writes']],
  [
    'an empty database',
    { ...redis, keys: { ...keys, records: new Map() } },
    ['wrong redis-empty Redis h:6379/0 has no key aibrix:<model>_request_trace_<time>; of aibrix:profile_* it has 1'],
  ],
])('%s', (_name, look, lines) => {
  const told = redisFindings(look).filter(({ verdict }) => verdict !== 'ok');
  expect(told.map((one) => `${one.verdict} ${one.id} ${findingText(one)}`)).toEqual(lines);
});

test('keys that may not be looked for are said, where that was wanted', () => {
  expect(keysFinding({ ...redis, keys: null })).toMatchObject([{ verdict: 'unknown', id: 'redis-keys' }]);
  expect(keysFinding(redis)).toEqual([]);
});

test.each([
  ['llama-3.1-8b', 'other-name', 'has no records, but meta-llama/Llama-3.1-8B has'],
  ['meta-llama/Llama-3.1-8b', 'other-name', 'has no records, but meta-llama/Llama-3.1-8B has'],
  ['qwen', 'no-records', 'is missing: none'],
])('a model %s without records', (model, id, seen) => {
  expect(recordFindings(model, 'missing', 'none', keys)).toMatchObject({ verdict: 'wrong', id, seen });
});

test('a model whose records have ceased is another matter', () => {
  expect(recordFindings('m', 'stale', 'no request record for 400 s', null)).toMatchObject({
    id: 'stale-records',
    seen: 'is stale: no request record for 400 s',
  });
});

test('a profile under another key is named with the key that is looked for', () => {
  expect(profileFinding({ deployment: 'ns/new', model: 'm' }, keys)).toMatchObject({
    id: 'profile-elsewhere',
    seen: 'has no profile: there is no key aibrix:profile_m_new, but aibrix:profile_m_old',
    mend: "redis-cli COPY 'aibrix:profile_m_old' 'aibrix:profile_m_new'",
  });
  expect(profileFinding({ deployment: 'ns/new', model: 'x' }, keys)).toMatchObject({ id: 'no-profile' });
});
