import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { autoscaler } from '../../../test/e2e/autoscaler.ts';
import { gpuNode } from '../../cluster/control-plane.ts';
import { waitUntil } from '../../cluster/processes.ts';
import { startGateway } from '../../gateway/processes.ts';
import { startEnginePods, statusByHand } from '../engine-pods.ts';
import type { Judged } from '../judged.ts';
import { type Client, inTurn, ramp, type Sent, sendRequests, steady } from '../requests.ts';
import { engineDeployment, type Serve, type Stack, specReplicas, targets } from '../stack.ts';
import { aibrixBinaries, type Version } from './binaries.ts';
import { installAibrix } from './controller.ts';
import { askerNames, type Moment, type Part, type Planned, partVerdicts } from './demand-verdicts.ts';
import { startAibrixGateway } from './gateway.ts';

const model = 'chat';
const namespace = 'peers-b';
const products: Readonly<Record<string, string>> = { l40s: 'NVIDIA-L40S', h100: 'NVIDIA-H100-80GB-HBM3' };
/** At the beginning. An HPA leaves a Deployment alone that somebody else set to 0. */
const firstReplicas: Readonly<Record<string, number>> = { l40s: 2, h100: 1 };

/** Records come each 10 s, as AIBrix writes them; the windows hold three of them, so that a run takes minutes. */
const [windowSeconds, headroom] = [30, 0.1];
const flags = (snapshots: string): readonly string[] => [
  ...['--external-metrics', `--window-seconds=${windowSeconds}`, '--shape-window-seconds=60', `--headroom=${headroom}`],
  ...['--hold-down-seconds=20', '--idle-after-seconds=60', '--startup-seconds=5', '--follow-after-seconds=100000'],
  '--backlog-seconds=30',
  `--snapshots=${snapshots}`,
];

/** Where requests go: AIBrix's gateway of a release, or `gpumix gateway`. */
export interface Writer {
  readonly version: Version | 'gpumix';
  readonly replicas: number;
}
export const nameOf = ({ version, replicas }: Writer): string =>
  `${version === 'gpumix' ? 'gpumix gateway' : `AIBrix ${version}`}${replicas > 1 ? `, ${replicas} replicas` : ''}`;

interface Played extends Omit<Part, 'from' | 'to'> {
  readonly pace: ReturnType<typeof steady>;
  readonly seconds: number;
  /** Whether the fleet is ample for every part of the traffic, so that no queue is planned for beside what arrives. */
  readonly ample: boolean;
}

/** How long a rate takes to become the next one, and how long no more than that rate is in the records and in the engines (s). */
const [rise, settleSeconds] = [5, 60];
/** Three windows are looked at. */
const steadySeconds = settleSeconds + 3 * windowSeconds;
const steadyPart = (rate: number, before: number, learnSeconds = 0): Played => ({
  learnSeconds,
  name: `steady ${rate}/s`,
  kind: 'steady',
  settleSeconds,
  ample: true,
  pace: inTurn({ pace: ramp(before, rate, rise), seconds: rise }, { pace: steady(rate, steadySeconds), seconds: steadySeconds }),
  seconds: rise + steadySeconds,
});
/** The ramp's first rate lasts until the fleet has shrunk to what it needs: longer requests then would be taken for delay (s). */
const firstSeconds = 90;
/** Steep, but the fleet can follow: in one that cannot, a queue grows, and what ends is only what the fleet can do. */
const rampPart: Played = {
  name: 'ramp 10 to 30/s',
  kind: 'ramp',
  learnSeconds: 0,
  settleSeconds: firstSeconds,
  ample: false,
  pace: inTurn({ pace: steady(10, firstSeconds), seconds: firstSeconds }, { pace: ramp(10, 30, 200), seconds: 200 }),
  seconds: firstSeconds + 200,
};
/** Replicas of each Deployment that serve the fastest part without a queue. */
const ampleReplicas = 5;

/** The whole of it for one replica; with more, what they destroy of each other's records is the question. */
const batchesOf = ({ replicas }: Writer): readonly Played[] =>
  replicas > 1 ? [steadyPart(10, 2, 10)] : [rampPart, steadyPart(2, 2), steadyPart(10, 2), steadyPart(50, 10)];
/** How long the last answers may take (s): a fleet that was far too small has a long queue. */
const patienceSeconds = 60;
/** After the last request (s): until idle, or given up. */
const endSeconds = 150;

