import { readyRouting } from '../planner/report/ready-routing.ts';
import { element } from '../vocabulary/list-element.ts';
import type { Plan, RoutedDemand, RouterKnowledge, Snapshot } from '../vocabulary/planning-documents.ts';
import { bucketIndex, tokensOf } from '../workload/bucket-index.ts';
import type { EngineRequest } from './engine.ts';
import type { Replica, Replicas } from './replicas.ts';

/** Chooses a replica for each request, by what it may know. */
export interface Router<Request extends EngineRequest> {
  /** Takes over a new plan, for the replicas that are Ready now. */
  follow(planned: { readonly snapshot: Snapshot; readonly plan: Plan } | null): void;
  /** Null where no replica is Ready. @param waits requests that wait in front of a replica, beside those in its engine */
  choose(request: Request, waits?: (replica: Replica<Request>) => number): Replica<Request> | null;
}

/**
 * Requests without a first token at a replica, from which on the plan is left: a queue that was there before a plan is
 * nothing that the plan could know.
 */
const queueLimit = 6;

export const createRouter = <Request extends EngineRequest>(
  routerKnowledge: RouterKnowledge,
  replicas: Replicas<Request>,
  solve: (snapshot: Snapshot) => Plan,
): Router<Request> => {
  let table: Table | null = null;
  let turn = 0;
  const leastLoaded = (among: readonly Replica<Request>[], waits: (replica: Replica<Request>) => number) => {
    let best: Replica<Request> | null = null;
    let least = Number.POSITIVE_INFINITY;
    for (const replica of among) {
      const inFlight = replica.engine.running() + replica.engine.waiting() + waits(replica);
      if (inFlight < least) [best, least] = [replica, inFlight];
    }
    return best;
  };
  return {
    follow: (planned) => {
      if (planned === null || routerKnowledge === 'load' || routerKnowledge === 'none') return;
      const [model] = planned.snapshot.models;
      if (model === undefined) return;
      const rows = readyRouting(planned.snapshot, model, (key) => replicas.ready(key).length, solve);
      table = rows.length === 0 ? null : tableOf(rows, routerKnowledge);
    },
    choose: (request, waits = none) => {
      const all = replicas.allReady();
      if (routerKnowledge === 'none') return all.length === 0 ? null : element(all, turn++ % all.length);
      const key = table?.(request);
      const planned = (key === undefined ? null : leastLoaded(replicas.ready(key), waits)) ?? leastLoaded(all, waits);
      if (planned === null || planned.engine.unread() + waits(planned) <= queueLimit) return planned;
      return shortestQueue(all, planned, waits) ?? planned;
    },
  };
};

const none = (): number => 0;

/** A replica whose queue is less than half as long; null = there is none. */
const shortestQueue = <Request extends EngineRequest>(
  among: readonly Replica<Request>[],
  than: Replica<Request>,
  waits: (replica: Replica<Request>) => number,
): Replica<Request> | null => {
  let best: Replica<Request> | null = null;
  let least = (than.engine.unread() + waits(than)) / 2;
  for (const replica of among) {
    const queue = replica.engine.unread() + waits(replica);
    if (queue < least) [best, least] = [replica, queue];
  }
  return best;
};

/** The variant for a request. */
type Table = (request: EngineRequest) => string | undefined;

/** Shares of a row, and what each variant is still owed of it: the one that is owed most is next. */
interface Entry {
  readonly shares: readonly (readonly [string, number])[];
  readonly owed: number[];
}

const tableOf = (rows: readonly RoutedDemand[], routerKnowledge: RouterKnowledge): Table => {
  const entries = rows.map(({ inputTokens, outputTokens, shares }) => ({
    input: Math.log(Math.max(1, inputTokens)),
    output: Math.log(Math.max(1, outputTokens)),
    entry: { shares: Object.entries(shares), owed: Object.keys(shares).map(() => 0) },
  }));
  const known = new Map<number, Entry>();
  // Of a size that no row has, the nearest row; without the output size all rows of the nearest input are alike.
  const nearest = (input: number, output: number): Entry => {
    const distance = (row: (typeof entries)[number]): number =>
      Math.abs(row.input - input) + (routerKnowledge === 'size' ? Math.abs(row.output - output) : 0);
    return entries.reduce((best, row) => (distance(row) < distance(best) ? row : best)).entry;
  };
  return ({ inputTokens, outputTokens }) => {
    const [input, output] = [bucketIndex(inputTokens), routerKnowledge === 'size' ? bucketIndex(outputTokens) : 0];
    const key = input * 1024 + output;
    const entry = known.get(key) ?? nearest(Math.log(tokensOf(input, 10)), Math.log(tokensOf(output, 10)));
    known.set(key, entry);
    return next(entry);
  };
};

const next = ({ shares, owed }: Entry): string | undefined => {
  if (shares.length === 1) return element(shares, 0)[0];
  let best = 0;
  for (const [index, [, share]] of shares.entries()) {
    owed[index] = element(owed, index) + share;
    if (element(owed, index) > element(owed, best)) best = index;
  }
  owed[best] = element(owed, best) - 1;
  return shares[best]?.[0];
};
