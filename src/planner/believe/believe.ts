import type { Bounds } from '../../cluster/bounds.ts';
import type { ModelDeployment } from '../../cluster/variant.ts';
import type { FoundProfile } from '../../profiles/profile-document.ts';
import { deploymentKey } from '../../vocabulary/deployment-key.ts';
import type { EngineSample } from '../../vocabulary/engine-sample.ts';
import type { DemandRow } from '../../vocabulary/planning-documents.ts';
import type { Decision } from '../../vocabulary/target.ts';
import { type Candidate, candidatesOf } from './candidates.ts';
import { type DemandNow, type DemandSettings, demandNow } from './demand.ts';
import type { DemandHistory } from './demand-history.ts';
import type { Forecast } from './forecast.ts';
import { type ModelGroup, modelGroups } from './model-groups.ts';
import type { Conclusion, StateSettings } from './model-states.ts';
import type { ProfileTrial } from './profile-trial.ts';
import type { Shape } from './rates-and-shapes.ts';
import { type RecordDefect, samplesSeen, type TrustedWorkload, trustedWorkload } from './record-defects.ts';
import { type RequestSizes, sizesAfter } from './request-sizes.ts';
import { type BehaviourSettings, behavioursNow, type DeploymentReading, type ScalingBehaviour } from './scaling-behaviour.ts';
import { longestStartup } from './startups.ts';
import { type StateReading, stateReader } from './state-evidence.ts';
import type { Strain } from './strain-from-backlog.ts';
import { profilesToPlanBy, profileVerdicts, trialsAfter } from './trusted-profiles.ts';
import { type WakingHistory, whileBusy, whileIdle } from './waking-ahead.ts';
import { type WokenDemand, wokenDemand } from './woken-demand.ts';

/** What was read of requests, engines, Deployments and profiles. */
export interface BelieveReading extends StateReading, DeploymentReading {
  readonly profiles: ReadonlyMap<string, FoundProfile>;
  readonly bounds: ReadonlyMap<string, Bounds>;
  /** Ready pods by Deployment. */
  readonly ready: ReadonlyMap<string, number>;
  /** Pods of the gateway; absent = one. */
  readonly gatewayReplicas?: number;
}

export interface BelieveSettings extends DemandSettings, StateSettings, BehaviourSettings {
  readonly trustSilence: boolean;
  readonly poolNamespaces: boolean;
  /** Whether an idle model is woken ahead of traffic that came at the same time on earlier days. */
  readonly wakeAhead: boolean;
  /** Price of one GPU by type (money/h). */
  readonly prices: Readonly<Record<string, number>>;
}

/** What is remembered of what was believed. */
export interface BelieveMemory {
  /** Sizes of requests, per name. */
  readonly sizes: ReadonlyMap<string, RequestSizes>;
  /** Arrival rates so far, by name. */
  readonly histories: ReadonlyMap<string, DemandHistory>;
  /** How each Deployment's pods and replicas behaved, by `namespace/name`. */
  readonly behaviours: ReadonlyMap<string, ScalingBehaviour>;
  /** What was learned of the engines, by name. */
  readonly strains: ReadonlyMap<string, Strain>;
  /** Which profile each Deployment is planned by, by `namespace/name`. */
  readonly trials: ReadonlyMap<string, ProfileTrial>;
  /** What its engines said of late, by model, oldest first. */
  readonly samples: ReadonlyMap<string, readonly EngineSample[]>;
  /** When those that were idle were woken, by name. */
  readonly wakings: ReadonlyMap<string, WakingHistory>;
}
export const nothingBelieved: BelieveMemory = {
  sizes: new Map(),
  histories: new Map(),
  behaviours: new Map(),
  strains: new Map(),
  trials: new Map(),
  samples: new Map(),
  wakings: new Map(),
};

/** What a tick knows when it believes. */
export interface BelieveTick {
  readonly reading: BelieveReading;
  readonly memory: {
    readonly believed: BelieveMemory;
    /** Of what each variant was last planned for, by `namespace/name` (replica-seconds). */
    readonly workPerRequest: ReadonlyMap<string, number>;
    /** The last decision, by `namespace/name`. */
    readonly moved: { readonly decisions: ReadonlyMap<string, Decision> };
  };
  readonly settings: BelieveSettings;
}