/** B: what gpumix plans from a gateway's records, beside what was really sent through it. */
export const runGateway = async (stack: Stack, writer: Writer): Promise<Judged> => {
  const say = (what: string) => console.error(`B ${nameOf(writer)}: ${what}`);
  const binaries = aibrixBinaries(writer.version === 'gpumix' ? 'v0.7.0' : writer.version);
  await installAibrix(stack, binaries);
  stack.profilesFor(model);
  const deployments = Object.keys(products).map((gpu) => `${model}-${gpu}`);
  const endpoints = join(stack.folder, 'endpoints.json');
  const writeEndpoints = () => {
    const variants = [...(pods?.origins() ?? [])].map(([deployment, origins]) => [`${namespace}/${deployment}`, origins]);
    writeFileSync(endpoints, JSON.stringify({ [model]: Object.fromEntries(variants) }));
  };
  let pods: Awaited<ReturnType<typeof startEnginePods>> | null = null;
  writeEndpoints();
  const gpuOf = (deployment: string) => (deployment.endsWith('h100') ? 'H100' : 'L40S');
  await stack.apply(
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    ...Object.entries(products).map(([gpu, product]) => gpuNode(`peers-b-${gpu}`, product, 64)),
    gpuNode('peers-b-gateways', 'none', 64),
  );
  pods = stack.keep(await startEnginePods(stack, namespace, gpuOf, writeEndpoints));
  const labels = { 'model.aibrix.ai/port': String(pods.port), 'model.aibrix.ai/engine': 'vllm' };
  await stack.apply(
    ...Object.entries(products).map(([gpu, product]) =>
      engineDeployment(namespace, `${model}-${gpu}`, model, product, firstReplicas[gpu] ?? 0, labels, {}, statusByHand),
    ),
    gatewayDeployment(writer, binaries.version),
  );
  const first = Object.values(firstReplicas).reduce((sum, replicas) => sum + replicas, 0);
  await waitUntil('engines', async () => [...(pods?.origins().values() ?? [])].flat().length === first);
  writeEndpoints();
  await stack.apply(...deployments.map((name) => autoscaler(namespace, name)));

  const gateway =
    writer.version === 'gpumix'
      ? await startGateway(stack.redis.url, endpoints, '--instance=gateway-0')
      : await startAibrixGateway(
          binaries,
          stack.folder,
          stack.redis.port,
          { kubeconfig: stack.controlPlane.kubeconfig },
          writer.replicas,
        );
  stack.keep(gateway);
  const folders = { asking: join(stack.folder, 'asking'), blind: join(stack.folder, 'blind') };
  const asking = await stack.serve(flags(folders.asking));
  const blind = await stack.serve([...flags(folders.blind), '--engine-metrics-port='], 'gpumix-blind');
  await waitUntil('gpumix', async () => (await stack.get('/apis/custom.metrics.k8s.io/v1beta2')) !== null, asking);

  const watch = watchDemand(stack, folders);
  stack.keep({ stop: async () => watch.stop() });
  const parts: Part[] = [];
  const clients: Client[] = [];
  const pin = async (annotation: string): Promise<void> => {
    await stack.controlPlane.kubectl(['annotate', 'deployment', ...deployments, '-n', namespace, annotation, '--overwrite']);
  };
  const isAmple = async (): Promise<boolean> => deployments.every((name) => pods?.origins().get(name)?.length === ampleReplicas);
  let pinned = false;
  for (const part of batchesOf(writer)) {
    if (part.ample && !pinned) {
      pinned = true;
      await pin(`gpumix.io/pin=${ampleReplicas}`);
      await waitUntil('an ample fleet', isAmple, asking, 180);
    }
    say(`${part.name}, ${part.seconds} s`);
    const from = Date.now() / 1000;
    const client = sendRequests(gateway.url, model, part.pace);
    clients.push(client);
    // The next part begins while the last requests of this one are still answered, as traffic does.
    await sleep(1000 * part.seconds);
    parts.push({ ...part, from, to: Date.now() / 1000 });
  }
  const answered = Promise.all(clients.map(({ done }) => done));
  await Promise.race([answered, sleep(1000 * patienceSeconds)]);
  for (const client of clients) client.stop();
  await answered;
  await pin('gpumix.io/pin-');
  const silentFrom = Math.max(...clients.flatMap(({ ended }) => ended.map(({ at, seconds }) => at + seconds)));
  say('the end of traffic');
  const idleOf = (serve: Serve) => idleSince(serve, silentFrom);
  for (const until = Date.now() + 1000 * endSeconds; Date.now() < until; await sleep(1000))
    if ([asking, blind].every((serve) => idleOf(serve) !== null)) break;
  await sleep(5000); // the autoscaler's turn
  watch.stop();
  const sent = clients.flatMap(({ sentAt }) => sentAt).sort((a, b) => a - b);
  const ended = clients.flatMap((client) => client.ended);
  keepLog(writer, { parts, moments: watch.moments, sent, ended });
  // Without the engines' counts nobody knows what replicas of AIBrix's gateway destroy of each other's records.
  const judged = partVerdicts(parts, watch.moments, sent, ended, windowSeconds, writer.replicas > 1 ? ['asking'] : undefined);
  const ends = [
    { how: askerNames.asking, ...endOf(asking, silentFrom) },
    { how: askerNames.blind, ...endOf(blind, silentFrom) },
  ];
  const left = watch.moments.at(-1)?.spec ?? new Map<string, number>();
  const replicas = [...left].map(([name, count]) => `${name} ${count}`).join(', ');
  return {
    text: [
      `\nB: ${nameOf(writer)}: ${sent.length} requests, ${statuses(ended)}`,
      judged.text,
      `end of traffic: ${ends.map(({ how, what }) => `${how}, ${what}`).join('; ')}; replicas at the end: ${replicas}`,
    ].join('\n'),
    missed: [
      ...judged.missed,
      ...ends.filter(({ idle }) => !idle).map(({ how, what }) => `the end of traffic, ${how}: ${what}`),
      ...([...left.values()].every((count) => count === 0) ? [] : [`the end of traffic: replicas are left: ${replicas}`]),
    ].map((what) => `B: ${nameOf(writer)}: ${what}`),
  };
};

