import { chmodSync, copyFileSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { authority } from '../../hack/cluster/pki.ts';
import { kustomization } from '../../hack/kustomization.ts';
import { issueCertificate } from '../../src/api/x509.ts';
import { recordText } from '../helpers/records.ts';
import { freePort, type RedisServer, startRedis } from '../helpers/redis.ts';
import { kubectl, ownCluster } from './cluster.ts';
import { dist, gpumix, kubeconfigWithToken, type Running, serveFlags } from './gpumix-process.ts';

/**
 * The rights of gpumix's ServiceAccount, one taken away at a time: `gpumix serve` goes on, and says which one it lacks and what
 * gives it. A right whose absence nobody notices is needless. Each process has a namespace and copies of the roles of its own.
 */
const { ours, kubeconfig } = ownCluster;
const root = resolve(import.meta.dirname, '../..');
const crds = join(root, 'test/fixtures/crds');
const folder = mkdtempSync(join(tmpdir(), 'gpumix-rights-'));
const most = 4; // processes at a time

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}
interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Readonly<Record<string, string>> };
  readonly rules?: readonly Rule[];
  readonly roleRef?: { readonly kind: string; readonly name: string };
  readonly subjects?: readonly { readonly name: string; readonly namespace: string }[];
}
const rendered = async (...components: readonly string[]): Promise<readonly KubernetesObject[]> =>
  parseAllDocuments(await kubectl(['kustomize', kustomization({ components })])).map((document) => document.toJS());
const isRole = ({ kind }: KubernetesObject) => kind === 'Role' || kind === 'ClusterRole';
const isBinding = ({ kind }: KubernetesObject) => kind === 'RoleBinding' || kind === 'ClusterRoleBinding';
const gives = ({ roleRef }: KubernetesObject, role: KubernetesObject) =>
  isRole(role) && roleRef?.kind === role.kind && roleRef.name === role.metadata.name;

/** manifests/, and external.metrics.k8s.io as well. */
const installation = await rendered('external-metrics');
const external = ['--external-metrics'];
/** With these the model of `sleeper` is idle after some seconds, at zero, and nothing wakes it. */
const asleep = ['--trust-silence', '--idle-after-seconds=1'];
const sleeper = { namespace: 'e2e-rights-sleeper', name: 'sleeper' };

/** A run of `gpumix serve` with a part of the rights. */
interface Run {
  readonly name: string;
  readonly namespace: string;
  readonly objects: readonly KubernetesObject[];
  readonly flags: readonly string[];
  /** Those that lead to it, so that it has a caBundle to write. */
  readonly apiServices: readonly string[];
}
interface Seen {
  /** Problems that the log tells, in turn. */
  readonly problems: readonly string[];
  readonly output: string;
  readonly ready: string;
  /** null = still running when it was told to end. */
  readonly exitCode: number | null;
}

let runs = 0;
const run = (
  name: string,
  objects: readonly KubernetesObject[],
  flags: readonly string[] = external,
  apiServices: readonly string[] = [],
): Run => {
  runs += 1;
  return { name, namespace: `e2e-rights-${runs}`, objects, flags, apiServices };
};

const withoutVerb = (role: KubernetesObject, rule: Rule, verb: string): KubernetesObject => ({
  ...role,
  rules: role.rules!.flatMap((one) => {
    const verbs = one === rule ? one.verbs.filter((other) => other !== verb) : one.verbs;
    return verbs.length === 0 ? [] : [{ ...one, verbs }];
  }),
});
const foldersOf: Readonly<Record<string, string>> = {
  'gpumix-ca-bundle': 'apiservice/',
  'gpumix-ca-bundle-external': 'apiservice/external/',
};
/** Names of the whole cluster end with the namespace, which no message says. */
const withoutNamespace = (name: string): string => name.replace(/:gpumix-system$/, '');
/** Without it gpumix does not start; what others lack is said. */
const authReader = 'gpumix-auth-reader';
/** What is aggregated to other ClusterRoles is for others to read. */
const isOwn = (role: KubernetesObject) =>
  isRole(role) &&
  !Object.keys(role.metadata.labels ?? {}).some((key) => key.startsWith('rbac.authorization.k8s.io/aggregate-to-'));
const ownRoles = installation.filter(isOwn);
/** Each verb of each rule of each role of ours. */
const verbs = ownRoles
  .filter(({ metadata }) => withoutNamespace(metadata.name) !== authReader)
  .flatMap((role) =>
    role.rules!.flatMap((rule) =>
      rule.verbs.map((verb) => {
        const what = rule.resources.join();
        const name = withoutNamespace(role.metadata.name);
        const objects = installation.map((object) => (object === role ? withoutVerb(role, rule, verb) : object));
        const flags = what === 'events' ? [...external, ...asleep] : external;
        const apiServices = what === 'apiservices' && verb === 'update' ? rule.resourceNames!.slice(0, 1) : [];
        return {
          verb,
          what,
          role: `${role.kind} ${name} in ${foldersOf[name] ?? 'manifests/'}`,
          run: run(`${verb} ${what} (${role.kind} ${name})`, objects, flags, apiServices),
        };
      }),
    ),
  );
