import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { autoscaler } from '../../../test/e2e/autoscaler.ts';
import { gpuNode } from '../../cluster/control-plane.ts';
import { waitUntil } from '../../cluster/processes.ts';
import type { Judged } from '../judged.ts';
import { engineDeployment, type Serve, type Stack, specReplicas, targets } from '../stack.ts';
import { writeSteadyRecords } from '../steady-records.ts';
import type { Binaries } from './binaries.ts';
import { installAibrix, podAutoscaler, samplesTaken, startController } from './controller.ts';
import { type Asked, type Phase, type Sample, verdicts } from './verdicts.ts';

const namespace = 'peers-a';
const product = 'NVIDIA-L40S';

/** What manifests/samples/aibrix/custom says, and what it is compared with. */
const measured = { 'panic-threshold': '0', 'scale-down-cooldown-window': '0s', 'max-scale-up-rate': '10' };
const formerly = {
  'scale-down-cooldown-window': '0s',
  'max-scale-up-rate': '10',
  'max-scale-down-rate': '10',
};

interface Variant {
  readonly name: string;
  /** null = a native HPA. */
  readonly annotations: Readonly<Record<string, string>> | null;
  /** Traffic of the first phase (requests/s); about 7 are one replica, where a step is the steepest. */
  readonly rate: number;
}

const variants: readonly Variant[] = [
  ...Array.from({ length: 10 }, (_, index) => ({
    name: `custom-${index}`,
    annotations: measured,
    rate: 6 + 6 * index,
  })),
  { name: 'defaults', annotations: {}, rate: 6 },
  { name: 'formerly', annotations: formerly, rate: 6 },
  { name: 'hpa', annotations: null, rate: 6 },
];

/**
 * The samples of manifests/ must do right. No setting of a PodAutoscaler keeps what an absent metric takes: see
 * KNOWN_ISSUES.md.
 */
const asked = new Map<string, Asked>([
  ...variants.filter(({ annotations }) => annotations === measured).map(({ name }) => [name, 'readable'] as const),
  ...variants.filter(({ annotations }) => annotations === null).map(({ name }) => [name, 'always'] as const),
]);

/** Short windows, so that the plan follows the traffic at once and what is measured is the autoscaler. */
const flags = [
  ...['--external-metrics', '--interval-seconds=1', '--settle-seconds=0.3', '--window-seconds=10'],
  ...['--shape-window-seconds=20', '--redis-timeout-seconds=1', '--hold-down-seconds=10', '--idle-after-seconds=15'],
  ...['--startup-seconds=5', '--stale-after-seconds=300', '--follow-after-seconds=100000', '--engine-metrics-port='],
];

/**
 * A: AIBrix's PodAutoscalers, and a native HPA, on targets of gpumix.
 * @param steadyMinutes how long the traffic is steady, in three levels, before things are taken away
 */
export const runAutoscalers = async (stack: Stack, binaries: Binaries, steadyMinutes: number): Promise<Judged> => {
  await installAibrix(stack, binaries);
  const taken = await samplesTaken(stack);
  await stack.apply(
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    gpuNode('peers-a-l40s', product, 1000),
  );
  await stack.apply(
    ...variants.map(({ name }) =>
      engineDeployment(namespace, name, name, product, 3, {}, { 'model.aibrix.ai/min_replicas': '1' }),
    ),
  );
  await stack.apply(
    ...variants.map(({ name, annotations }) =>
      annotations === null ? autoscaler(namespace, name, 40, 1) : podAutoscaler(namespace, name, annotations),
    ),
  );
  const models = variants.map(({ name }) => name);
  stack.profilesFor(...models);

  let level = 1;
  const rates = new Map(variants.map(({ name, rate }) => [name, rate]));
  stack.keep({ stop: async () => records.stop() });
  const records = writeSteadyRecords(stack.redis.url, models, (model) => level * (rates.get(model) ?? 0));

  const watch = watchReplicas(stack);
  stack.keep({ stop: async () => watch.stop() });
  const phases: Phase[] = [];
  /** One ends where the next begins: what was taken away is away until it is back. */
  const begin = (name: string, kind: Phase['kind']): void => {
    const from = Date.now() / 1000;
    const last = phases.at(-1);
    if (last !== undefined) last.to = from;
    phases.push({ name, kind, from, to: Number.POSITIVE_INFINITY });
  };
  const phase = async (name: string, kind: Phase['kind'], seconds: number): Promise<void> => {
    begin(name, kind);
    console.error(`A ${binaries.version}: ${name}, ${seconds} s`);
    await sleep(1000 * seconds);
  };

  await startController(stack, binaries);
  await phase('the controller runs, gpumix does not yet', 'before gpumix', 45);
  let serve: Serve = await stack.serve(flags);
  await waitUntil('gpumix', async () => (await targets(stack, namespace)).size === variants.length, serve);
  await phase('gpumix begins', 'readable', 90);
  const minute = 60 * (steadyMinutes / 3);
  await phase('steady', 'readable', minute);
  level = 4;
  await phase('four times the traffic', 'readable', minute);
  level = 1;
  await phase('a quarter of it', 'readable', minute);
  await serve.stop();
  await phase('gpumix is away', 'away', 60);
  serve = await stack.serve(flags);
  await waitUntil('gpumix', async () => (await targets(stack, namespace)).size === variants.length, serve);
  // What the controller asked before, one pod after another, ends later: the last falls were seen within a minute.
  await phase('gpumix is back a moment ago', 'away', 60);
  await phase('gpumix is back', 'readable', 130);
  await stack.redis.stop();
  await phase('Redis is away', 'readable', 60);
  await stack.redis.start();
  await phase('Redis is back', 'readable', 60);
  level = 0;
  await phase('no traffic', 'readable', 230);

  watch.stop();
  const names = variants.map(({ name }) => name);
  const judged = verdicts(names, watch.samples, phases, asked);
  const text = `\nA: PodAutoscalers of AIBrix ${binaries.version} on gpumix's targets\n${judged.text}\nsamples under a strict apply: ${taken}`;
  return { text, missed: judged.missed.map((what) => `A: AIBrix ${binaries.version}: ${what}`) };
};

/** Looks at targets and replicas each second; a target that cannot be read stands. */
const watchReplicas = (stack: Stack) => {
  const samples: Sample[] = [];
  let stopped = false;
  let last: ReadonlyMap<string, number> = new Map();
  const log = process.env['GPUMIX_PEERS_LOG'];
  void (async () => {
    while (!stopped) {
      const at = Date.now() / 1000;
      try {
        last = await targets(stack, namespace).catch(() => last);
        const sample = { at, target: last, spec: await specReplicas(stack, namespace) };
        samples.push(sample);
        if (log !== undefined)
          appendFileSync(
            log,
            `${JSON.stringify({ at: Math.round(at), of: Object.fromEntries([...sample.spec].map(([name, spec]) => [name, [sample.target.get(name), spec]])) })}\n`,
          );
      } catch {
        // The API server may be slow for a moment: one sample less.
      }
      await sleep(Math.max(0, 1000 * (at + 1) - Date.now()));
    }
  })();
  return {
    samples: samples as readonly Sample[],
    stop: () => {
      stopped = true;
    },
  };
};