/**
 * What was seen, for who wants to look closer: one line of JSON per run in the file that GPUMIX_PEERS_LOG names, `.b` after
 * it.
 */
const keepLog = (writer: Writer, seen: { readonly moments: readonly Moment[] } & Record<string, unknown>): void => {
  const log = process.env['GPUMIX_PEERS_LOG'];
  if (log === undefined) return;
  const moments = seen.moments.map((one) => ({
    ...one,
    target: Object.fromEntries(one.target),
    spec: Object.fromEntries(one.spec),
  }));
  appendFileSync(`${log}.b`, `${JSON.stringify({ writer: nameOf(writer), ...seen, moments })}\n`);
};

/** How many answers had which HTTP status; 0 = none came whole. */
const statuses = (ended: readonly Sent[]): string => {
  const each = [...new Set(ended.map(({ status }) => status))].sort((a, b) => b - a);
  return each.map((status) => `${ended.filter((one) => one.status === status).length} answered ${status}`).join(', ');
};

/** Whether a model is idle at the end, and since how long after the last answer. */
const endOf = (serve: Serve, silentFrom: number): { readonly idle: boolean; readonly what: string } => {
  const since = idleSince(serve, silentFrom);
  const end = stateLines(serve).at(-1)?.state ?? 'no state';
  if (since === null) return { idle: false, what: end };
  const idle = end === 'idle';
  return { idle, what: `idle after ${Math.round(since)} s${idle ? '' : `, then ${end}`}` };
};

interface StateLine {
  readonly msg?: string;
  readonly time: string;
  readonly state: string;
}
const stateLines = ({ log }: Serve): readonly StateLine[] =>
  readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => line.includes('"msg":"state"'))
    .map((line) => JSON.parse(line) as StateLine);
/** Seconds from the last answer until the model became idle; null = it did not. */
const idleSince = (serve: Serve, silentFrom: number): number | null => {
  const idle = stateLines(serve).find(({ state, time }) => state === 'idle' && Date.parse(time) / 1000 > silentFrom);
  return idle === undefined ? null : Date.parse(idle.time) / 1000 - silentFrom;
};

/** gpumix looks at the gateway's pods, to know whether it runs and in how many replicas; kwok's stand for them. */
const gatewayDeployment = ({ replicas }: Writer, version: Version) => {
  const name = 'aibrix-gateway-plugins';
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'aibrix-system' },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          nodeSelector: { 'nvidia.com/gpu.product': 'none' },
          tolerations: [{ operator: 'Exists' }],
          containers: [{ name: 'gateway-plugin', image: `aibrix/gateway-plugins:${version}` }],
        },
      },
    },
  };
};

/** Looks each second at what gpumix plans for, its targets, and spec.replicas. */
const watchDemand = (stack: Stack, folders: { readonly asking: string; readonly blind: string }) => {
  const moments: Moment[] = [];
  let stopped = false;
  void (async () => {
    while (!stopped) {
      const at = Date.now() / 1000;
      const [wanted, spec] = await Promise.all([
        targets(stack, namespace).catch(() => new Map<string, number>()),
        specReplicas(stack, namespace).catch(() => new Map<string, number>()),
      ]);
      moments.push({
        at,
        asking: plannedRate(folders.asking),
        blind: plannedRate(folders.blind),
        target: wanted,
        spec,
      });
      await sleep(Math.max(0, 1000 * (at + 1) - Date.now()));
    }
  })();
  return {
    moments: moments as readonly Moment[],
    stop: () => {
      stopped = true;
    },
  };
};

/** Demand of the newest snapshot, without the headroom (requests/s), and its time (Unix s). */
const plannedRate = (folder: string): Planned | null => {
  try {
    const newest = readdirSync(folder)
      .filter((name) => /^[^.].*\.snapshot\.json$/.test(name))
      .sort()
      .at(-1);
    if (newest === undefined) return null;
    const { now, models } = JSON.parse(readFileSync(join(folder, newest), 'utf8')) as {
      readonly now: string;
      readonly models: readonly { readonly demand: readonly { readonly arrivalRate: number }[] }[];
    };
    const rate = models.flatMap(({ demand }) => demand).reduce((sum, { arrivalRate }) => sum + arrivalRate, 0);
    return { at: Date.parse(now) / 1000, rate: rate / (1 + headroom) };
  } catch {
    return null; // written at this moment
  }
};