/** Without these plans only know less of the GPUs. */
const knowsLess = (one: Run): boolean =>
  verbs.some(
    ({ run: other, what }) =>
      other === one && ['nodes', 'resourcequotas', 'resourceslices', 'resourceclaims', 'configmaps'].includes(what),
  );
const withoutBinding = (name: string): Run =>
  run(
    `without the binding ${name}`,
    installation.filter((object) => !(isBinding(object) && withoutNamespace(object.metadata.name) === name)),
  );
const withoutReviews = withoutBinding('gpumix-auth-delegator');
const withoutAuthReader = withoutBinding(authReader);
const everything = run('all rights', installation, external, ['v1beta2.custom.metrics.k8s.io']);
const idle = run('all rights, a model asleep', installation, [...external, ...asleep]);
const anyUser = run('all rights, whatever the user id', installation);
const withFiles = run('cert-manager', await rendered('cert-manager'), [
  `--tls-cert-file=${folder}/tls.crt`,
  `--tls-private-key-file=${folder}/tls.key`,
]);

/** The ServiceAccount, its roles and bindings and the Secret in the run's own namespace; cluster-wide names begin with it. */
const copies = ({ namespace, objects }: Run): readonly object[] => {
  const labels = { e2e: 'rights' };
  const wanted = objects.filter((one) => isRole(one) || isBinding(one) || ['ServiceAccount', 'Secret'].includes(one.kind));
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } },
    ...wanted.map((object) => {
      const { name, namespace: within } = object.metadata;
      const inside = within === 'gpumix-system';
      const metadata = inside
        ? { name, namespace, labels }
        : { name: `${namespace}-${name}`, labels, ...(within === undefined ? {} : { namespace: within }) };
      if (!isBinding(object)) return { ...object, metadata };
      const { roleRef } = object;
      const own = roleRef!.kind === 'ClusterRole' && objects.some((role) => gives(object, role));
      const roleName = own ? `${namespace}-${roleRef!.name}` : roleRef!.name;
      const subjects = object.subjects!.map((subject) => ({ ...subject, namespace }));
      return { ...object, metadata, roleRef: { ...roleRef, name: roleName }, subjects };
    }),
  ];
};
const apiServicesOf = ({ namespace, apiServices }: Run) =>
  apiServices.map((name) => {
    const [version, ...group] = name.split('.');
    const service = { name: 'gpumix', namespace, port: 443 };
    const priorities = { groupPriorityMinimum: 100, versionPriority: 100 };
    return {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name, labels: { e2e: 'rights' } },
      spec: { version, group: group.join('.'), ...priorities, service },
    };
  });
const create = (objects: readonly object[]) => kubectl(['create', '-f', '-'], { apiVersion: 'v1', kind: 'List', items: objects });

let redis: RedisServer;
const seen = new Map<Run, Seen>();
const running = new Set<Running>();

/** Asks as somebody without credentials, or with a token. */
const ask = (port: number, path: string, token?: string): Promise<string> =>
  new Promise((done, failed) => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    request({ host: '127.0.0.1', port, path, headers, rejectUnauthorized: false, agent: false }, (response) => {
      response.resume();
      response.on('end', () => done(String(response.statusCode)));
    })
      .on('error', failed)
      .end();
  });

const problemsOf = (output: string): readonly string[] =>
  output.split('\n').flatMap((line) => {
    if (!line.startsWith('{')) return line === '' ? [] : [line];
    const { level, problem } = JSON.parse(line) as { level: string; problem?: string };
    return level === 'warn' || level === 'error' ? [problem ?? line] : [];
  });
/** Said until it leads. */
const fresh = 'Secret gpumix-serving-certificate is still empty';
const refusals = (one: Run): readonly string[] => seen.get(one)!.problems.filter((line) => line.includes('may not'));

/** Its profile, and its last record, without a request. */
const lastRecord = async (url: string): Promise<void> => {
  const client = new Redis(url);
  await client.set(
    `aibrix:${sleeper.name}_request_trace_${Math.floor(Date.now() / 1000)}`,
    recordText(0, { meta_interval_sec: 1 }),
    'EX',
    600,
  );
  const profile = { gpu: sleeper.name, cost: 1, indexes: [[64], [1024]], tputs: [[1]] };
  await client.set(`aibrix:profile_${sleeper.name}_${sleeper.name}`, JSON.stringify(profile));
  client.disconnect();
};
const sleepingDeployment = (): readonly object[] => [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: sleeper.namespace, labels: { e2e: 'rights' } } },
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { ...sleeper, labels: { 'model.aibrix.ai/name': sleeper.name } },
    spec: {
      replicas: 0,
      selector: { matchLabels: { app: 'sleeper' } },
      template: {
        metadata: { labels: { app: 'sleeper' } },
        spec: { containers: [{ name: 'engine', image: 'engine:none' }] },
      },
    },
  },
];

