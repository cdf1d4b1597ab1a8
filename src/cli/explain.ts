import type { KubernetesRequest } from '../cluster/kubernetes-connection.ts';
import type { Pace } from '../cluster/pace.ts';
import { fixedReplicas, type ModelDeployment } from '../cluster/variant.ts';
import type { Cluster } from '../cluster/watch.ts';
import { type Config, settings } from '../config/serve-config.ts';
import { flagsOfTable, settingOptions } from '../config/settings.ts';
import type { RecordDefect } from '../planner/believe/record-defects.ts';
import { explanationOf } from '../planner/plan/explanation.ts';
import type { StoredPlan } from '../planner/publish/stored-plan.ts';
import { holdText, shortageText } from '../planner/report/hold-texts.ts';
import type { ModelReport } from '../planner/report/tick-outcome.ts';
import { outOfStockText } from '../planner/report/tick-problems.ts';
import { deploymentKey, ownerKey } from '../vocabulary/deployment-key.ts';
import { GpumixError } from '../vocabulary/errors.ts';
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
import { hpaFacts } from './autoscaling-chain.ts';
import type { Command } from './command.ts';
import { findingText } from './finding.ts';
import { type HpaObject, hpaFindings } from './hpa-findings.ts';
import { askedInPeace, itemsOf, succeeded } from './kubernetes-answer.ts';
import { type ClusterLook, configBesideServe, isAlive, lookOnce } from './one-look.ts';
import { bindingTexts, costText, mixText, rateText, sizeText } from './plan-texts.ts';

const ownOptions: Command['options'] = {
  json: { type: 'boolean', help: 'print one document and nothing else', group: 'output' },
};

export const explainCommand: Command = {
  options: { ...ownOptions, ...settingOptions(settings) },
  usage: 'NAMESPACE/DEPLOYMENT [flags]',
  examples: [
    'gpumix explain serving/llama-8b-l40s',
    'kubectl exec -n gpumix-system deploy/gpumix -- node /app/dist/gpumix.js explain serving/llama-8b-l40s',
  ],
  run: async (argv, io, environment) => {
    const { flags, own, positionals } = flagsOfTable(settings, ownOptions, argv, 1);
    const [key = ''] = positionals;
    if (!/^[^/]+\/[^/]+$/.test(key))
      throw new GpumixError('BAD_USAGE', `name the Deployment as NAMESPACE/DEPLOYMENT${key === '' ? '' : `, not ${key}`}`);
    const config = configBesideServe(flags, environment);
    const question = await lookOnce(config, async ({ cluster, kubernetes, decided, stored }): Promise<Question> => {
      const deployment = cluster.deployments.get(key);
      if (deployment === undefined)
        throw new GpumixError('BAD_USAGE', `there is no Deployment ${key} with the label model.aibrix.ai/name`);
      const pods = [...cluster.pods.values()].filter((pod) => ownerKey(pod) === key);
      const ready = pods.filter((pod) => pod.ready).length;
      const autoscaling = await hpaTexts(kubernetes, cluster, key, targetOf({ decided, stored }, key), config);
      const pace = cluster.paces().get(key) ?? null;
      return { deployment, ready, decided, stored, now: Date.now() / 1000, autoscaling, pace };
    });
    const lines = explainLines(question, config);
    const document = () => explainDocument(withLivePlan(question, config), lines);
    io.stdout(own['json'] === true ? `${JSON.stringify(document())}\n` : `${lines.join('\n')}\n`);
    return 0;
  },
};

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
  const report = said.models.find((one) => one.deployments.includes(key));
  return [
    `${key}: ${targetText(target, question)}`,
    ...indented([...runningText(target, question), ...(question.autoscaling ?? []), ...remarks(key, report, question)]),
    ...(report === undefined ? [] : [modelText(report, waitingText(question, config))]),
    ...planLines(key, target, question, config),
  ];
};

/** What `doctor` says of the HPA of one Deployment. */
const hpaTexts = async (
  kubernetes: KubernetesRequest,
  cluster: Pick<Cluster, 'deployments' | 'paces'>,
  key: string,
  target: number | null,
  config: Config,
): Promise<readonly string[]> => {
  const [namespace, name] = key.split('/');
  const path = `/apis/autoscaling/v2/namespaces/${namespace}/horizontalpodautoscalers`;
  const answer = await askedInPeace(kubernetes)('GET', path);
  const targets = new Map(target === null ? [] : [[key, target]]);
  return (succeeded(answer) ? itemsOf<HpaObject>(answer) : [])
    .filter(({ spec }) => spec.scaleTargetRef.kind === 'Deployment' && spec.scaleTargetRef.name === name)
    .flatMap((hpa) => hpaFindings(hpa, hpaFacts(hpa, { cluster, targets }, config)))
    .filter(({ verdict }) => verdict !== 'ok')
    .map((one) => `${findingText(one)}${one.mend === null ? '' : `; fix: ${one.mend}`}`);
};

