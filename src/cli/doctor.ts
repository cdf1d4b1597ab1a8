import { selectedPods } from '../cluster/gateway-pods.ts';
import { metricsUrl } from '../cluster/pods.ts';
import type { ModelDeployment } from '../cluster/variant.ts';
import { type Config, settings } from '../config/serve-config.ts';
import { type Environment, flagsOfTable, settingOptions } from '../config/settings.ts';
import { deploymentKey, ownerKey } from '../vocabulary/deployment-key.ts';
import { GpumixError, messageOf } from '../vocabulary/errors.ts';
import { lookAtRedis, type RedisKeys } from '../workload/redis-look.ts';
import { findingsOfKubernetes, kubernetesAnswers, ourApiServices } from './autoscaling-chain.ts';
import { askForCertificate, certificateFindings } from './certificate-findings.ts';
import { clockFindings } from './clock-findings.ts';
import type { Command } from './command.ts';
import { askEngine, engineFindings } from './engine-findings.ts';
import { type Finding, findingLines, note, ok, sorted, wrong } from './finding.ts';
import type { FindingId } from './finding-kinds.ts';
import { askForReach, reachFindings } from './gateway-reach.ts';
import { askForGateway, tracingFindings } from './gateway-tracing.ts';
import { askedInPeace, itemsOf, type KubernetesAnswer, succeeded } from './kubernetes-answer.ts';
import { type ClusterLook, configBesideServe, isAlive, lastPlan, lookOnce } from './one-look.ts';
import { beyondGridText } from './plan-texts.ts';
import { type PodStatus, podFindings } from './pod-findings.ts';
import { problemFinding } from './problem-findings.ts';
import { profileFindings } from './profile-findings.ts';
import { keysFinding, profileFinding, recordFindings, redisFindings } from './redis-findings.ts';
import { askForServeRights, serveRightFindings } from './serve-rights.ts';

const ownOptions: Command['options'] = {
  verbose: { type: 'boolean', short: 'v', help: 'also list each check that passes', group: 'output' },
  json: { type: 'boolean', help: 'print one document and nothing else', group: 'output' },
};

export const doctorCommand: Command = {
  options: { ...ownOptions, ...settingOptions(settings) },
  examples: ['gpumix doctor', 'gpumix doctor --kubeconfig ~/.kube/config --redis-url redis://localhost:6379'],
  run: async (argv, io, environment) => {
    const { flags, own } = flagsOfTable(settings, ownOptions, argv, 0);
    const { findings, blind } = await examined(configBesideServe(flags, environment), isInPod(environment));
    if (own['json'] === true) io.stdout(`${JSON.stringify({ findings: sorted(findings) })}\n`);
    else io.stdout(`${findingLines(findings, own['verbose'] === true).join('\n')}\n`);
    if (blind) return 2;
    return findings.some(({ verdict }) => verdict === 'wrong') ? 1 : 0;
  },
};

interface Examined {
  readonly findings: readonly Finding[];
  /** Whether it was not told of a cluster to look at: that is no answer about the fleet. */
  readonly blind: boolean;
}

/** Kubernetes sets it in each container. */
const isInPod = (environment: Environment): boolean => environment['KUBERNETES_SERVICE_HOST'] !== undefined;

const examined = async (config: Config, inPod: boolean): Promise<Examined> => {
  try {
    return { findings: await lookOnce(config, (look) => findingsOf(look, config, inPod)), blind: false };
  } catch (error) {
    if (!(error instanceof GpumixError) || !isOfKubernetes(error)) throw error;
    const id = error.code === 'FORBIDDEN' ? 'right-missing' : 'kubernetes-away';
    const findings = [wrong(id, 'Kubernetes', `cannot be read: ${messageOf(error)}`), ...(await findingsOfRedis(config))];
    return { findings, blind: error.code === 'BAD_SETTING' };
  }
};

const isOfKubernetes = ({ code, message }: GpumixError): boolean =>
  code === 'KUBERNETES_UNAVAILABLE' ||
  code === 'FORBIDDEN' ||
  (code === 'BAD_SETTING' && /^kubeconfig |^no Kubernetes /.test(message));

/** What can be said without a cluster. */
const findingsOfRedis = async (config: Config): Promise<readonly Finding[]> => {
  const redis = await lookAtRedis(config, true);
  if (redis.problem !== null) return redisFindings(redis);
  const stored = await lastPlan(config);
  const clocks = clockFindings(redis, null);
  return [...redisFindings(redis), ...clocks, ...keysFinding(redis), leaderFinding(stored?.ageSeconds ?? null, config)];
};

