import { expect, test } from 'vitest';
import { decodeRecord, recordKey } from '../../src/workload/histogram.ts';

const decode = (record: unknown) => decodeRecord(typeof record === 'string' ? record : JSON.stringify(record), 'key');
const v4 = { meta_v: 4, meta_interval_sec: 10, meta_precision: 10, meta_total_reqs: 7, meta_pending_reqs: 3 };

test.each([
  {
    name: 'version 1 has no meta fields and precision 1',
    record: { '10:6': 3 },
    expected: {
      version: 1,
      intervalSeconds: 10,
      arrivals: 3,
      completions: [{ inputTokens: 1024, outputTokens: 64, count: 3 }],
    },
  },
  {
    name: 'version 2 names its interval',
    record: { meta_v: 2, meta_interval_sec: 5, meta_precision: 10, '80:60': 10 },
    expected: { intervalSeconds: 5, arrivals: 10, completions: [{ inputTokens: 256, outputTokens: 64, count: 10 }] },
  },
  {
    name: 'version 3 counts arrivals apart from completions',
    record: {
      meta_v: 3,
      meta_interval_sec: 10,
      meta_precision: 10,
      meta_total_reqs: 42,
      meta_pending_reqs: 6,
      '76:60': 30,
    },
    expected: { arrivals: 42, pending: 6, queueing: null, totalMissing: false },
  },
  {
    name: '0:0 is a completion of unknown size',
    record: { ...v4, meta_queueing_reqs: 2, '75:61': 4, '0:0': 1 },
    expected: { arrivals: 7, pending: 3, queueing: 2, unknownSize: 1 },
  },
  {
    name: 'completions stand in for a missing total, and that is said',
    record: { meta_v: 4, meta_precision: 10, '80:60': 1 },
    expected: { arrivals: 1, totalMissing: true },
  },
  {
    name: 'a zero count is dropped',
    record: { '80:60': 0, '90:70': 2 },
    expected: { arrivals: 2, malformed: 0 },
  },
  {
    name: 'one malformed bucket harms only itself',
    record: { ...v4, '80-60': 1, '90:70': 2 },
    expected: { malformed: 1, arrivals: 7 },
  },
  {
    name: '-Inf of a version 1 writer',
    record: { '-Inf:5': 1 },
    expected: { malformed: 1, arrivals: 0, completions: [] },
  },
  { name: 'a numeric string counts', record: { '80:60': '3' }, expected: { arrivals: 3 } },
  { name: 'a fraction is malformed', record: { '80:60': 2.7 }, expected: { malformed: 1, arrivals: 0 } },
  {
    name: 'true, null and negative counts are malformed',
    record: { '80:60': true, '81:1': null, '82:1': -1 },
    expected: { malformed: 3 },
  },
  {
    name: 'unknown meta fields are ignored',
    record: { ...v4, meta_len: 9, meta_new: 'x' },
    expected: { malformed: 0, arrivals: 7 },
  },
  {
    name: 'k:0 is an answer of one token',
    record: { ...v4, '90:0': 2 },
    expected: { completions: [{ inputTokens: 512, outputTokens: 1, count: 2 }] },
  },
  {
    name: 'an empty record is an interval without requests',
    record: {},
    expected: { arrivals: 0, completions: [], malformed: 0 },
  },
])('$name', ({ record, expected }) => {
  expect(decode(record)).toMatchObject(expected);
});

test('sizes are 2^(index / 10)', () => {
  const [bucket] = decode({ ...v4, '75:61': 4 }).completions;
  expect([bucket?.inputTokens.toFixed(2), bucket?.outputTokens.toFixed(2), bucket?.count]).toEqual(['181.02', '68.59', 4]);
});

test.each(['[]', 'not json', '"text"', 'null', '12', ''])('%j is refused, with its key', (text) => {
  expect(() => decodeRecord(text, 'aibrix:m_request_trace_10')).toThrow(/^aibrix:m_request_trace_10: not /);
});

test('the model name goes into the key as it is', () => {
  expect(recordKey('a*b/c', 1000)).toBe('aibrix:a*b/c_request_trace_1000');
});

test('equal fields of records are one object, whatever record they are in', () => {
  const [first] = decode({ ...v4, '75:61': 4 }).completions;
  const [again, other] = decode({ ...v4, '75:61': 4, '75:62': 4 }).completions;
  expect(again).toBe(first);
  expect(other).not.toBe(first);
  const [coarse] = decode({ ...v4, meta_precision: 5, '75:61': 4 }).completions;
  expect(coarse).not.toEqual(first);
  const [large] = decode({ ...v4, '75:61': 40_000 }).completions;
  expect(large).toEqual({ ...first, count: 40_000 });
});

test('an interval longer than a record lives is a broken record', () => {
  expect(() => decodeRecord(JSON.stringify({ ...v4, meta_interval_sec: 3600 }), 'k')).toThrow(
    expect.objectContaining({
      code: 'BAD_RECORD',
      message: 'k: meta_interval_sec is 3600, longer than a record lives (600 s)',
    }),
  );
});
