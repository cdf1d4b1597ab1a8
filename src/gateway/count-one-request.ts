import type { IntervalCounter } from '../workload/gateway-records.ts';
import type { RequestCounts } from '../workload/request-counts.ts';
import { apiCalls } from './api-calls.ts';
import type { GatewayRequest } from './openai-request.ts';

export type OneRequestCounter = Pick<IntervalCounter, 'arrived' | 'ended' | 'failed'>;

/**
 * Counts one request. One whose size nobody knows until its engine has told it is counted only then, if ever: as an arrival
 * without a size it would be planned for as an average one.
 */
export const oneRequestCounter = (counts: RequestCounts, { call, model }: GatewayRequest): OneRequestCounter => {
  // Of a model that is gone a counter may have been dropped meanwhile.
  const counter = () => counts.counter(model);
  if (apiCalls[call].sized)
    return {
      arrived: () => counter().arrived(),
      ended: (input, output) => counter().ended(input, output),
      failed: () => counter().failed(),
    };
  return {
    arrived: () => {},
    ended: (input, output) => {
      counter().arrived();
      counter().ended(input, output);
    },
    failed: () => {},
  };
};