/** What is believed of one model. */
export interface Belief extends ModelGroup {
  readonly conclusion: Conclusion;
  /** End of the newest record (Unix s); null = there never was one. */
  readonly dataAt: number | null;
  /** Why what its gateway counts is not believed; null = it is. */
  readonly recordDefect: RecordDefect | null;
  /** The Deployments that can take part in a plan; and of each other one, why it cannot. */
  readonly candidates: readonly Candidate[];
  readonly excluded: ReadonlyMap<string, string>;
  /** What to plan for; null = there is no plan to make. */
  readonly demand: readonly DemandRow[] | null;
  /** What it was foreseen by; null = it is as it is now. */
  readonly forecast: Forecast | null;
  /** Extra demand in it, and what noise may bring; 0.1 = 10 %. */
  readonly headroom: number;
  readonly noise: number;
  /** Its arrival rates so far, what was learned of its engines, and when it was woken, by name. */
  readonly histories: ReadonlyMap<string, DemandHistory>;
  readonly strains: ReadonlyMap<string, Strain>;
  readonly wakings: ReadonlyMap<string, WakingHistory>;
  /** How its Deployments behave, and why the newest profile of one is not followed, by `namespace/name`. */
  readonly behaviours: ReadonlyMap<string, ScalingBehaviour>;
  readonly profileProblems: ReadonlyMap<string, string>;
}

export interface Beliefs {
  readonly models: readonly Belief[];
  readonly memory: BelieveMemory;
  /** Deployments of models whose records alone do not tell enough: their engines are to be asked. */
  readonly enginesToAsk: readonly string[];
}

/**
 * The first stage of a tick: what was read, as far as it is to be believed. Records of writers that miscount are mended, profiles
 * that cannot be true are left aside; of each model it is concluded in which state it is, what its Deployments can do, and which
 * demand to plan for.
 */
export const believe = (tick: BelieveTick): Beliefs => {
  const { memory, settings } = tick;
  const { decisions } = memory.moved;
  const trustedTick = trustedReading(tick);
  const { reading, sizes, shapes } = trustedTick;
  const behaviours = behavioursNow(reading, decisions, memory.believed.behaviours, settings);
  const facts = { reading, decisions, memory: { ...memory.believed, sizes, behaviours, shapes }, settings };
  const stateOf = stateReader(reading, decisions, settings);
  const models = modelGroups(reading.deployments, reading.ready, settings.poolNamespaces).map((group) =>
    beliefIn(group, stateOf, facts),
  );
  return {
    models,
    enginesToAsk: enginesToAskOf(models, reading.gatewayReplicas ?? 1),
    memory: believedAfter(facts, trustedTick, models),
  };
};

/** What was read, without what cannot be true, and what was learned in telling the two apart. */
const trustedReading = ({ reading, memory: { believed, workPerRequest }, settings }: BelieveTick) => {
  const samples = samplesSeen(reading, believed.samples);
  const workload = reading.workload && trustedWorkload(reading.workload, reading.deployments.values(), samples);
  const sizes = allSizesAfter(believed.sizes, workload, settings.shapeWindowSeconds);
  const shapes = new Map([...sizes].map(([name, { shape }]) => [name, shape]));
  const verdicts = profileVerdicts(reading, believed.trials, shapes, workPerRequest);
  return { reading: { ...reading, workload, ...profilesToPlanBy(reading, verdicts) }, sizes, shapes, samples, verdicts };
};

/** A name of which no request has ended of late keeps its last sizes. */
const allSizesAfter = (
  before: BelieveMemory['sizes'],
  workload: TrustedWorkload | null,
  windowSeconds: number,
): BelieveMemory['sizes'] => {
  const newest = [...(workload?.names ?? [])].flatMap(([name, { intervals }]): [string, RequestSizes][] => {
    const sizes = sizesAfter(before.get(name), intervals, windowSeconds);
    return sizes === undefined ? [] : [[name, sizes]];
  });
  return new Map([...before, ...newest]);
};

/** Of names that nothing is called by any more nothing is remembered. */
const believedAfter = (
  { reading: { workload, deployments }, memory, settings }: Facts,
  { samples, verdicts }: Pick<ReturnType<typeof trustedReading>, 'samples' | 'verdicts'>,
  models: readonly Belief[],
): BelieveMemory => {
  const stillCalled = <Value>(...maps: readonly ReadonlyMap<string, Value>[]) =>
    new Map(maps.flatMap((map) => [...map].filter(([name]) => workload?.names.has(name) ?? true)));
  return {
    sizes: stillCalled(memory.sizes),
    histories: stillCalled(memory.histories, ...models.map(({ histories }) => histories)),
    behaviours: memory.behaviours,
    strains: stillCalled(memory.strains, ...models.map(({ strains }) => strains)),
    trials: trialsAfter(memory.trials, verdicts, deployments),
    samples,
    wakings: settings.wakeAhead ? stillCalled(memory.wakings, ...models.map(({ wakings }) => wakings)) : new Map(),
  };
};

/** Several gateways overwrite each other's records, so that those of no model tell enough. */
const enginesToAskOf = (models: readonly Belief[], gatewayReplicas: number): readonly string[] =>
  models
    .filter(({ conclusion, recordDefect }) => gatewayReplicas > 1 || conclusion.state !== 'fresh' || recordDefect !== null)
    .flatMap(({ deployments }) => deployments.map(deploymentKey));

