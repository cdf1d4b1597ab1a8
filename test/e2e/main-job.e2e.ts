import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Plan, Snapshot } from '../../src/vocabulary/planning-documents.ts';
import { startRedis } from '../helpers/redis.ts';
import { eventually, kubectl, ownCluster } from './cluster.ts';
import { type Fleet, names, type Replicas, startFleet, syncSeconds, total } from './fleet.ts';
import { planAgain, savedPlans, steadyTrace } from './gpumix-process.ts';

const { ours, control } = ownCluster;
/** Stops kube-apiserver and starts it again on the same port and data. */
const restartApiServer = async (): Promise<void> => {
  const answer = await fetch(`${control}/restart-api-server`, { method: 'POST' });
  expect(answer.status).toBe(200);
};
const namespace = 'e2e-main';
const idleAfter = 8;
const staleAfter = 12;

const azure = join(import.meta.dirname, '../../src/cli/demo/azure-conversation-10min.csv');
/** Whether the plan of a snapshot wants more replicas of some variant than were Ready. */
const starting = (snapshot: string, { models }: Plan): boolean =>
  (JSON.parse(readFileSync(snapshot, 'utf8')) as Snapshot).models.some(({ name, variants }) =>
    variants.some((variant) => {
      const replicas = models.find((model) => model.name === name)?.replicas[variant.name] ?? 0;
      return replicas > (variant.ready ?? 0);
    }),
  );
const asList = (replicas: Replicas) => names.map((name) => `${name}=${replicas[name]}`).join(' ');

