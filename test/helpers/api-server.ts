import { Agent } from 'node:https';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { authority, clientCertificate } from '../../hack/cluster/pki.ts';
import type { ReadyCheck } from '../../src/api/health-endpoints.ts';
import { type RunningServer, startServer } from '../../src/api/start.ts';
import { issueCertificate, type KeyPair } from '../../src/api/x509.ts';
import type { KubernetesRequest } from '../../src/cluster/kubernetes-connection.ts';
import { type FakeBoard, fakeBoard } from './fake-board.ts';
import { type Answer, type AskOptions, httpsClient } from './https-client.ts';

/** kube-apiserver as far as delegated authentication and authorization see it. */
export interface FakeKubernetes {
  readonly request: KubernetesRequest;
  /** Data of ConfigMap extension-apiserver-authentication; null: there is none. */
  config: Record<string, string> | null;
  /** What a token stands for. */
  readonly tokens: Map<string, object>;
  /** Who may; by default everybody. */
  // biome-ignore lint/suspicious/noExplicitAny: the spec of a review as it was sent
  allows: (spec: any) => boolean | { allowed?: boolean; denied?: boolean; reason?: string };
  /** In place of answers to reviews: an HTTP status, or no answer at all. */
  failure: number | 'unreachable' | null;
  /** What a review waits for. */
  delay: () => Promise<void>;
  /** Specs of the reviews that were asked for. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  readonly reviews: any[];
}

export const servingCA = authority('test serving CA');
export const frontProxyCA = authority('test front proxy CA');
export const clientCA = authority('test client CA');

export const requestHeaderConfig = (): Record<string, string> => ({
  'client-ca-file': clientCA.certificate,
  'requestheader-client-ca-file': frontProxyCA.certificate,
  'requestheader-allowed-names': '["front-proxy-client"]',
  'requestheader-username-headers': '["X-Remote-User"]',
  'requestheader-uid-headers': '["X-Remote-Uid"]',
  'requestheader-group-headers': '["X-Remote-Group"]',
  'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
});

export const fakeKubernetes = (): FakeKubernetes => {
  const fake: FakeKubernetes = {
    config: requestHeaderConfig(),
    tokens: new Map(),
    allows: () => true,
    failure: null,
    delay: async () => {},
    reviews: [],
    request: async (method, path, body) => {
      if (method === 'GET' && path.endsWith('/configmaps/extension-apiserver-authentication')) {
        return fake.config === null ? { status: 404, body: {} } : { status: 200, body: { data: fake.config } };
      }
      await fake.delay();
      if (fake.failure === 'unreachable') throw new Error('connect ECONNREFUSED 10.0.0.1:443');
      if (fake.failure !== null) return { status: fake.failure, body: {} };
      const { spec } = body as { spec: { token?: string } };
      if (path.endsWith('/tokenreviews')) {
        fake.reviews.push(spec);
        const user = fake.tokens.get(spec.token ?? '');
        return { status: 201, body: { status: { authenticated: user !== undefined, user } } };
      }
      fake.reviews.push(spec);
      const verdict = fake.allows(spec);
      return { status: 201, body: { status: typeof verdict === 'boolean' ? { allowed: verdict } : verdict } };
    },
  };
  return fake;
};

export const servingPair = (): KeyPair =>
  issueCertificate(
    {
      commonName: 'gpumix.gpumix-system.svc',
      dnsNames: ['gpumix.gpumix-system.svc'],
      usages: ['serverAuth'],
      notBefore: new Date(Date.now() - 60_000),
      notAfter: new Date(Date.now() + 3_600_000),
    },
    servingCA,
  );

export const shown = ({ certificate, privateKey }: KeyPair): { cert: string; key: string } => ({
  cert: certificate,
  key: privateKey,
});
const frontProxy = shown(clientCertificate(frontProxyCA, 'front-proxy-client'));

/** As the aggregator passes on a request of `user`. */
export const asUser = (user: string, groups: readonly string[] = []): AskOptions => ({
  ...frontProxy,
  headers: { 'X-Remote-User': user, ...(groups.length === 0 ? {} : { 'X-Remote-Group': groups }) },
});

export interface ApiUnderTest {
  board: FakeBoard;
  kubernetes: FakeKubernetes;
  server: RunningServer;
  /** Checks of readyz, beside the server's own. */
  problems: Map<string, string>;
  log: string[];
  /** Asks with what `options` show, and nothing else. */
  readonly ask: (path: string, options?: AskOptions) => Promise<Answer>;
  /** Asks as user `hpa`, through the front proxy. */
  readonly get: (path: string, headers?: Record<string, string>, method?: string) => Promise<Answer>;
}

/** A server on real TLS sockets for the tests of one file; a fresh board and fresh caches for each test on demand. */
export const apiUnderTest = ({ freshEachTest = false } = {}): ApiUnderTest => {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const ask = httpsClient(
    () => under.server.url,
    () => servingCA.certificate,
    'gpumix.gpumix-system.svc',
  );
  const hpa = asUser('hpa');
  const under = {
    ask,
    get: (path, headers = {}, method = 'GET') => ask(path, { ...hpa, agent, method, headers: { ...hpa.headers, ...headers } }),
    problems: new Map<string, string>(),
    log: [] as string[],
  } as ApiUnderTest;
  const start = async () => {
    under.board = fakeBoard();
    under.kubernetes = fakeKubernetes();
    const pair = servingPair();
    const readyChecks: readonly ReadyCheck[] = [{ name: 'informer-sync', problem: () => under.problems.get('informer-sync') }];
    const note = (fields: object, message: string) => under.log.push(`${message} ${JSON.stringify(fields)}`);
    under.server = await startServer({
      board: under.board,
      kubernetes: under.kubernetes.request,
      certificate: { current: () => pair, problem: () => undefined, onChange: () => {}, stop: () => {} },
      version: '1.2.3',
      log: { info: note, warn: note, error: note },
      host: '127.0.0.1',
      port: 0,
      readyChecks,
    });
  };
  const stop = async () => {
    agent.destroy();
    await under.server.drain(0);
  };
  if (freshEachTest) {
    beforeEach(async () => {
      await start();
      return stop;
    });
  } else {
    beforeAll(start);
    afterAll(stop);
  }
  return under;
};

export const metricPath = (version: string, name: string, metric = 'gpumix_target_replicas', namespace = 'default') =>
  `/apis/custom.metrics.k8s.io/${version}/namespaces/${namespace}/${metric === 'gpumix_target_centi' ? 'pods' : 'deployments.apps'}/${name}/${metric}`;