/** What each model's belief is made from. */
interface Facts {
  readonly reading: ReturnType<typeof trustedReading>['reading'];
  readonly decisions: ReadonlyMap<string, Decision>;
  /** With the sizes and behaviours of now, and the shapes to plan by. */
  readonly memory: BelieveMemory & { readonly shapes: ReadonlyMap<string, Shape> };
  readonly settings: BelieveSettings;
}

const beliefIn = (group: ModelGroup, stateOf: ReturnType<typeof stateReader>, facts: Facts): Belief => {
  const { reading, memory, settings } = facts;
  const { candidates, excluded } = candidatesOf(group.deployments, { ...reading, prices: settings.prices });
  const { conclusion, dataAt } = stateOf(group, candidates);
  const demandSettings = demandSettingsOf(group, candidates, facts);
  const { demand, waitReason, rates, ...seen } =
    conclusion.state === 'fresh' ? demandIn(group, candidates, conclusion, demandSettings, facts) : noDemand;
  const wakings = settings.wakeAhead ? wakingsOf(group, conclusion.state, rates, facts) : new Map<string, WakingHistory>();
  const woken =
    conclusion.state === 'idle' ? wokenDemand({ ...group, ...memory, wakings, candidates }, reading.now, demandSettings) : null;
  const plannable = candidates.length === 0 ? null : (woken?.demand ?? demand);
  return {
    ...group,
    ...seen,
    ...(woken === null ? {} : { forecast: woken.forecast, headroom: woken.headroom, noise: woken.noise }),
    wakings,
    conclusion: givenDemand(conclusion, waitReason, plannable === null ? null : woken),
    dataAt,
    recordDefect: group.aliases.flatMap((name) => reading.workload?.names.get(name)?.defect ?? [])[0] ?? null,
    candidates,
    excluded,
    demand: plannable,
    behaviours: memory.behaviours,
    profileProblems: reading.profileProblems,
  };
};

/** What its Deployments ask for, the most where they differ; else the setting. */
const attainmentOf = (deployments: readonly ModelDeployment[], otherwise: number | null): number | null => {
  const asked = deployments.flatMap(({ attainment }) => attainment ?? []);
  return asked.length === 0 ? otherwise : Math.max(...asked);
};

/** Where demand must wait the model is quiet; one that is woken ahead is idle still. */
const givenDemand = (conclusion: Conclusion, wait: string | null, woken: WokenDemand | null): Conclusion => {
  if (wait !== null) return { ...conclusion, state: 'quiet', reason: wait };
  return woken === null ? conclusion : { ...conclusion, reason: `${conclusion.reason}; ${woken.reason}` };
};

/** When the model was woken, with what is known now: in other states than these two nobody knows. */
const wakingsOf = (
  { aliases }: ModelGroup,
  state: Conclusion['state'],
  rates: DemandNow['rates'],
  { reading, memory }: Facts,
): ReadonlyMap<string, WakingHistory> =>
  new Map(
    aliases.flatMap((name): [string, WakingHistory][] => {
      const history = memory.wakings.get(name);
      const idle = state === 'idle' && reading.workload?.names.has(name) === true;
      const now = idle
        ? whileIdle(history, reading.now)
        : whileBusy(history, reading.now, { rate: rates.get(name) ?? 0, shape: memory.shapes.get(name) });
      return now === undefined ? [] : [[name, now]];
    }),
  );

const noDemand: DemandNow = {
  demand: null,
  waitReason: null,
  rates: new Map(),
  histories: new Map(),
  strains: new Map(),
  forecast: null,
  headroom: 0,
  noise: 0,
};

/** As learned of its pods, and as its Deployments ask for. */
const demandSettingsOf = (
  { deployments }: ModelGroup,
  candidates: readonly Candidate[],
  { memory, settings }: Facts,
): DemandSettings => {
  const startups = candidates.flatMap(({ key }) => memory.behaviours.get(key)?.startups ?? []);
  return {
    ...settings,
    startupSeconds: longestStartup(startups, settings.startupSeconds),
    attainment: attainmentOf(deployments, settings.attainment),
  };
};

const demandIn = (
  group: ModelGroup,
  candidates: readonly Candidate[],
  { silentUntil }: Conclusion,
  settings: DemandSettings,
  { reading: { workload, pods }, decisions, memory }: Facts,
): DemandNow => {
  const decidedBefore = group.deployments.some((deployment) => decisions.has(deploymentKey(deployment)));
  return demandNow({ ...group, ...memory, workload, decisions, candidates, silentUntil, decidedBefore, pods }, settings);
};
