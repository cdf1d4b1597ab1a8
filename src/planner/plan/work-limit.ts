/** What a tick may spend on a solve: about a second where the unit was measured, and nearly always far less is needed. */
export const tickWork = 1_000_000;

/** What plans may take on one machine, learned from those that took much. */
export interface WorkLimit {
  /** Units of work of the next plan: about a second. */
  limit(): number;
  /** @param milliseconds that the thread has computed for it, whatever else the machine did */
  saw(work: number, milliseconds: number): void;
}

/** Of a plan that takes less most is not the solve's. */
const leastOfPlan = 20_000;
/** So much is looked at, once: a limit that followed every plan would give another plan at every tick. */
const enough = 300_000;
/** No machine is believed to be so much slower or faster than the one that units were measured on. */
const [slowest, fastest] = [0.25, 4];

export const workLimitOfMachine = (): WorkLimit => {
  let limit = tickWork;
  let [work, milliseconds] = [0, 0];
  return {
    limit: () => limit,
    saw: (more, took) => {
      if (work >= enough || more < leastOfPlan) return;
      work += more;
      milliseconds += took;
      const speed = Math.min(fastest, Math.max(slowest, work / (1000 * milliseconds)));
      if (work >= enough) limit = Number((speed * tickWork).toPrecision(2));
    },
  };
};
