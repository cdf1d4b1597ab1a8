import { intervalEnds } from '../../src/gateway/interval-ends.ts';
import { storeClock } from '../../src/gateway/store-clock.ts';
import { recordWriter } from '../../src/workload/record-writer.ts';
import { requestCounts } from '../../src/workload/request-counts.ts';
import type { Store } from '../../src/workload/store.ts';

/** How the process does. `paused`: as by SIGSTOP. `frozen`: with its whole host, whose steady clock stands still too. */
export type GatewayState = 'runs' | 'paused' | 'frozen' | 'gone';

/**
 * A gateway of ours in virtual time, second by second: its clock, its intervals, its counts and its writer. Requests that come
 * while it does not run wait before its door, and are taken in once it has looked at the clocks.
 * @param world requests per second, and the state of the process
 * @param served requests that the pods can serve in this second
 */
export const virtualGateway = (
  store: Store,
  world: { readonly now: number; readonly rate: number; readonly gateway: GatewayState },
  served: () => number,
) => {
  let frozen = 0;
  const steady = () => world.now - frozen;
  const clock = storeClock(store.time, steady, () => world.now);
  const intervals = intervalEnds(10, world.now, steady());
  const counts = requestCounts(10);
  const writer = recordWriter(store, { instance: 'virtual', keyPrefix: 'gpumix:', intervalSeconds: 10 });
  let [arrived, before, taken, ended] = [0, 0, 0, 0];
  let lookedAt = steady();

  return {
    /** Requests that have come and are not answered. */
    waiting: () => before + taken - ended,
    second: async (): Promise<void> => {
      arrived += world.rate;
      const coming = Math.floor(arrived);
      arrived -= coming;
      before += coming;
      if (world.gateway === 'frozen') frozen += 1;
      if (world.gateway !== 'runs') return;
      await clock.read();
      const interval = intervals.look(clock.now(), steady(), steady() - lookedAt - 1);
      lookedAt = steady();
      if (interval !== null)
        await writer
          .write(
            counts.end(interval, ['m'], () => 0),
            interval.time,
          )
          .catch(() => {});
      const counter = counts.counter('m');
      for (; before > 0; before -= 1) {
        counter.arrived();
        taken += 1;
      }
      for (let left = Math.min(Math.floor(served()), taken - ended); left > 0; left -= 1) {
        counter.ended(1024, 64);
        ended += 1;
      }
    },
  };
};
