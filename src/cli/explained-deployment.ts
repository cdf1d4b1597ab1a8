import type { Pace } from '../cluster/pace.ts';
import { fixedReplicas, type ModelDeployment } from '../cluster/variant.ts';
import type { Config } from '../config/serve-config.ts';
import type { RecordDefect } from '../planner/believe/record-defects.ts';
import type { ModelReport } from '../planner/report/tick-outcome.ts';
import { podsMissingText } from '../planner/report/tick-problems.ts';
import { deploymentKey, ownerKey } from '../vocabulary/deployment-key.ts';
import type { Target } from '../vocabulary/target.ts';
import { planLines } from './explained-plan.ts';
import { type ClusterLook, isAlive } from './one-look.ts';
import { beyondGridText, indented, percentText, rateText } from './plan-texts.ts';

export interface Question extends Pick<ClusterLook, 'decided' | 'stored'> {
  readonly deployment: ModelDeployment;
  /** Its Ready pods. */
  readonly ready: number;
  /** Unix seconds. */
  readonly now: number;
  /** What is wrong with its HPA, one line each; absent = nothing. */
  readonly autoscaling?: readonly string[];
  /** How its autoscaler goes about changes; absent or null = not known. */
  readonly pace?: Pace | null;
  /** How long ago a `serve` that is gone stored its last plan (s); absent = none, or it is there. */
  readonly lastStored?: number;
}

/** Why a Deployment has the target that it has, for people: from what is published back to the demand. */
export const explainLines = (asked: Question, config: Config): readonly string[] => {
  const question = withLivePlan(asked, config);
  const { deployment, decided, stored } = question;
  const key = deploymentKey(deployment);
  const said = stored?.plan ?? decided;
  const target = said.targets.find((one) => ownerKey(one) === key);
  const report = said.models.find(({ deployments }) => deployments.includes(key));
  return [
    `${key}: ${targetText(target, question)}`,
    ...indented([...runningText(target, question), ...(question.autoscaling ?? []), ...remarks(key, report, question)]),
    ...(report === undefined ? [] : [modelText(report, waitingText(question))]),
    ...planLines(key, target, question, config),
  ];
};

/** Why a Deployment has the target that it has, for programs. */
export const explainDocument = ({ deployment, ready, decided, stored }: Question, reasons: readonly string[]) => {
  const key = deploymentKey(deployment);
  const said = stored?.plan ?? decided;
  const model = decided.snapshot?.models.find(({ variants }) => variants.some(({ name }) => name === key));
  return {
    deployment: key,
    replicas: deployment.replicas,
    ready,
    /** null = there is none yet. */
    decision: said.targets.find((one) => ownerKey(one) === key)?.decision ?? null,
    /** s; null = nothing is published, and this is what would be decided now. */
    publishedAgo: stored?.ageSeconds ?? null,
    model: said.models.find(({ deployments }) => deployments.includes(key)) ?? null,
    planOfNow: decided.plan?.models.find(({ name }) => name === model?.name) ?? null,
    reasons,
  };
};

/** A plan of a `serve` that is gone says nothing of the present: what would be decided now is told in its place. */
export const withLivePlan = (asked: Question, config: Pick<Config, 'intervalSeconds'>): Question =>
  asked.stored === null || isAlive(asked.stored.ageSeconds, config)
    ? asked
    : { ...asked, stored: null, lastStored: asked.stored.ageSeconds };

const replicasText = (count: number): string => `${count} ${count === 1 ? 'replica' : 'replicas'}`;
const ago = (seconds: number): string => `${Math.max(0, Math.round(seconds))} s`;

const targetText = (target: Target | undefined, { stored, lastStored }: Question): string => {
  const gone = lastStored === undefined ? 'no serve has stored a plan' : `the last plan of a serve is ${ago(lastStored)} old`;
  const when = stored === null ? `as it would be decided now; ${gone}` : `published ${ago(stored.ageSeconds)} ago`;
  if (target === undefined) return `no answer yet: it is new (${when})`;
  const { decision } = target;
  if ('unavailable' in decision) return `no answer: ${decision.unavailable} (${when})`;
  const data = stored === null ? '' : `, from data of ${ago(stored.plan.at - decision.asOf)} before`;
  return `${replicasText(decision.replicas)}, ${when}${data}`;
};