const targetOf = ({ stored, decided }: Pick<Question, 'stored' | 'decided'>, key: string): number | null => {
  const target = (stored?.plan ?? decided).targets.find((one) => ownerKey(one) === key);
  return target === undefined || 'unavailable' in target.decision ? null : target.decision.replicas;
};

/** A plan of a `serve` that is gone says nothing of the present: what would be decided now is told in its place. */
const withLivePlan = (asked: Question, config: Pick<Config, 'intervalSeconds'>): Question =>
  asked.stored === null || isAlive(asked.stored.ageSeconds, config)
    ? asked
    : { ...asked, stored: null, lastStored: asked.stored.ageSeconds };

/** The same for programs. */
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
    model: said.models.find((one) => one.deployments.includes(key)) ?? null,
    planOfNow: decided.plan?.models.find(({ name }) => name === model?.name) ?? null,
    reasons,
  };
};

/** The plan of now, as far as it concerns this Deployment; nothing where its model is not planned for. */
const planLines = (
  key: string,
  target: Target | undefined,
  { decided: { snapshot, plan }, stored }: Question,
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

const indented = (lines: readonly string[]): readonly string[] => lines.map((line) => `  ${line}`);
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
  const settles = pace === null ? 0 : (wanted > replicas ? pace.up : pace.down).settleSeconds;
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
    ...when(seen?.outOfStock, outOfStockText(seen?.podsRefused ?? null)),
    ...(seen?.profileProblem ? [seen.profileProblem] : []),
    ...(seen?.beyondGrid ? [beyondGridText(seen.beyondGrid)] : []),
    ...when(seen?.notFollowed, notFollowedText(seen?.triedAgainAt ?? null)),
    ...when(seen?.withinTolerance, 'the difference is within the tolerance of its autoscaler, which leaves it'),
    ...when(deployment.problem !== null, deployment.problem ?? ''),
  ];
};

/** @param beyond what of the demand lies above the grid of a profile */
export const beyondGridText = ({ share, largest }: { readonly share: number; readonly largest: string }): string =>
  `${percent(Number(share.toPrecision(2)))} of the demand is larger than its profile measured (up to ${largest}), and extrapolated: long prompts may be undercharged there`;

const notFollowedText = (triedAgainAt: number | null): string => {
  const when = triedAgainAt === null ? '' : `; tried again at ${new Date(triedAgainAt * 1000).toISOString()}`;
  return `not followed: spec.replicas does not move toward the target, so the others are planned around it${when}, or as soon as its autoscaler changes`;
};

/**
 * What of the demand is for requests that wait beyond what is normal; nothing where none does. Who looks once foresees nothing, so that
 * what is planned beyond arrivals, headroom and strain is for those.
 */
const waitingText = ({ deployment, decided }: Question, { backlogSeconds }: Config): readonly string[] => {
  const report = decided.models.find(({ deployments }) => deployments.includes(deploymentKey(deployment)));
  const { histories } = decided.memory.believed;
  const seen = [deployment.model, ...deployment.aliases].flatMap((name) => histories.get(name)?.rate.level ?? []);
  if (report === undefined || report.arrivalRate === null || report.recordDefect !== null || seen.length === 0) return [];
  const arriving = seen.reduce((sum, rate) => sum + rate, 0);
  const waiting = report.arrivalRate - arriving * (1 + report.headroom) * report.strain;
  return waiting > 0.01 * report.arrivalRate
    ? [
        `of it ${rateText(waiting)} for requests that wait, to be worked off within ${backlogSeconds} s: ${rateText(arriving)} arrive`,
      ]
    : [];
};

const modelText = (report: ModelReport, waiting: readonly string[]): string => {
  const { name, state, reason, arrivalRate, headroom, forecast, strain, swapBlocked, cannotWake, recordDefect } = report;
  const planned = arrivalRate === null ? '' : `; ${rateText(arrivalRate)} planned for, ${percent(headroom)} of headroom included`;
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
  const wishes = stored.recent.get(key) ?? [];
  const wanted = wishes.at(-1)?.replicas ?? replicas - waiting;
  const planned = plan.replicas[key] ?? 0;
  const published = replicas - waiting;
  return [
    ...(planned === wanted
      ? []
      : [
          `the plan of now has ${planned}, the published one ${wanted}: demand has moved since that, or the other mix saves less than ${percent(switchSavings)} (--switch-savings), or has not saved for long enough what the change costs`,
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
const percent = (share: number): string => `${Number((100 * share).toPrecision(3))} %`;

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
