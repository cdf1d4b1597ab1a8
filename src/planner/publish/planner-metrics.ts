import { type Gauge, Registry } from 'prom-client';
import type { Drift } from '../../profiles/drift.ts';
import { gaugesIn } from '../../runtime/gauges.ts';
import type { Plan } from '../../vocabulary/planning-documents.ts';
import type { Target } from '../../vocabulary/target.ts';
import type { ModelReport } from '../report/tick-outcome.ts';
import type { VariantReport } from '../report/variant-reports.ts';

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
  gauge('target_replicas', 'replicas that a Deployment should have', ['namespace', 'deployment'], (targets) => {
    for (const { namespace, deployment, decision } of published.allTargets())
      if ('replicas' in decision) targets.set({ namespace, deployment }, decision.replicas);
  });
  modelGauges(gauge, published, clock);
  variantGauges(gauge, published);
  gauge('plan_cost', 'money per hour of the last plan', ['status'], (costs) => {
    const plan = published.plan();
    if (plan !== null) costs.set({ status: plan.status }, plan.cost);
  });
  gauge('leader', '1 if this replica of gpumix makes the plan, 0 if it follows', [], (leader) => leader.set(leads() ? 1 : 0));
  gauge('tick_age_seconds', 'seconds since the published tick, whichever replica made it', [], (age) => {
    const at = published.publishedAt();
    age.set(at === null ? Number.NaN : clock() - at);
  });
  return registry;
};

type AddGauge = ReturnType<typeof gaugesIn>;

const modelGauges = (gauge: AddGauge, published: Published, clock: () => number): void => {
  /** @param ofModel null = the model has none */
  const perModel = (name: string, help: string, ofModel: (model: ModelReport) => number | null) =>
    gauge(name, help, ['model'], (values) => {
      for (const model of published.models()) {
        const value = ofModel(model);
        if (value !== null) values.set({ model: model.name }, value);
      }
    });
  gauge('model_state', '1 for the state of a model: fresh, quiet, idle, stale or missing', ['model', 'state'], (states) => {
    for (const { name, state } of published.models()) states.set({ model: name, state }, 1);
  });
  perModel('arrival_rate', 'requests per second of the plan, headroom included', ({ arrivalRate }) => arrivalRate);
  gauge(
    'forecast_rate',
    'requests per second forecast one startup time ahead, if the forecast is trusted',
    ['model', 'method'],
    (rates) => {
      for (const { name, forecast } of published.models())
        if (forecast !== null) rates.set({ model: name, method: forecast.method }, forecast.rate);
    },
  );
  perModel('engine_strain', 'work of a request relative to the profiles, from backlogs', ({ strain }) => strain);
  gauge(
    'unserved_rate',
    'requests per second that the plan cannot serve, by reason: stock, budget, maxReplicas, profile, paused, pinned, notFollowed, outOfStock',
    ['model', 'reason'],
    (rates) => {
      for (const { name, unserved } of published.models())
        for (const [reason, rate] of Object.entries(unserved)) rates.set({ model: name, reason }, rate);
    },
  );
  perModel('beyond_slo_rate', 'requests per second that no Deployment serves within the SLO', ({ beyondSlo }) => beyondSlo);
  perModel('data_age_seconds', 'age of the newest request record of a model', ({ dataAt }) =>
    dataAt === null ? null : Math.max(0, clock() - dataAt),
  );
  gauge(
    'record_defect',
    '1 if records cannot be true: arrivals = most are missing, pending = below 0, overwritten = by other gateways',
    ['model', 'counts'],
    (defects) => {
      for (const { name, recordDefect } of published.models())
        if (recordDefect) defects.set({ model: name, counts: recordDefect.kind }, 1);
    },
  );
  perModel('cannot_wake', '1 if a model is at zero and its gateway cannot wake it, else 0', ({ cannotWake }) =>
    Number(cannotWake),
  );
  perModel('swap_blocked', '1 if a change to another mix waits for GPUs, else 0', ({ swapBlocked }) => Number(swapBlocked));
};

const variantGauges = (gauge: AddGauge, published: Published): void => {
  /** @param ofVariant null = the variant has none */
  const perVariant = (name: string, help: string, ofVariant: (variant: VariantReport) => number | null) =>
    gauge(name, help, ['namespace', 'deployment'], (values) => {
      for (const variant of published.models().flatMap(({ variants }) => variants)) {
        const [namespace = '', deployment = ''] = variant.deployment.split('/');
        const value = ofVariant(variant);
        if (value !== null) values.set({ namespace, deployment }, value);
      }
    });
  perVariant('startup_seconds', 'seconds that a replica takes from creation to Ready', ({ startupSeconds }) => startupSeconds);
  perVariant('out_of_stock', '1 if new pods of a Deployment do not start, else 0', ({ outOfStock }) => Number(outOfStock));
  perVariant('not_followed', '1 if spec.replicas does not follow the target, else 0', ({ notFollowed }) => Number(notFollowed));
  perVariant(
    'held_by_tolerance',
    "1 if the autoscaler's tolerance hides the difference to the target, else 0",
    ({ withinTolerance }) => Number(withinTolerance),
  );
  perVariant(
    'extrapolated_share',
    "share of the model's demand outside the grid of the Deployment's profile",
    ({ extrapolatedShare }) => extrapolatedShare,
  );
};

/** What replicas are seen to serve over what their profiles say; of Deployments that nothing is known of there is none. */
export const driftGauge = (registry: Registry, drifts: () => ReadonlyMap<string, Drift>): Gauge =>
  gaugesIn(registry, 'gpumix_')(
    'profile_drift',
    'throughput within the SLO relative to the profile; 1 if nothing contradicts the profile',
    ['namespace', 'deployment'],
    (ratios) => {
      for (const [key, { ratio }] of drifts()) {
        const [namespace = '', deployment = ''] = key.split('/');
        ratios.set({ namespace, deployment }, ratio);
      }
    },
  );
