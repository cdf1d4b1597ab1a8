import { setTimeout as sleep } from 'node:timers/promises';
import { readMetrics } from '../cluster/engine-poll.ts';
import { sampleEngines } from '../cluster/engine-samples.ts';
import { objectKey } from '../cluster/kubernetes-object.ts';
import type { DeploymentPod } from '../cluster/pods.ts';
import type { ModelDeployment } from '../cluster/variant.ts';
import type { Config } from '../config/serve-config.ts';
import type { Environment } from '../config/settings.ts';
import { driftsOf } from '../planner/profile-drift-watch.ts';
import { type Drift, disagrees } from '../profiles/drift.ts';
import type { FoundProfile, Profiles } from '../profiles/profile-document.ts';
import { isExtrapolated } from '../profiles/throughput.ts';
import { type DemandRow, totalRate } from '../vocabulary/planning-documents.ts';
import type { CommandStreams } from './command.ts';
import { configBesideServe, lookOnce } from './one-look.ts';
import { type Progress, progressOn } from './progress.ts';

/** What is there, as of one look. */
export interface CheckedProfiles {
  readonly deployments: readonly ModelDeployment[];
  readonly profiles: Profiles;
  /** By model; of a model without fresh demand there is none. */
  readonly demand: ReadonlyMap<string, readonly DemandRow[]>;
  readonly drifts: ReadonlyMap<string, Drift>;
}

/**
 * What the fleet has for profiles, which sizes of its demand they do not have, and which of them disagree with what engines
 * serve.
 * @param flags of serve
 * @param watching how long engines are watched (s), 0 = they are not asked; and whether the answer is for programs
 * @returns 1 where a Deployment has no profile, or one that disagrees
 */
export const checkProfiles = async (
  flags: readonly string[],
  { watchSeconds, json }: { readonly watchSeconds: number; readonly json: boolean },
  io: CommandStreams,
  environment: Environment,
): Promise<number> => {
  const progress = progressOn(io);
  const fleet = await readProfiles(configBesideServe(flags, environment), watchSeconds, progress);
  progress.end();
  const { lines, wrong } = checkLines(fleet);
  io.stdout(json ? `${JSON.stringify(checkDocument(fleet))}\n` : `${lines.join('\n')}\n`);
  return wrong ? 1 : 0;
};

/** One line for each Deployment, further ones for what is to be said of it. */
export const checkLines = (fleet: CheckedProfiles): { readonly lines: readonly string[]; readonly wrong: boolean } => {
  let wrong = false;
  const lines = fleet.deployments.flatMap((deployment) => {
    const key = objectKey(deployment);
    const found = fleet.profiles.found.get(key);
    if (found === undefined) {
      wrong = true;
      return [`${key}: no profile of ${deployment.model} for it: gpumix benchmark, then gpumix profile`];
    }
    const drift = fleet.drifts.get(key);
    wrong ||= drift !== undefined && disagrees(drift);
    return [
      `${key}: ${profileText(found)}`,
      ...extrapolatedText(found, fleet.demand.get(deployment.model)),
      `  ${drift === undefined ? 'engines: too little was heard to compare it with' : driftText(drift)}`,
    ];
  });
  if (lines.length === 0) lines.push('no Deployment carries a model');
  return { lines: [...lines, ...fleet.profiles.problems], wrong };
};

/** What the fleet has for profiles, for programs. */
export const checkDocument = ({ deployments, profiles, demand, drifts }: CheckedProfiles) => ({
  deployments: deployments.map((deployment) => {
    const key = objectKey(deployment);
    const found = profiles.found.get(key);
    const drift = drifts.get(key);
    const rows = demand.get(deployment.model);
    return {
      deployment: key,
      model: deployment.model,
      source: found?.source ?? null,
      digest: found?.digest ?? null,
      /** null = no fresh demand, or no profile. */
      extrapolatedShare: rows === undefined || found === undefined ? null : extrapolatedShare(found, rows),
      /** null = too little was heard. */
      drift: drift === undefined ? null : { ...drift, disagrees: disagrees(drift) },
    };
  }),
  problems: profiles.problems,
});

