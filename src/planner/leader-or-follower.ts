import { messageOf } from '../vocabulary/errors.ts';
import type { PublishParts } from './publish/publish.ts';
import type { LeaderTerm, StoredPlan, StoredPlans } from './publish/stored-plan.ts';
import type { TickOutcome } from './report/tick-outcome.ts';
import type { ReplicasTold, Ticker } from './tick.ts';

/** Who leads, as far as this replica knows. */
export interface Leading {
  readonly leads: boolean;
  /** null = not known yet. */
  readonly term: LeaderTerm | null;
}
/** Who leads now. */
export type Leadership = () => Leading | Promise<Leading>;

export interface PeerParts {
  readonly leadership: Leadership;
  readonly stored: StoredPlans;
  readonly ticker: Pick<Ticker, 'due' | 'tick' | 'restore'>;
  readonly board: PublishParts['board'];
  /** Unix seconds, our own clock. */
  clock(): number;
  /** Said once per change: why the stored plan cannot be read, or null when it can again. */
  onProblem(problem: string | null): void;
}

/** A leader that lives is not older (s); what an older one decided lowers nothing. */
const livingSeconds = 30;

/**
 * One of several replicas: the leader plans, the others say what it said. What it returns is to be called every second,
 * and tells whether there was anything to do.
 */
export const leaderOrFollower = ({ leadership, stored, ticker, board, clock, onProblem }: PeerParts) => {
  let last: StoredPlan | null = null;
  /** The term that this replica plans in; null = it follows. */
  let own: number | null = null;
  let problem: string | null = null;

  /** What the leader stored is what we publish. @returns whether there was anything new */
  const publishStored = async (term: LeaderTerm): Promise<boolean> => {
    let problemNow: string | null = null;
    try {
      const news = await stored.news(term);
      if (news !== null) {
        last = news.plan;
        await board.publish(news.ageSeconds > livingSeconds ? restored(last) : last, clock() - news.ageSeconds);
      }
      return news !== null;
    } catch (error) {
      problemNow = messageOf(error);
      return false;
    } finally {
      if (problemNow !== problem) onProblem(problemNow);
      problem = problemNow;
    }
  };

  return async (): Promise<boolean> => {
    const { leads, term } = await leadership();
    if (term === null) return false;
    if (!leads) {
      own = null;
      return await publishStored(term);
    }
    if (own !== term.transitions) {
      await publishStored(term);
      if (last !== null) ticker.restore(last);
      own = term.transitions;
    }
    if (!ticker.due()) return false;
    await ticker.tick();
    return true;
  };
};

const restored = (plan: StoredPlan): StoredPlan => ({
  ...plan,
  targets: plan.targets.map((target) => ({
    ...target,
    decision: 'replicas' in target.decision ? { ...target.decision, restored: true } : target.decision,
    standing: { ...target.standing, restored: true },
  })),
});

/** What a tick decided goes to the store first: if another leads by now, nothing of it is published. */
export const tellingReplicas =
  (stored: StoredPlans, leadership: Leadership) =>
  async (decided: TickOutcome, at: number): Promise<ReplicasTold> => {
    const { leads, term } = await leadership();
    if (!leads || term === null) return { superseded: true, problems: ['another replica leads: this tick is void'] };
    try {
      const outcome = await stored.keep(decided, at, term);
      return {
        superseded: outcome === 'later',
        problems:
          outcome === 'other'
            ? ['another installation of gpumix keeps its plans here: give each its own --plan-prefix']
            : outcome === 'later'
              ? ['a later plan is stored: this tick is void']
              : [],
      };
    } catch (error) {
      return { superseded: false, problems: [`the plan is not stored: ${messageOf(error)}`] };
    }
  };