const observe = async (one: Run, redisUrl: string): Promise<Seen> => {
  const token = (await kubectl(['create', 'token', 'gpumix', '-n', one.namespace, '--duration=1h'])).trim();
  const file = join(folder, one.namespace);
  kubeconfigWithToken(kubeconfig, token, file);
  const port = await freePort();
  const flags = [
    'serve',
    ...serveFlags(file, redisUrl, port),
    ...[`--service-namespace=${one.namespace}`, `--plan-prefix=${one.namespace}:`, `--key-prefix=${one.namespace}:`],
    ...['--interval-seconds=1', '--settle-seconds=0.3', '--drain-seconds=0'],
    ...one.flags,
  ];
  const process = one === anyUser ? gpumix(flags, ...asAnyUser()) : gpumix(flags);
  running.add(process);
  const ended = () => process.process.exitCode;
  const metrics = '/apis/custom.metrics.k8s.io/v1beta2/namespaces/x/deployments.apps/*/gpumix_target_replicas';
  const serving = () => process.output().includes('"serving"') || ended() !== null;
  for (const deadline = Date.now() + 20_000; !serving() && Date.now() < deadline; ) await sleep(100);
  const answers = async () =>
    ended() === null ? [await ask(port, metrics), await ask(port, metrics, token), await ask(port, '/readyz')] : [];
  await answers(); // for the reviews
  // whatever is wrong shows within two turns of the Lease (2 s), the certificate (5 s) and the loop (1 s), once
  const refused = () => process.output().includes('may not') || ended() !== null;
  for (const deadline = Date.now() + 7_500; !refused() && Date.now() < deadline; ) await sleep(100);
  await sleep(refused() ? 1_500 : 0);
  const isReady = async () => (await answers()).at(-1) === '200';
  for (const deadline = Date.now() + 7_500; knowsLess(one) && !(await isReady()) && Date.now() < deadline; ) await sleep(100);
  const ready = (await answers()).at(-1) ?? '';
  const exitCode = ended();
  await process.terminate();
  running.delete(process);
  return { problems: problemsOf(process.output()), output: process.output(), ready, exitCode };
};

/**
 * The image may not write to its disk, and a cluster may give it any user: Node's permission model refuses every write, and
 * where we are root, the process gets a user that nobody has heard of, as OpenShift does.
 */
const asAnyUser = (): [readonly string[], { cwd: string; uid?: number; gid?: number }] => {
  const command = [
    join(folder, 'node'),
    '--permission',
    '--allow-fs-read=*',
    '--allow-worker',
    '--disable-warning=PERM0006',
    join(folder, 'dist/gpumix.js'),
  ];
  return [command, { cwd: '/', ...(process.getuid?.() === 0 ? { uid: 1_000_660_000, gid: 0 } : {}) }];
};