const extrapolatedShare = ({ profile }: FoundProfile, demand: readonly DemandRow[]): number => {
  const outside = demand.filter(({ inputTokens, outputTokens }) => isExtrapolated(profile, inputTokens, outputTokens));
  return totalRate(demand) === 0 ? 0 : totalRate(outside) / totalRate(demand);
};

const profileText = ({ profile, source }: FoundProfile): string => {
  const { inputTokens, outputTokens, gpu, created, slo } = profile;
  const grid = `${inputTokens[0]} to ${inputTokens.at(-1)} tokens in, ${outputTokens[0]} to ${outputTokens.at(-1)} out`;
  const { percentile = 0, ...limits } = slo ?? {};
  const within = Object.entries(limits).map(([name, limit]) => `${name} ${limit}`);
  return [
    source,
    ...(gpu === null ? [] : [gpu]),
    grid,
    within.length === 0 ? 'no SLO' : `${within.join(', ')} at p${percentile}`,
    ...(created === null ? [] : [`of ${new Date(created * 1000).toISOString().slice(0, 10)}`]),
  ].join('; ');
};

/** Sizes that are named at most. */
const named = 5;

const extrapolatedText = ({ profile }: FoundProfile, demand: readonly DemandRow[] | undefined): readonly string[] => {
  if (demand === undefined) return ['  demand: none that is fresh'];
  const total = totalRate(demand);
  const outside = demand
    .filter(({ inputTokens, outputTokens }) => isExtrapolated(profile, inputTokens, outputTokens))
    .sort((a, b) => b.arrivalRate - a.arrivalRate);
  if (outside.length === 0 || total === 0) return ['  demand: all of it within the grid'];
  const share = totalRate(outside) / total;
  const sizes = outside
    .slice(0, named)
    .map(({ inputTokens, outputTokens }) => `${Math.round(inputTokens)} in ${Math.round(outputTokens)} out`);
  const more = outside.length > named ? ` and ${outside.length - named} more` : '';
  return [`  demand: ${percent(share)} of it extrapolated: ${sizes.join(', ')}${more}`];
};

const driftText = (drift: Drift): string => {
  const { ratio, servedRate, profiledRate, missedShare } = drift;
  const rates = `${servedRate.toFixed(2)} req/s a replica, by the profile ${profiledRate.toFixed(2)}`;
  const missed = missedShare === null ? 'no limit that they count' : `${percent(missedShare)} beyond the SLO`;
  return `engines: ${disagrees(drift) ? 'DISAGREE' : 'agree'}, drift ${ratio.toFixed(2)} (${rates}, ${missed})`;
};

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

const readProfiles = (config: Config, watchSeconds: number, progress: Progress): Promise<CheckedProfiles> =>
  lookOnce(config, async ({ cluster, profiles, decided: { snapshot } }) => ({
    deployments: [...cluster.deployments.values()],
    profiles,
    demand: new Map((snapshot?.models ?? []).map((model) => [model.name, model.demand])),
    drifts: await watchedDrifts(cluster.pods, profiles, config.engineMetricsPort, watchSeconds, progress),
  }));

const watchedDrifts = async (
  pods: ReadonlyMap<string, DeploymentPod>,
  { found }: Profiles,
  port: number | null,
  watchSeconds: number,
  progress: Progress,
): Promise<ReadonlyMap<string, Drift>> => {
  if (port === null || watchSeconds === 0) return new Map();
  const samples = sampleEngines({ port, timeoutSeconds: 2, windowSeconds: 0 }, readMetrics);
  const clock = () => performance.now() / 1000;
  const all = [...pods.values()];
  samples.observe(all, clock);
  const began = clock();
  const watched = (): number => (clock() - began) / watchSeconds;
  const timer = setInterval(() => progress.tell('engines are watched', Math.min(1, watched())), 1000);
  await sleep(watchSeconds * 1000);
  clearInterval(timer);
  samples.observe(all, clock);
  await sleep(longestAnswer);
  return driftsOf(samples, all, found, 0);
};

/** After this time (ms) engines have answered or will not. */
const longestAnswer = 5000;
