import { expect, test, vi } from 'vitest';
import { persistently } from '../../src/api/reviews.ts';

const answers = (...list: (number | Error)[]) => {
  const asked = vi.fn(async () => {
    const next = list.shift() ?? 201;
    if (next instanceof Error) throw next;
    return { status: next, body: {} };
  });
  return asked;
};
const asked = async (request: ReturnType<typeof answers>) => {
  vi.useFakeTimers();
  const answer = persistently(request)('POST', '/reviews', {}).catch((error: Error) => error);
  await vi.advanceTimersByTimeAsync(60_000);
  vi.useRealTimers();
  return answer;
};
const lost = new Error('socket hang up');

test.each([
  { name: 'an answer is an answer', list: [201], calls: 1, result: { status: 201, body: {} } },
  { name: 'a refusal is an answer too', list: [403], calls: 1, result: { status: 403, body: {} } },
  { name: 'a lost connection is tried again', list: [lost, lost, 201], calls: 3, result: { status: 201, body: {} } },
  {
    name: 'an overloaded server is tried again',
    list: [429, 500, 504, 201],
    calls: 4,
    result: { status: 201, body: {} },
  },
  { name: 'five lost connections are a failure', list: [lost, lost, lost, lost, lost], calls: 5, result: lost },
  {
    name: 'five times 503 is a failure',
    list: [503, 503, 503, 503, 503],
    calls: 5,
    result: new Error('POST /reviews: kube-apiserver answered 503'),
  },
])('$name (items 87, 94)', async ({ list, calls, result }) => {
  const request = answers(...list);
  expect(await asked(request)).toEqual(result);
  expect(request).toHaveBeenCalledTimes(calls);
});