const findingsOf = async (look: ClusterLook, config: Config, inPod: boolean): Promise<readonly Finding[]> => {
  const kubernetes = askedInPeace(look.kubernetes);
  const deployments = [...look.cluster.deployments.values()];
  const facts = { ...look, deployments };
  const lacking = lacks(facts, config);
  const [redis, answers, pods, rights, gateway, reach, engines] = await Promise.all([
    lookAtRedis(config, lacking, newestRecords(look)),
    kubernetesAnswers(kubernetes, look.cluster.deployments),
    failingPods({ ...look, kubernetes }),
    askForServeRights(kubernetes, config),
    lacking ? askForGateway(kubernetes, config.gatewaySelector) : null,
    askForReach(kubernetes, look.cluster.objects),
    askedEngines(look, config),
  ]);
  const ours = ourApiServices(answers.apiServices, config);
  const certificate = await askForCertificate(kubernetes, config, ours[0]?.namespace ?? null);
  const ofRedis = [
    ...redisFindings(redis),
    ...clockFindings(
      redis,
      aheadOfHere(answers.version),
      [...redis.recordsAhead].map(([model, ahead]) => ({ model, ahead, nodes: gatewayNodes(look, config) })),
    ),
    ...(lacking ? keysFinding(redis) : []),
  ];
  // What is known of Redis by its name need not be told again as what serve warns of.
  const toldOfRedis = new Set(ofRedis.filter(({ verdict }) => verdict !== 'ok').map(({ id }) => id));
  const isUnknown = ({ id }: Finding): boolean => redis.problem !== null && id !== null && isReadFromRedis(id);
  return [
    ...ofRedis,
    ...(gateway === null ? [] : tracingFindings(gateway)),
    ...findingsOfLook({ ...facts, keys: redis.keys }, config).filter(
      (finding) => (finding.object !== '' || !toldOfRedis.has(finding.id)) && !isUnknown(finding),
    ),
    ...podFindings(pods),
    ...reachFindings(reach, look.cluster.objects, config.engineMetricsPort),
    ...engineFindings(engines, inPod),
    ...serveRightFindings(rights),
    ...certificateFindings(certificate, ours, Date.now()),
    ...findingsOfKubernetes(answers, { ...look, targets: targetsOf(look, config) }, config),
  ];
};

/** Where pods of AIBrix's gateway run. */
const gatewayNodes = ({ cluster }: Pick<ClusterLook, 'cluster'>, { gatewaySelector }: Pick<Config, 'gatewaySelector'>) =>
  [...new Set(selectedPods(cluster.objects.pods, gatewaySelector)().flatMap(({ node }) => node ?? []))].sort();

/** What is not there says nothing while Redis is away, where it would be. */
const isReadFromRedis = (id: FindingId): boolean => ['no-leader', 'no-profile', 'no-records', 'stale-records'].includes(id);

/** How far the clock of the API server is ahead of ours (s), which it tells in whole seconds; null = it does not say. */
const aheadOfHere = ({ date }: KubernetesAnswer): number | null =>
  date === undefined ? null : Date.parse(date) / 1000 + 0.5 - Date.now() / 1000;

const newestRecords = ({ decided }: Pick<ClusterLook, 'decided'>) =>
  decided.models.flatMap(({ name, dataAt }) => (dataAt === null ? [] : [{ model: name, at: dataAt }]));

/** Of each Deployment one engine is asked, of so many Deployments, for so long (ms). */
const [mostEngines, enginePatience] = [20, 2000];

const askedEngines = async ({ cluster }: Pick<ClusterLook, 'cluster'>, { engineMetricsPort: port }: Config) => {
  if (port === null) return [];
  const first = new Map<string, string>();
  for (const pod of cluster.pods.values())
    if (pod.ready && pod.ip !== null && cluster.deployments.has(ownerKey(pod)) && !first.has(ownerKey(pod)))
      first.set(ownerKey(pod), metricsUrl(pod, port));
  return await Promise.all(
    [...first]
      .slice(0, mostEngines)
      .map(async ([deployment, url]) => ({ deployment, url, answer: await askEngine(url, enginePatience) })),
  );
};

/** Whether something is not there that may be there under another name. */
const lacks = (look: ClusterFacts, config: Pick<Config, 'intervalSeconds'>): boolean =>
  look.deployments.some((deployment) => !look.profiles.found.has(deploymentKey(deployment))) ||
  modelsOf(look, config).some(({ state }) => state === 'missing' || state === 'stale');

const modelsOf = ({ stored, decided }: Pick<ClusterLook, 'stored' | 'decided'>, config: Pick<Config, 'intervalSeconds'>) =>
  stored !== null && isAlive(stored.ageSeconds, config) ? stored.plan.models : decided.models;

/** The target of each Deployment, where it has one. */
const targetsOf = ({ stored, decided }: ClusterLook, config: Config): ReadonlyMap<string, number> => {
  const { targets } = stored !== null && isAlive(stored.ageSeconds, config) ? stored.plan : decided;
  return new Map(
    targets.flatMap((target) => ('replicas' in target.decision ? [[ownerKey(target), target.decision.replicas] as const] : [])),
  );
};