describe.runIf(ours)('rights of the ServiceAccount', () => {
  beforeAll(async () => {
    redis = await startRedis();
    chmodSync(folder, 0o755);
    copyFileSync(process.execPath, join(folder, 'node'));
    cpSync(dist, join(folder, 'dist'), { recursive: true });
    writeServingFiles();
    await kubectl(['apply', '--server-side', '-f', crds]);
    await kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s']);
    const all = [...verbs.map((one) => one.run), withoutReviews, withoutAuthReader, everything, idle, anyUser, withFiles];
    await create(all.flatMap(copies));
    await create(sleepingDeployment());
    await lastRecord(redis.url);
    await create(all.flatMap(apiServicesOf));
    const waiting = [...all];
    const worker = async () => {
      for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) seen.set(one, await observe(one, redis.url));
    };
    await Promise.all(Array.from({ length: most }, worker));
  });

  afterAll(async () => {
    for (const one of running) await one.kill();
    await kubectl(['delete', 'apiservice', '-l', 'e2e=rights', '--ignore-not-found']);
    await kubectl(['delete', 'clusterrole,clusterrolebinding', '-l', 'e2e=rights', '--wait=false']);
    await kubectl(['delete', 'namespace', '-l', 'e2e=rights', '--wait=false']);
    await kubectl(['delete', '-f', crds, '--ignore-not-found', '--wait=false']);
    await redis?.kill();
    rmSync(folder, { recursive: true, force: true });
    const lines = [...seen].map(([one]) => `  ${one.name}: ${refusals(one).join(' | ') || '-'}`);
    console.log(['what is said without a right:', ...lines].join('\n'));
  });

  test('each role of ours is bound to the ServiceAccount, and no other', () => {
    for (const role of ownRoles) {
      const bound = installation.filter((object) => isBinding(object) && gives(object, role));
      expect(bound.flatMap(({ subjects }) => subjects)).toEqual([
        { kind: 'ServiceAccount', name: 'gpumix', namespace: 'gpumix-system' },
      ]);
    }
    const foreign = installation.filter((object) => isBinding(object) && !installation.some((role) => gives(object, role)));
    expect(foreign.map(({ metadata }) => metadata.name)).toEqual(['gpumix-auth-delegator:gpumix-system']);
    expect(
      installation.filter(({ metadata }) => metadata.namespace !== undefined && metadata.namespace !== 'gpumix-system'),
    ).toEqual([]);
  });

  test.each(verbs)('without $verb $what it goes on, and names the right and $role', ({ verb, what, role, run: one }) => {
    const { exitCode, output } = seen.get(one)!;
    expect(exitCode, output).toBeNull();
    const kind = { secrets: 'Secret', leases: 'Lease', apiservices: 'APIService' }[what] ?? what;
    expect(refusals(one), output).toHaveLength(1);
    expect(refusals(one)[0]).toMatch(new RegExp(`^may not ${verb} ${kind}\\b.*: see the ${role}(:|$)`));
  });

  test.each(verbs.filter(({ run: one }) => knowsLess(one)))(
    'without $verb $what it is ready all the same: plans only know less',
    ({ run: one }) => {
      expect(seen.get(one)!.ready).toBe('200');
    },
  );

  test('without the right to reviews it goes on, turns callers away, and names both', () => {
    const one = withoutReviews;
    expect(seen.get(one)!.exitCode).toBeNull();
    const givenIn = 'see the ClusterRoleBinding gpumix-auth-delegator in manifests/';
    expect([...refusals(one)].sort()).toEqual([
      `may not create SubjectAccessReview: ${givenIn}`,
      `may not create TokenReview: ${givenIn}`,
    ]);
  });

  test('without the right to know whom the cluster trusts it does not start, and says why', () => {
    const one = withoutAuthReader;
    expect(seen.get(one)!.exitCode).toBe(2);
    expect(refusals(one)).toEqual([
      'gpumix serve: may not get ConfigMap kube-system/extension-apiserver-authentication: see the ClusterRole gpumix-auth-reader in manifests/ (FORBIDDEN)',
    ]);
  });

  test('with all of them it leads, writes its caBundle, is ready, and lacks nothing', async () => {
    const { exitCode, output, problems, ready } = seen.get(everything)!;
    expect({ exitCode, ready }).toEqual({ exitCode: null, ready: '200' });
    expect(problems.filter((problem) => problem !== fresh)).toEqual([]);
    expect(output).toContain('"leading"');
    expect(output).toContain('"caBundle written"');
  });

  test('a model that nothing will wake is warned of by an Event of its Deployment, and in the log', async () => {
    const { problems, output } = seen.get(idle)!;
    expect(
      problems.filter((problem) => problem !== fresh),
      output,
    ).toEqual([expect.stringContaining('model sleeper is at 0')]);
    const events = await kubectl(['get', 'events', '-n', sleeper.namespace, '-o', 'jsonpath={.items[*].message}']);
    expect(events).toContain('its gateway cannot wake it: give a Deployment the label');
  });

  test('it writes nothing to disk, and the user id does not matter', () => {
    const { exitCode, output, problems, ready } = seen.get(anyUser)!;
    expect({ exitCode, ready }).toEqual({ exitCode: null, ready: '200' });
    expect(problems.filter((problem) => problem !== fresh)).toEqual([]);
    expect(output).toContain('"leading"');
  });

  test('with the files of components/cert-manager it needs no right to Secrets and APIServices', () => {
    const { exitCode, problems, ready } = seen.get(withFiles)!;
    expect({ exitCode, problems, ready }).toEqual({ exitCode: null, problems: [], ready: '200' });
  });
});

const writeServingFiles = (): void => {
  const day = 86_400_000;
  const { certificate, privateKey } = issueCertificate(
    {
      commonName: 'gpumix',
      dnsNames: ['gpumix.gpumix-system.svc'],
      usages: ['serverAuth'],
      notBefore: new Date(Date.now() - day),
      notAfter: new Date(Date.now() + day),
    },
    authority('e2e'),
  );
  writeFileSync(join(folder, 'tls.crt'), certificate);
  writeFileSync(join(folder, 'tls.key'), privateKey);
};
