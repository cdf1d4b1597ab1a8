import { expect, test } from 'vitest';
import { type ApiCall, apiCalls } from '../../src/gateway/api-calls.ts';
import { oneRequestCounter } from '../../src/gateway/count-one-request.ts';
import type { GatewayRequest } from '../../src/gateway/openai-request.ts';
import { requestCounts } from '../../src/workload/request-counts.ts';
import { wholeInterval } from '../helpers/records.ts';

const calls = Object.keys(apiCalls) as ApiCall[];
const counted = (call: ApiCall, ending: 'ended' | 'failed' | 'runs') => {
  const counts = requestCounts(10);
  const counter = oneRequestCounter(counts, { call, model: 'm' } as GatewayRequest);
  counter.arrived();
  if (ending === 'ended') counter.ended(66, 16);
  if (ending === 'failed') counter.failed();
  const fields = counts.end(wholeInterval(10), [], () => 0).find(({ model }) => model === 'm')?.fields;
  const sizes = Object.keys(fields ?? {}).filter((name) => !name.startsWith('meta_')).length;
  return fields && { arrivals: fields['meta_total_reqs'], pending: fields['meta_pending_reqs'], sizes };
};
const ofKind = (sized: boolean): readonly ApiCall[] => calls.filter((call) => apiCalls[call].sized === sized);

test.each(ofKind(true))('%s: an arrival at once, a size when it has ended', (call) => {
  expect(counted(call, 'runs')).toEqual({ arrivals: 1, pending: 1, sizes: 0 });
  expect(counted(call, 'failed')).toEqual({ arrivals: 1, pending: 0, sizes: 0 });
  expect(counted(call, 'ended')).toEqual({ arrivals: 1, pending: 0, sizes: 1 });
});

test.each(ofKind(false))('%s: nothing until its engine has told its size, and then an arrival with it', (call) => {
  expect(counted(call, 'runs')).toBeUndefined();
  expect(counted(call, 'failed')).toBeUndefined();
  expect(counted(call, 'ended')).toEqual({ arrivals: 1, pending: 0, sizes: 1 });
});
