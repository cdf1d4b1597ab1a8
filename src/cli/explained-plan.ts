import type { Config } from '../config/serve-config.ts';
import { explanationOf } from '../planner/plan/explanation.ts';
import type { StoredPlan } from '../planner/publish/stored-plan.ts';
import { holdText, shortageText } from '../planner/report/hold-texts.ts';
import {
  type Model,
  type ModelPlan,
  type Plan,
  type Shortage,
  type Snapshot,
  totalRate,
  type Variant,
} from '../vocabulary/planning-documents.ts';
import type { Decision, Target } from '../vocabulary/target.ts';
import type { ClusterLook } from './one-look.ts';
import { bindingTexts, costText, indented, mixText, percentText, rateText, sizeText } from './plan-texts.ts';

/** The plan of now, as far as it concerns this Deployment; nothing where its model is not planned for. */
export const planLines = (
  key: string,
  target: Target | undefined,
  { decided: { snapshot, plan }, stored }: Pick<ClusterLook, 'decided' | 'stored'>,
  config: Config,
): readonly string[] => {
  const model = snapshot?.models.find(({ variants }) => variants.some(({ name }) => name === key));
  const planned = plan?.models.find(({ name }) => name === model?.name);
  if (snapshot === null || plan === null || model === undefined || planned === undefined) return [];
  const variant = model.variants.find(({ name }) => name === key)!;
  return [
    ...indented(demandTexts(variant, model, planned)),
    planText(plan, planned),
    ...indented([
      boundsText(variant),
      ...differenceTexts(key, target, stored?.plan ?? null, planned, config),
      ...alternatives(model, snapshot),
    ]),
  ];
};

/** Sizes that are named at most. */
const named = 6;

/** Which requests the plan sends here, the most frequent first. */
const demandTexts = (
  { name, throughput, throughputBeyondSlo }: Variant,
  { demand }: Model,
  { routing }: ModelPlan,
): readonly string[] => {
  const rows = demand.map((row, index) => {
    const routed = routing.find((one) => one.inputTokens === row.inputTokens && one.outputTokens === row.outputTokens);
    const share = routed?.shares[name] ?? 0;
    const within = throughput[index]! > 0;
    const serves = rateText(within ? throughput[index]! : throughputBeyondSlo[index]!);
    return {
      here: row.arrivalRate * share,
      text: `${sizeText(row)}: ${Math.round(100 * share)} % of them here, where a replica serves ${serves}${within ? '' : ', beyond the SLO'}`,
    };
  });
  const most = rows.filter(({ here }) => here > 0).sort((a, b) => b.here - a.here);
  if (most.length === 0) return ['none of its requests are planned here'];
  const more = most.length > named ? [`and ${most.length - named} more sizes`] : [];
  return [...most.slice(0, named).map(({ text }) => text), ...more];
};

const planText = ({ status }: Plan, { replicas, cost, unserved }: ModelPlan): string => {
  const short = Object.entries(Object.groupBy(unserved, ({ reason }) => reason)).map(
    ([reason, rows]) => `${rateText(totalRate(rows))} not served (${shortageText(reason as Shortage)})`,
  );
  // Infeasible is what the fleet is when any model is short.
  const answer = status !== 'infeasible' || short.length > 0 ? status : 'served in full, which not every model of the fleet is';
  return [`the plan of now: ${mixText(replicas)} at ${costText(cost)}, ${answer}`, ...short].join('; ');
};

const boundsText = ({ gpu, gpusPerReplica, price, minReplicas, maxReplicas, heldBy }: Variant): string => {
  const held = heldBy === undefined ? '' : `, as it ${holdText(heldBy)}`;
  return `one replica: ${gpusPerReplica} x ${gpu} at ${costText(price)}; from ${minReplicas} to ${maxReplicas ?? 'any number of'} replicas${held}`;
};

/** Why what is published is not what is planned. */
const differenceTexts = (
  key: string,
  target: Target | undefined,
  stored: StoredPlan | null,
  plan: ModelPlan,
  { holdDownSeconds, growAtOnce, switchSavings }: Config,
): readonly string[] => {
  if (target === undefined || stored === null || 'unavailable' in target.decision) return [];
  const { replicas, waiting = 0 }: Decision = target.decision;
  const wishes = stored.wanted.get(key) ?? [];
  const wanted = wishes.at(-1)?.replicas ?? replicas - waiting;
  const planned = plan.replicas[key] ?? 0;
  const published = replicas - waiting;
  return [
    ...(planned === wanted
      ? []
      : [
          `the plan of now has ${planned}, the published one ${wanted}: demand has moved since that, or the other mix saves less than ${percentText(switchSavings)} (--switch-savings), or has not saved for long enough what the change costs`,
        ]),
    ...(published > wanted
      ? [
          wishes.some((wish) => wish.replicas >= published)
            ? `${published} stay: as many were wanted within the last ${holdDownSeconds} s (--hold-down-seconds)`
            : `${published} stay until what replaces them is Ready`,
        ]
      : []),
    ...(published < wanted
      ? [
          `${wanted} are wanted: growth beyond ${growAtOnce} times waits for a second plan (--grow-at-once), or there is no room yet`,
        ]
      : []),
    ...(waiting > 0 ? [`${waiting} beyond the plan, to show a node autoscaler that a GPU is missing`] : []),
  ];
};

/** What would be cheaper, and what is next. */
const alternatives = ({ name, variants }: Model, snapshot: Snapshot): readonly string[] => {
  const { stock, bounds, runnersUp } = explanationOf(snapshot);
  return [
    ...bindingTexts({
      stock: stock.filter(({ gpu }) => variants.some((variant) => variant.gpu === gpu)),
      bounds: bounds.filter((bound) => variants.some((variant) => variant.name === bound.variant)),
    }),
    ...runnersUp
      .filter(({ model }) => model === name)
      .map(({ replicas, cost }) => `next best: ${mixText(replicas)} at ${costText(cost)}`),
  ];
};