describe.runIf(ours)('the main job', () => {
  let fleet: Fleet;
  /** 60 requests per second of one size. */
  let steady = '';

  beforeAll(async () => {
    fleet = await startFleet(
      namespace,
      [
        ...['--hold-down-seconds=0', '--switch-savings=0', '--grow-at-once=1000', '--routing-plans'],
        ...[`--idle-after-seconds=${idleAfter}`, `--stale-after-seconds=${staleAfter}`],
      ],
      { 'llama-a100-80': { 'model.aibrix.ai/min_replicas': '2' } },
    );
    steady = steadyTrace(join(fleet.folder, 'steady.csv'), 60, 900);
  });

  afterEach(async () => await fleet.endTraffic());

  afterAll(async () => await fleet?.stop());

  test('before there is any record nothing moves, and the HPA says why', async () => {
    await eventually('condition', fleet.condition, /no request record of this model has been seen/);
    // Raising one to its label is safe, whatever is not known.
    const raised = names.map((name) => `${name}=${name === 'llama-a100-80' ? 2 : 1}`).join(' ');
    await eventually('only the label', async () => asList(await fleet.specReplicas()), raised);
    const { status, output } = await fleet.beside(['doctor']);
    expect(status, output).toBe(1);
    expect(output).toMatch(/^WRONG {2}model llama-3.1-8b is missing: no request record of this model has been seen$/m);
    expect(output).toMatch(/^WRONG {2}HPA e2e-main\/llama-l40s: FailedGetObjectMetric: /m);
  });

  test('(a) replicas follow the plan within 3 syncs, up and down, while the Azure trace is replayed', async () => {
    interface Sample {
      readonly from: number;
      readonly until: number;
      readonly replicas: Readonly<Record<string, number>>;
      readonly published: Readonly<Record<string, number>>;
    }
    const samples: Sample[] = [];
    const observe = async (seconds: number) => {
      for (const deadline = Date.now() + seconds * 1000; Date.now() < deadline; await sleep(400)) {
        const from = Date.now() / 1000;
        const [replicas, said] = await Promise.all([fleet.specReplicas(), fleet.published()]);
        samples.push({ from, until: Date.now() / 1000, replicas, published: said });
      }
    };
    for (const speed of ['3', '20', '6']) {
      const traffic = fleet.replay(azure, '--speed', speed);
      await observe(16);
      await traffic.kill();
    }
    const plans = savedPlans(fleet.snapshots).map(({ at, plan, snapshot }) => ({
      at,
      plan,
      starts: starting(snapshot, plan),
    }));
    const first = plans[0]?.at ?? 0;
    const distinct = new Set<string>();
    let compared = 0;
    for (const { from, until, replicas, published: said } of samples) {
      const since = from - 3 * syncSeconds;
      if (first > since) continue;
      // What it may be now: anything that stood within the last three syncs.
      const standing = plans.filter((plan) => plan.at <= until);
      const recent = standing.filter((_plan, index) => (standing[index + 1]?.at ?? Number.POSITIVE_INFINITY) > since);
      const heard = samples.filter((sample) => sample.until >= since && sample.from <= until);
      const swaps = recent.some(({ starts }) => starts);
      for (const name of names) {
        const at = `${name} at ${new Date(from * 1000).toISOString()}`;
        const planned = recent.map(({ plan }) => plan.models[0]?.replicas[`${namespace}/${name}`] ?? Number.NaN);
        expect([...planned, ...heard.map((sample) => sample.published[name])], at).toContain(replicas[name]);
        // While a variant starts, another may be kept above the plan; nothing else is published than the plan.
        if (!(swaps && (said[name] as number) > Math.min(...planned))) expect(planned, at).toContain(said[name]);
      }
      compared += 1;
      distinct.add(asList(replicas));
    }
    const sizes = samples.map(({ replicas }) => total(replicas));
    // At least half: on a busy machine the first plan comes late.
    expect(compared).toBeGreaterThan(samples.length / 2);
    expect(distinct.size).toBeGreaterThan(3);
    expect(sizes.some((size, index) => index > 0 && size > (sizes[index - 1] as number))).toBe(true);
    expect(sizes.some((size, index) => index > 0 && size < (sizes[index - 1] as number))).toBe(true);
  });

  test("(b) each saved snapshot gives gpumix plan the same plan as serve's", () => {
    const plans = savedPlans(fleet.snapshots);
    const step = Math.max(1, Math.floor(plans.length / 12));
    const chosen = plans.filter((_, index) => index % step === 0);
    expect(chosen.length).toBeGreaterThanOrEqual(12);
    for (const { plan, snapshot } of chosen) {
      const { solve: _again, ...again } = planAgain(snapshot);
      const { solve: _then, ...then } = plan;
      expect(again).toEqual(then);
      expect(then.status).toBe('optimal');
    }
  });

  test('(c) the label does nothing while there is traffic; idle goes to it, and to 0 without one; and back', async () => {
    // 20 req/s of one small size: L40S only, so that the A100's label of 2 would show.
    const trace = steadyTrace(join(fleet.folder, 'small.csv'), 20, 600);
    const traffic = fleet.replay(trace, '--seconds-per-token', '0');
    await eventually('label ignored', async () => asList(await fleet.specReplicas()), /llama-a100-80=0/);
    await traffic.kill();
    const shortTrace = steadyTrace(join(fleet.folder, 'short.csv'), 20, 3);
    fleet.replay(shortTrace, '--seconds-per-token', '0', '--linger', '60');
    await eventually(
      'idle',
      async () => asList(await fleet.specReplicas()),
      'llama-l40s=0 llama-a100-80=2 llama-h100=0',
      idleAfter + 20,
    );
    await kubectl(['label', 'deployment', '-n', namespace, 'llama-a100-80', 'model.aibrix.ai/min_replicas-']);
    await eventually('label gone', async () => asList(await fleet.specReplicas()), 'llama-l40s=0 llama-a100-80=0 llama-h100=0');
    fleet.replay(trace, '--seconds-per-token', '0');
    await eventually('back from 0', async () => String(total(await fleet.specReplicas()) > 0), 'true');
  });

  test('routers read in Redis where requests go, for the replicas that are Ready', async () => {
    fleet.replay(steady, '--seconds-per-token', '0');
    await fleet.settled();
    const client = new Redis(fleet.now.redis.url);
    const document = async () => JSON.parse((await client.get('gpumix:plan:llama-3.1-8b')) ?? '{}');
    const replicas = await fleet.specReplicas();
    await eventually('all Ready', async () => String(total((await document()).ready ?? {})), String(total(replicas)));
    const { version, classes, ready, planned, created, expires } = await document();
    expect(version).toBe(1);
    expect(ready).toEqual(planned);
    expect([classes[0].fromTokens, classes.at(-1).toTokens]).toEqual([0, null]);
    for (const { shares } of classes) for (const name of Object.keys(shares)) expect(planned[name]).toBeGreaterThan(0);
    expect(expires - created).toBe(staleAfter);
    client.disconnect();
  });

  test('explain says why, and doctor finds nothing wrong', async () => {
    fleet.replay(steady, '--seconds-per-token', '0');
    await fleet.settled();
    // The number of a moment: the pause between two replays may still end in a plan of its own.
    const explained = await eventually(
      'explain tells what is planned and runs',
      async () => {
        const replicas = await fleet.specReplicas();
        const name = names.find((one) => (replicas[one] ?? 0) > 0);
        const running = replicas[name ?? ''];
        const { status, output } = await fleet.beside(['explain', `${namespace}/${name}`]);
        expect(status, output).toBe(0);
        const told = new RegExp(`^${namespace}/${name}: ${running} replicas?, published \\d+ s ago`);
        const planned = new RegExp(`^the plan of now: .*${running} x ${namespace}/${name}`, 'm');
        return told.test(output) && planned.test(output) ? output : `${running} run\n${output}`;
      },
      /^e2e/,
    );
    expect(explained).toMatch(/^model llama-3.1-8b is fresh: /m);
    expect(explained).toMatch(/req\/s of \d+ \+ \d+ tokens: \d+ % of them here, where a replica serves/);
    // With the rights of serve it cannot see the metric as an HPA does; with the administrator's it can.
    const found = await fleet.beside(['doctor']);
    expect(found.status, found.output).toBe(0);
    expect(found.output).toMatch(/^\? {6}targets in e2e-main were not looked at/m);
    const all = await fleet.beside(['doctor', '--verbose'], [`--kubeconfig=${ownCluster.kubeconfig}`]);
    expect(all.output).toMatch(/^ok {5}targets in e2e-main as an HPA reads them: 3 of 3$/m);
    expect(all.output).not.toMatch(/WRONG/);
  });

  test('fault: Redis away for longer than a plan stands: nothing falls, the HPA quotes our reason, and it resumes', async () => {
    fleet.replay(steady, '--seconds-per-token', '0');
    await fleet.settled();
    await fleet.now.redis.kill();
    await fleet.neverFalls(staleAfter + 10);
    expect(await fleet.condition()).toMatch(
      /unable to fetch metrics from custom metrics API: stale: no request record for \d+ s; our own write to Redis does not succeed/,
    );
    fleet.now.redis = await startRedis([], fleet.now.redis.port);
    await eventually('resumed', fleet.condition, /HPA was able to successfully calculate a replica count/, 40);
    expect(total(await fleet.specReplicas())).toBeGreaterThan(0);
  });

  test('fault: the writer killed right after a record with nothing pending, while pods run: nothing falls', async () => {
    const traffic = fleet.replay(steady, '--seconds-per-token', '0');
    await fleet.settled();
    await traffic.kill();
    expect(traffic.output()).toMatch(/"meta_pending_reqs":0/);
    await fleet.neverFalls(staleAfter + idleAfter + 8);
    expect(await fleet.condition()).toMatch(/stale: no request record for \d+ s; nothing makes the silence credible/);
  });

  test('fault: gpumix killed and started again under load: nothing falls', async () => {
    fleet.replay(steady, '--seconds-per-token', '0');
    await fleet.settled();
    const watched = fleet.neverFalls(14);
    await sleep(1000);
    await fleet.now.adapter.kill();
    await sleep(3000);
    fleet.serve();
    await watched;
    await eventually('resumed', fleet.condition, /HPA was able to successfully calculate a replica count/, 40);
  });

  test('fault: kube-apiserver restarted under load: nothing falls, and gpumix follows the cluster again', async () => {
    fleet.replay(steady, '--seconds-per-token', '0');
    await fleet.settled();
    const before = await fleet.specReplicas();
    await restartApiServer();
    await eventually('answers', async () => String(total(await fleet.specReplicas()) >= total(before)), 'true', 60);
    await kubectl(['annotate', 'deployment', '-n', namespace, 'llama-l40s', 'gpumix.io/price=900']);
    await eventually('the new price counts', async () => asList(await fleet.specReplicas()), /llama-l40s=0/, 60);
  });
});
