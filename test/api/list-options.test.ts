import { describe, expect, test } from 'vitest';
import { deadlineMilliseconds, externalLabelSelectorOf, labelSelectorOf } from '../../src/api/list-options.ts';

const query = (values: Readonly<Record<string, string>>) => new URLSearchParams(values);
const refusal = (read: () => unknown) => {
  try {
    read();
  } catch (error) {
    const { code, message } = error as { code: number; message: string };
    return `${code} ${message}`;
  }
  return null;
};

describe('what is asked of one object', () => {
  test('is the label selector, if there is one', () => {
    expect(labelSelectorOf(query({}), 'web')).toEqual([]);
    expect(labelSelectorOf(query({ labelSelector: 'gpu=l4,!old' }), 'web')).toEqual([
      { key: 'gpu', operator: '=', values: ['l4'] },
      { key: 'old', operator: 'absent', values: [] },
    ]);
    expect(refusal(() => labelSelectorOf(query({ labelSelector: 'gpu=' }), 'web'))).toBeNull();
    expect(refusal(() => labelSelectorOf(query({ labelSelector: '=l4' }), 'web'))).toMatch(/^400 not a label selector/);
  });

  test.each(['0', '-5', '+7', '9223372036854775807', '-9223372036854775808'])('may have a limit and a timeout of %s', (text) => {
    expect(refusal(() => labelSelectorOf(query({ limit: text, timeoutSeconds: text }), ''))).toBeNull();
  });

  test.each(['', 'x', '1.5', '1e3', ' 1', '9223372036854775808', '-9223372036854775809'])(
    'may not have a limit of "%s"',
    (text) => {
      expect(refusal(() => labelSelectorOf(query({ limit: text }), ''))).toBe(`400 limit is not an integer: "${text}"`);
      expect(refusal(() => labelSelectorOf(query({ timeoutSeconds: text }), ''))).toMatch(/^400 timeoutSeconds is not/);
    },
  );

  test.each([
    { fieldSelector: 'metadata.name=web', name: 'web', problem: null },
    { fieldSelector: 'metadata.name==web,metadata.namespace=ns', name: 'web', problem: null },
    { fieldSelector: 'metadata.namespace!=ns', name: '', problem: null },
    { fieldSelector: '', name: 'web', problem: null },
    { fieldSelector: ',', name: 'web', problem: null },
    { fieldSelector: 'metadata.name=other', name: 'web', problem: 'metadata.name is not the name in the path' },
    { fieldSelector: 'metadata.name!=web', name: 'web', problem: 'metadata.name is not the name in the path' },
    { fieldSelector: 'metadata.namespace=ns', name: 'web', problem: 'metadata.name is not the name in the path' },
    { fieldSelector: 'spec.x=1', name: '', problem: 'only metadata.name and metadata.namespace: spec.x=1' },
    { fieldSelector: 'metadata.name', name: '', problem: 'only metadata.name and metadata.namespace: metadata.name' },
  ])('with "$fieldSelector" for "$name": $problem', ({ fieldSelector, name, problem }) => {
    const expected = problem === null ? null : `400 fieldSelector: ${problem}`;
    expect(refusal(() => labelSelectorOf(query({ fieldSelector }), name))).toBe(expected);
  });
});

describe('what is asked of external metrics', () => {
  test('is the label selector as well', () => {
    expect(externalLabelSelectorOf(query({ labelSelector: 'a', watch: 'false', resourceVersion: '7' }))).toEqual([
      { key: 'a', operator: 'exists', values: [] },
    ]);
    expect(refusal(() => externalLabelSelectorOf(query({ resourceVersionMatch: 'Exact', resourceVersion: '7' })))).toBeNull();
  });

  test.each<[Readonly<Record<string, string>>, string]>([
    [{ watch: '1' }, '405 external metrics cannot be watched'],
    [{ watch: '' }, '405 external metrics cannot be watched'],
    [{ limit: 'x', watch: '1' }, '400 limit is not an integer: "x"'],
    [{ resourceVersionMatch: 'Exact' }, '422 resourceVersionMatch takes a resourceVersion'],
    [{ resourceVersionMatch: 'Newest', resourceVersion: '7' }, '422 resourceVersionMatch is Exact or NotOlderThan'],
    [{ sendInitialEvents: 'false' }, '422 sendInitialEvents is not for lists'],
  ])('%j is refused', (values, expected) => {
    expect(refusal(() => externalLabelSelectorOf(query(values)))).toBe(expected);
  });

  test('names the field that is refused', () => {
    const details = { causes: [{ reason: 'FieldValueForbidden', message: 'is not for lists', field: 'sendInitialEvents' }] };
    expect(() => externalLabelSelectorOf(query({ sendInitialEvents: '1' }))).toThrow(
      expect.objectContaining({ reason: 'Invalid', details: expect.objectContaining(details) }),
    );
  });
});

describe('the deadline of a request', () => {
  test('is a minute, where the request does not set it or sets it to nothing', () => {
    expect(
      [{}, { timeout: '0' }, { timeout: '0s' }, { timeout: '-0s' }].map((values) => deadlineMilliseconds(query(values))),
    ).toEqual(Array(4).fill(60_000));
  });

  test.each([
    ['30s', 30_000],
    ['+2s', 2_000],
    ['1.5s', 1_500],
    ['.5s', 500],
    ['5.s', 5_000],
    ['1s500ms', 1_500],
    ['250us', 0.25],
    ['250µs', 0.25],
    ['250μs', 0.25],
    ['100ns', 0.0001],
    ['59s999ms', 59_999],
    ['1m30s', 60_000],
    ['2h', 60_000],
    ['-1s', 0],
  ])('of %s is %d ms', (timeout, milliseconds) => {
    expect(deadlineMilliseconds(query({ timeout }))).toBeCloseTo(milliseconds, 9);
  });

  test.each(['', '5', '1d', 's', '1s ', '1,5s', '--1s', 'x1s'])('cannot be "%s"', (timeout) => {
    expect(refusal(() => deadlineMilliseconds(query({ timeout })))).toBe(`400 timeout is not a duration: "${timeout}"`);
  });
});
