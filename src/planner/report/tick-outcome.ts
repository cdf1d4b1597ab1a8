import type { Plan, Shortage, Snapshot } from '../../vocabulary/planning-documents.ts';
import type { Target } from '../../vocabulary/target.ts';
import type { Forecast } from '../believe/forecast.ts';
import type { State } from '../believe/model-states.ts';
import type { RecordDefect } from '../believe/record-defects.ts';
import { joinedPlans } from '../plan/plan-of-snapshot.ts';
import type { Memory } from '../remember/tick-memory.ts';
import type { ModelRoutes } from './ready-routing.ts';
import type { VariantReport } from './variant-reports.ts';

/** What became of one model in this tick. */
export interface ModelReport {
  readonly name: string;
  readonly state: State;
  readonly reason: string;
  /** req/s, headroom included; null = not known. */
  readonly arrivalRate: number | null;
  /** Extra demand in it; 0.1 = 10 %. */
  readonly headroom: number;
  /** Of it what the plan cannot serve, by reason, and what no variant serves within the SLO (req/s). */
  readonly unserved: Readonly<Partial<Record<Shortage, number>>>;
  readonly beyondSlo: number;
  /** What was planned for is foreseen, by this method; null = as it is now. */
  readonly forecast: Forecast | null;
  /** Work of a request over what the profiles say, as learned; 1 = as they say. */
  readonly strain: number;
  /** End of the newest record (Unix s); null = there never was one. */
  readonly dataAt: number | null;
  /** Why what its gateway counts is not believed; null = it is. */
  readonly recordDefect: RecordDefect | null;
  readonly deployments: readonly string[];
  /** It would change to another mix, but there is no stock for what is given up and what replaces it. */
  readonly swapBlocked: boolean;
  /** It is at zero, and no request will be seen that could wake it. */
  readonly cannotWake: boolean;
  /** What was seen of its Deployments. */
  readonly variants: readonly VariantReport[];
}

/** What a tick decided. */
export interface TickOutcome {
  readonly memory: Memory;
  readonly targets: readonly Target[];
  readonly models: readonly ModelReport[];
  /**
   * The solve's input and answer; null where no model had demand to plan for. Where models were planned one by one there is no
   * snapshot, and the plan is without its models.
   */
  readonly snapshot: Snapshot | null;
  readonly plan: Plan | null;
  /** Of each model that was planned for, where routers are told: where its requests go. */
  readonly routes: readonly ModelRoutes[];
  /** What is wrong with each model, and with all of them together, one line each. */
  readonly problems: readonly string[];
  /** Deployments whose engines are to be asked until the next tick. */
  readonly enginesToAsk: readonly string[];
  /** How many plans were made for it, its own among them. */
  readonly plansMade: number;
}

/** What is to be said of models that were planned for together: for all, or for one of many that share nothing. */
export type Report = Pick<TickOutcome, 'targets' | 'models' | 'snapshot' | 'plan' | 'routes'>;

/** All that is to be said of a tick. */
export const joinedReports = (reports: readonly Report[]): Report => {
  const plans = reports.flatMap(({ plan }) => plan ?? []);
  return {
    targets: reports.flatMap(({ targets }) => targets),
    models: reports.flatMap(({ models }) => models),
    snapshot: reports[0]?.snapshot ?? null,
    plan: plans.length > 1 ? joinedPlans(plans) : (plans[0] ?? null),
    routes: reports.flatMap(({ routes }) => routes),
  };
};