const runningText = (target: Target | undefined, { deployment, ready, pace = null }: Question): readonly string[] => {
  const { replicas } = deployment;
  const wanted = target === undefined || 'unavailable' in target.decision ? replicas : target.decision.replicas;
  const settles = pace === null ? 0 : (wanted > replicas ? pace.up : pace.down).waitSeconds;
  const takes = settles > 0 ? `, which by its own settings may take ${settles} s` : '';
  const follows = wanted === replicas ? '' : `: its autoscaler has not followed yet${takes}`;
  return [`it has ${replicas}, ${ready} of them Ready${follows}`];
};

/** What is to be said of the Deployment itself. */
const remarks = (key: string, report: ModelReport | undefined, { deployment, now }: Question): readonly string[] => {
  const seen = report?.variants.find((one) => one.deployment === key);
  const fixed = fixedReplicas(deployment, now);
  const when = (condition: boolean | undefined, text: string): readonly string[] => (condition === true ? [text] : []);
  return [
    ...when(deployment.paused, 'paused by the annotation gpumix.io/paused: planned around'),
    ...when(!deployment.paused && fixed !== null, `pinned to ${fixed} by the annotation gpumix.io/pin`),
    ...when(seen?.outOfStock, podsMissingText(seen?.podsRefused ?? null)),
    ...(seen?.profileProblem ? [seen.profileProblem] : []),
    ...(seen?.beyondGrid ? [beyondGridText(seen.beyondGrid)] : []),
    ...when(seen?.notFollowed, notFollowedText(seen?.triedAgainAt ?? null)),
    ...when(seen?.withinTolerance, 'the difference is within the tolerance of its autoscaler, which leaves it'),
    ...when(deployment.problem !== null, deployment.problem ?? ''),
  ];
};

const notFollowedText = (triedAgainAt: number | null): string => {
  const when = triedAgainAt === null ? '' : `; tried again at ${new Date(triedAgainAt * 1000).toISOString()}`;
  return `not followed: spec.replicas does not move toward the target, so the others are planned around it${when}, or as soon as its autoscaler changes`;
};

/**
 * What of the demand is for requests that wait beyond what is normal; nothing where none does. Who looks once foresees nothing,
 * so that what is planned beyond arrivals, headroom and strain is for those.
 */
const waitingText = ({ deployment, decided }: Question): readonly string[] => {
  const report = decided.models.find(({ deployments }) => deployments.includes(deploymentKey(deployment)));
  const { histories } = decided.memory.believed;
  const seen = [deployment.model, ...deployment.aliases].flatMap((name) => histories.get(name)?.rate.level ?? []);
  if (report === undefined || report.arrivalRate === null || report.recordDefect !== null || seen.length === 0) return [];
  const arriving = seen.reduce((sum, rate) => sum + rate, 0);
  const waiting = report.arrivalRate - arriving * (1 + report.headroom) * report.strain;
  return waiting > 0.01 * report.arrivalRate
    ? [`of it ${rateText(waiting)} for requests that wait: ${rateText(arriving)} arrive`]
    : [];
};

const modelText = (report: ModelReport, waiting: readonly string[]): string => {
  const { name, state, reason, arrivalRate, headroom, forecast, strain, swapBlocked, cannotWake, recordDefect } = report;
  const planned =
    arrivalRate === null ? '' : `; ${rateText(arrivalRate)} planned for, ${percentText(headroom)} of headroom included`;
  const notes = [
    ...waiting,
    ...(forecast === null ? [] : [`${rateText(forecast.rate)} foreseen one startup ahead (${forecast.method})`]),
    ...(strain > 1.005 ? [`requests take ${strain.toFixed(2)} times the work that profiles say`] : []),
    ...(swapBlocked ? ['swap blocked: no room for what would be given up and what would replace it at once'] : []),
    ...(cannotWake ? ['nothing will wake it'] : []),
    ...(recordDefect ? [defectText(recordDefect)] : []),
  ];
  return [`model ${name} is ${state}: ${reason}${planned}`, ...notes].join('; ');
};

const defectText = ({ kind, counted, ended }: RecordDefect): string => {
  switch (kind) {
    case 'arrivals':
      return `its gateway counted ${counted} arrivals while ${ended} requests ended, so what ends is planned for (AIBrix v0.4.0 to v0.7.0 have this fault)`;
    case 'pending':
      return 'its gateway counts fewer than 0 requests as pending, so that number is not used (AIBrix v0.4.0 to v0.7.0 have this fault)';
    case 'overwritten':
      return `its records count ${counted} requests that ended, its engines ${Math.round(ended)}, so the engines' count is planned for (gateways overwrite each other's records)`;
  }
};
