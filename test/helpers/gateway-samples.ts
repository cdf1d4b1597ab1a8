import { requestCounts } from '../../src/workload/request-counts.ts';
import { wholeInterval } from './records.ts';

/** What gateways saw of a model in one interval: sizes of what ended, what failed, what is still in flight. */
export interface SeenInterval {
  readonly name: string;
  readonly gateways: readonly {
    readonly ended: readonly (readonly [number, number])[];
    readonly failed: number;
    readonly inFlight: number;
  }[];
}

const gateway = (ended: readonly (readonly [number, number])[], failed = 0, inFlight = 0) => ({
  ended,
  failed,
  inFlight,
});

export const seenIntervals: readonly SeenInterval[] = [
  { name: 'nothing', gateways: [gateway([])] },
  {
    name: 'one-size',
    gateways: [
      gateway([
        [1500, 200],
        [1500, 200],
      ]),
    ],
  },
  {
    name: 'unknown-size',
    gateways: [
      gateway(
        [
          [0, 0],
          [275, 20],
          [1, 0],
        ],
        2,
        3,
      ),
    ],
  },
  {
    name: 'three-gateways',
    gateways: [
      gateway([
        [100, 10],
        [8000, 900],
      ]),
      gateway([[100, 10]], 1, 4),
      gateway([], 0, 1),
    ],
  },
];

/** The numbers that each gateway would write. */
export const fieldsOf = ({ gateways }: SeenInterval) =>
  gateways.map(({ ended, failed, inFlight }) => {
    const counts = requestCounts(10);
    const counter = counts.counter('m');
    for (let arrival = 0; arrival < ended.length + failed + inFlight; arrival += 1) counter.arrived();
    for (const [input, output] of ended) counter.ended(input, output);
    for (let failure = 0; failure < failed; failure += 1) counter.failed();
    return counts.end(wholeInterval(10), [], () => 0)[0]!.fields;
  });
