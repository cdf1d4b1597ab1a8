import type { FleetModel } from './fleet.ts';
import { roundingTolerance } from './tolerances.ts';

/**
 * A model with one type more, that is no machine: what is not served.
 * @param price of a request per second that is not served
 * @param most req/s that may be left unserved
 * @param unit req/s that count as one replica of nowhere
 */
export const withNowhere = (model: FleetModel, price: number, most: number, unit: number): FleetModel => {
  const { variants, rates, ways } = model;
  const types = variants.length;
  return {
    ...model,
    previous: null,
    fluid: types,
    variants: [
      ...variants,
      { price: price * unit, lower: 0, upper: (most / unit) * (1 + roundingTolerance), pools: [], gpus: 0, running: null },
    ],
    ways: ways.map(({ loads, open }) => ({
      open: Uint8Array.from([...open, 1]),
      loads: Float64Array.from({ length: rates.length * (types + 1) }, (_, at) => {
        const [c, g] = [Math.floor(at / (types + 1)), at % (types + 1)];
        return g === types ? rates[c]! / unit : loads[c * types + g]!;
      }),
    })),
  };
};

/** A model that is not looked at yet keeps its floors. */
export const without = (model: FleetModel): FleetModel => ({
  ...model,
  previous: null,
  rates: new Float64Array(),
  ways: model.ways.map(({ open }) => ({ open, loads: new Float64Array() })),
});
