import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gpuNode } from '../../cluster/control-plane.ts';
import { waitUntil } from '../../cluster/processes.ts';
import { startGateway } from '../../gateway/processes.ts';
import { startEnginePods, statusByHand } from '../engine-pods.ts';
import { type Client, inTurn, ramp, type Sent, sendRequests, steady } from '../requests.ts';
import { engineDeployment, nativeHpa, type Serve, type Stack, specReplicas, targets } from '../stack.ts';
import { aibrixBinaries, type Version } from './binaries.ts';
import { installAibrix } from './controller.ts';
import { type Moment, type Part, partVerdicts } from './demand-verdicts.ts';
import { startAibrixGateway } from './gateway.ts';

const model = 'chat';
const namespace = 'peers-b';
const products: Readonly<Record<string, string>> = { l40s: 'NVIDIA-L40S', h100: 'NVIDIA-H100-80GB-HBM3' };

/**
 * Records come each 10 s, as AIBrix writes them; the windows hold three of them, so that a run takes minutes. What waits
 * after a step is worked off in as much.
 */
const windowSeconds = 30;
const flags = (snapshots: string): readonly string[] => [
  ...['--external-metrics', `--window-seconds=${windowSeconds}`, '--shape-window-seconds=60', '--headroom=0'],
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

interface Played extends Part {
  readonly pace: ReturnType<typeof steady>;
  readonly seconds: number;
}

/** The whole of it for one replica; with more, what they destroy of each other's records is the question. */
const partsOf = ({ replicas }: Writer): readonly Played[] =>
  replicas > 1
    ? [{ name: 'steady 10/s', kind: 'steady', pace: steady(10, 120), seconds: 120 }]
    : [
        { name: 'steady 2/s', kind: 'steady', pace: steady(2, 100), seconds: 100 },
        { name: 'steady 10/s', kind: 'steady', pace: steady(10, 100), seconds: 100 },
        {
          name: 'steady 50/s',
          kind: 'steady',
          // A step would leave a queue, whose work would be planned for as well.
          lead: 60,
          pace: inTurn({ pace: ramp(10, 50, 60), seconds: 60 }, { pace: steady(50, 110), seconds: 110 }),
          seconds: 170,
        },
        {
          name: 'ramp 5 to 25/s',
          kind: 'ramp',
          pace: inTurn({ pace: steady(5, 40), seconds: 40 }, { pace: ramp(5, 25, 80), seconds: 80 }),
          seconds: 120,
        },
      ];
/** How long the last answers may take (s): a fleet that was far too small has a long queue. */
const patienceSeconds = 60;
/** After the last request (s): until idle, or given up. */
const endSeconds = 150;

/** B: what gpumix plans from a gateway's records, beside what was really sent through it. */
export const runGateway = async (stack: Stack, writer: Writer): Promise<string> => {
  const say = (what: string) => console.error(`B ${nameOf(writer)}: ${what}`);
  const binaries = aibrixBinaries(writer.version === 'gpumix' ? 'v0.7.0' : writer.version);
  await installAibrix(stack, binaries);
  stack.profilesFor(model);
  const deployments = Object.keys(products).map((gpu) => `${model}-${gpu}`);
  const endpoints = join(stack.folder, 'endpoints.json');
  const writeEndpoints = () => {
    const variants = [...(pods?.origins() ?? [])].map(([deployment, origins]) => [
      `${namespace}/${deployment}`,
      origins,
    ]);
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
      engineDeployment(namespace, `${model}-${gpu}`, model, product, 1, labels, {}, statusByHand),
    ),
    gatewayDeployment(writer, binaries.version),
  );
  await waitUntil('engines', async () => (pods?.origins().size ?? 0) === deployments.length);
  writeEndpoints();
  await stack.apply(...deployments.map((name) => nativeHpa(namespace, name, 0)));

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
  for (const part of partsOf(writer)) {
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
  const silentFrom = Math.max(...clients.flatMap(({ ended }) => ended.map(({ at, seconds }) => at + seconds)));
  say('the end of traffic');
  const idleOf = (serve: Serve) => idleSince(serve, silentFrom);
  for (const until = Date.now() + 1000 * endSeconds; Date.now() < until; await sleep(1000))
    if ([asking, blind].every((serve) => idleOf(serve) !== null)) break;
  await sleep(5000); // the autoscaler's turn
  watch.stop();
  const sent = clients.flatMap(({ sentAt }) => sentAt).sort((a, b) => a - b);
  const ended = clients.flatMap((client) => client.ended);
  return [
    `\nB: ${nameOf(writer)}: ${sent.length} requests, ${statuses(ended)}`,
    partVerdicts(parts, watch.moments, sent, ended, windowSeconds),
    `end of traffic: ${idleSentence('asking engines', asking, silentFrom)}; ${idleSentence('not asking them', blind, silentFrom)}; replicas at the end: ${replicasAtEnd(watch.moments)}`,
  ].join('\n');
};

/** How many answers had which HTTP status; 0 = none came whole. */
const statuses = (ended: readonly Sent[]): string => {
  const each = [...new Set(ended.map(({ status }) => status))].sort((a, b) => b - a);
  return each.map((status) => `${ended.filter((one) => one.status === status).length} answered ${status}`).join(', ');
};

const replicasAtEnd = (moments: readonly Moment[]): string =>
  [...(moments.at(-1)?.spec ?? [])].map(([name, count]) => `${name} ${count}`).join(', ');

const idleSentence = (how: string, serve: Serve, silentFrom: number): string => {
  const since = idleSince(serve, silentFrom);
  const end = stateLines(serve).at(-1)?.state ?? 'no state';
  if (since === null) return `${how}, ${end}`;
  return `${how}, idle after ${Math.round(since)} s${end === 'idle' ? '' : `, then ${end}`}`;
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
        planned: plannedRate(folders.asking),
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

/** Demand of the newest snapshot (requests/s) and its time (Unix s). */
const plannedRate = (folder: string): Moment['planned'] => {
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
    return { at: Date.parse(now) / 1000, rate };
  } catch {
    return null; // written at this moment
  }
};