/** Deployments of which a pod is looked at that is not Ready. */
const mostLookedAt = 20;

/** Of each Deployment the first pod that is not Ready, as Kubernetes tells of it. */
const failingPods = async ({ cluster, kubernetes }: Pick<ClusterLook, 'cluster' | 'kubernetes'>) => {
  const first = new Map<string, string>();
  for (const [name, pod] of cluster.pods)
    if (!pod.ready && pod.deployment !== '' && cluster.deployments.has(ownerKey(pod)) && !first.has(ownerKey(pod)))
      first.set(ownerKey(pod), name);
  const asked = [...first].slice(0, mostLookedAt).map(async ([deployment, key]) => {
    const [namespace, name = ''] = key.split('/');
    const path = `/api/v1/namespaces/${namespace}/pods?fieldSelector=metadata.name%3D${encodeURIComponent(name)}`;
    const answer = await kubernetes('GET', path);
    return succeeded(answer) ? itemsOf<PodStatus>(answer).map((pod) => ({ deployment, pod })) : [];
  });
  return (await Promise.all(asked)).flat();
};

/** What gpumix itself sees: Deployments, profiles, the state of each model, a leader that plans, and what it warns of. */
export const findingsOfLook = (
  look: ClusterFacts,
  config: Pick<Config, 'planPrefix' | 'intervalSeconds'>,
): readonly Finding[] => {
  const { deployments, profiles, stored, problems, notes, keys = null } = look;
  if (deployments.length === 0)
    return [wrong('no-deployment', '', 'no Deployment has the label model.aibrix.ai/name: nothing is planned for')];
  const without = deployments.filter((deployment) => !profiles.found.has(deploymentKey(deployment)));
  const models = modelsOf(look, config);
  return [
    ok('Kubernetes', `is read: Deployments that carry a model: ${deployments.length}`),
    leaderFinding(stored?.ageSeconds ?? null, config),
    ...models.flatMap(({ name, state, reason, deployments: theirs }) => {
      if (state === 'stale' || state === 'missing') return [recordFindings(name, state, reason, keys)];
      // One that nothing can be planned for is not well, and its Deployments say why.
      return theirs.some((key) => profiles.found.has(key)) ? [ok(`model ${name}`, `is ${state}: ${reason}`)] : [];
    }),
    ...(without.length === 0 ? [ok('', 'each Deployment has a profile')] : []),
    ...without.map((deployment) => profileFinding({ deployment: deploymentKey(deployment), model: deployment.model }, keys)),
    ...profileFindings(profiles.found),
    ...problems.map(problemFinding),
    ...notes.map((text) => note('approximation', '', text)),
    ...models.flatMap(({ variants }) =>
      variants.flatMap(({ deployment, beyondGrid }) =>
        beyondGrid ? [note('extrapolated', deployment, beyondGridText(beyondGrid))] : [],
      ),
    ),
    ...deployments.flatMap((deployment) => byHand(deployment, Date.now() / 1000)),
  ];
};
export interface ClusterFacts extends Pick<ClusterLook, 'profiles' | 'decided' | 'stored' | 'problems' | 'notes'> {
  readonly deployments: readonly ModelDeployment[];
  /** What is in Redis by name; null or absent = not looked for. */
  readonly keys?: RedisKeys | null;
}

/** What somebody has fixed by hand, and may have forgotten. */
const byHand = (deployment: ModelDeployment, now: number): readonly Finding[] => {
  const { namespace, name, paused, pin, replicas } = deployment;
  const mend = (annotation: string): string => `kubectl annotate deployment ${name} -n ${namespace} ${annotation}-`;
  const it = `Deployment ${deploymentKey(deployment)}`;
  if (paused) return [note('paused', it, `is paused at ${replicas} by gpumix.io/paused`, mend('gpumix.io/paused'))];
  if (pin === null) return [];
  const until = pin.until === null ? '' : ` until ${new Date(pin.until * 1000).toISOString()}`;
  const seen =
    pin.until !== null && pin.until <= now
      ? `was pinned to ${pin.replicas}${until}, which is over`
      : `is pinned to ${pin.replicas}${until}`;
  return [note('pinned', it, seen, mend('gpumix.io/pin'))];
};

const leaderFinding = (age: number | null, config: Pick<Config, 'planPrefix' | 'intervalSeconds'>): Finding => {
  if (age === null) return wrong('no-leader', 'serve', `has stored no plan in this Redis under ${config.planPrefix}plans`);
  const seen = `planned ${Math.round(age)} s ago`;
  return isAlive(age, config) ? ok('serve', seen) : wrong('no-leader', 'serve', `${seen}, and no more since`);
};
