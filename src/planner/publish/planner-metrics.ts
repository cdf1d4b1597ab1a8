import { type Gauge, Registry } from 'prom-client';
import type { Drift } from '../../profiles/drift.ts';
import { gaugesIn } from '../../runtime/gauges.ts';
import type { Plan } from '../../vocabulary/planning-documents.ts';
import type { Target } from '../../vocabulary/target.ts';
import type { VariantReport } from '../believe/deployment-behaviour.ts';
import type { ModelReport } from '../report/tick-outcome.ts';

/** What the gauges are read from when they are asked for. */
export interface Published {
  allTargets(): readonly Target[];
  models(): readonly ModelReport[];
  plan(): Pick<Plan, 'status' | 'cost'> | null;
  /** Unix s, our own clock. */
  publishedAt(): number | null;
}

/** Gauges of the planner: targets, states, ages, cost. Of a Deployment without an answer there is no target. */
export const plannerRegistry = (published: Published, leads: () => boolean, clock: () => number): Registry => {
  const registry = new Registry();
  const gauge = gaugesIn(registry, 'gpumix_');
  gauge('target_replicas', 'replicas that a Deployment should have', ['namespace', 'deployment'], (one) => {
    for (const { namespace, deployment, decision } of published.allTargets())
      if ('replicas' in decision) one.set({ namespace, deployment }, decision.replicas);
  });
  /** @param value null = the model has none */
  const perModel = (name: string, help: string, value: (model: ModelReport) => number | null) =>
    gauge(name, help, ['model'], (one) => {
      for (const model of published.models()) {
        const known = value(model);
        if (known !== null) one.set({ model: model.name }, known);
      }
    });
  gauge('model_state', '1 for the state of a model: fresh, quiet, idle, stale or missing', ['model', 'state'], (one) => {
    for (const { name, state } of published.models()) one.set({ model: name, state }, 1);
  });
  perModel('arrival_rate', 'requests per second of the plan, headroom included', ({ arrivalRate }) => arrivalRate);
  gauge(
    'forecast_rate',
    'requests per second forecast one startup time ahead, if the forecast is trusted',
    ['model', 'method'],
    (one) => {
      for (const { name, forecast } of published.models())
        if (forecast !== null) one.set({ model: name, method: forecast.method }, forecast.rate);
    },
  );
  perModel('engine_strain', 'work of a request relative to the profiles, from backlogs', (one) => one.strain);
  gauge(
    'unserved_rate',
    'requests per second that the plan cannot serve, by reason: stock, budget, maxReplicas, profile, paused, pinned, notFollowed, outOfStock',
    ['model', 'reason'],
    (one) => {
      for (const { name, unserved } of published.models())
        for (const [reason, rate] of Object.entries(unserved)) one.set({ model: name, reason }, rate);
    },
  );
  perModel('beyond_slo_rate', 'requests per second that no Deployment serves within the SLO', (one) => one.beyondSlo);
  perModel('data_age_seconds', 'age of the newest request record of a model', ({ dataAt }) =>
    dataAt === null ? null : Math.max(0, clock() - dataAt),
  );
  gauge(
    'record_defect',
    '1 if records cannot be true: arrivals = most are missing, pending = below 0, overwritten = by other gateways',
    ['model', 'counts'],
    (one) => {
      for (const { name, recordDefect } of published.models())
        if (recordDefect) one.set({ model: name, counts: recordDefect.kind }, 1);
    },
  );
  perModel('cannot_wake', '1 if a model is at zero and its gateway cannot wake it, else 0', (one) => Number(one.cannotWake));
  perModel('swap_blocked', '1 if a change to another mix waits for GPUs, else 0', (one) => Number(one.swapBlocked));
  const perVariant = (name: string, help: string, value: (variant: VariantReport) => number | null) =>
    gauge(name, help, ['namespace', 'deployment'], (one) => {
      for (const variant of published.models().flatMap(({ variants }) => variants)) {
        const [namespace = '', deployment = ''] = variant.deployment.split('/');
        const known = value(variant);
        if (known !== null) one.set({ namespace, deployment }, known);
      }
    });
  perVariant('startup_seconds', 'seconds that a replica takes from creation to Ready', (one) => one.startupSeconds);
  perVariant('out_of_stock', '1 if new pods of a Deployment do not start, else 0', (one) => Number(one.outOfStock));
  perVariant('not_followed', '1 if spec.replicas does not follow the target, else 0', (one) => Number(one.notFollowed));
  perVariant('held_by_tolerance', "1 if the autoscaler's tolerance hides the difference to the target, else 0", (one) =>
    Number(one.withinTolerance),
  );
  perVariant(
    'extrapolated_share',
    "share of the model's demand outside the grid of the Deployment's profile",
    (one) => one.extrapolatedShare,
  );
  gauge('plan_cost', 'money per hour of the last plan', ['status'], (one) => {
    const plan = published.plan();
    if (plan !== null) one.set({ status: plan.status }, plan.cost);
  });
  gauge('leader', '1 if this replica of gpumix makes the plan, 0 if it follows', [], (one) => one.set(leads() ? 1 : 0));
  gauge('tick_age_seconds', 'seconds since the published tick, whichever replica made it', [], (one) => {
    const at = published.publishedAt();
    one.set(at === null ? Number.NaN : clock() - at);
  });
  return registry;
};

/** What replicas are seen to serve over what their profiles say; of Deployments that nothing is known of there is none. */
export const driftGauge = (registry: Registry, drifts: () => ReadonlyMap<string, Drift>): Gauge =>
  gaugesIn(registry, 'gpumix_')(
    'profile_drift',
    'throughput within the SLO relative to the profile; 1 if nothing contradicts the profile',
    ['namespace', 'deployment'],
    (one) => {
      for (const [key, { ratio }] of drifts()) {
        const [namespace = '', deployment = ''] = key.split('/');
        one.set({ namespace, deployment }, ratio);
      }
    },
  );
