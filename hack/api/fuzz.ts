import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { issueCertificate, type KeyPair } from '../../src/api/x509.ts';
import { benchProgress } from '../bench/bench-progress.ts';
import { authority, clientCertificate } from '../cluster/pki.ts';
import { exchange, open, type Target } from './exchange.ts';

/**
 * Random requests against the API server in a process of its own: whatever comes, the answer is a well-formed Status or
 * the right object, never a 5xx, and memory does not grow.
 *   node hack/api/fuzz.ts [COUNT] [SEED]      100,000 by default; prints one line of figures; exit 1 when something is wrong
 */
const count = Number(process.argv[2] ?? 100_000);
const seed = Number(process.argv[3] ?? Date.now() % 2 ** 31);

// mulberry32
let state = seed;
const random = (): number => {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
};
const oneOf = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)]!;
const often = (share: number): boolean => random() < share;
const several = (most: number, make: () => string): readonly string[] =>
  Array.from({ length: Math.floor(random() * (most + 1)) }, make);

const words = [
  'apis',
  'custom.metrics.k8s.io',
  'external.metrics.k8s.io',
  'v1beta1',
  'v1beta2',
  'namespaces',
  'default',
  'deployments.apps',
  'deployments',
  'pods',
  'model-1',
  'model-2',
  '*',
  '%2A',
  'gpumix_target_replicas',
  'gpumix_target_centi',
  'metrics',
  'nodes',
  'watch',
  'proxy',
  'status',
  'finalize',
  '',
  '..',
  '.',
  '%2e%2e',
  '%2F',
  '%00',
  '%ff',
  '%',
  '%zz',
  '%25',
  'constructor',
  '__proto__',
  'toString',
  'livez',
  'readyz',
  'ping',
  'openapi',
  'v2',
  'v3',
  'version',
  'x'.repeat(300),
  '%E2%82%AC',
  ';',
  ':',
  '@',
  '!',
  '$',
  '<script>',
  '#',
  '{',
  '\\',
  '|',
] as const;
const selectors = [
  'app=model-1',
  'app in (model-1,model-2)',
  '!app',
  'a in',
  'a,,b',
  '(((',
  'a>1',
  'a>x',
  'k=v,',
  ',',
  '=',
  '%',
  'é=1',
  'a'.repeat(400),
  'toString',
  'app!=model-1',
];
const queryKeys = [
  'labelSelector',
  'metricLabelSelector',
  'fieldSelector',
  'limit',
  'timeout',
  'timeoutSeconds',
  'watch',
  'pretty',
  'verbose',
  'exclude',
  'hash',
  'continue',
  'resourceVersionMatch',
  'sendInitialEvents',
  '__proto__',
  'x',
];
const queryValues = [
  ...selectors,
  'metadata.name=model-1',
  'metadata.name',
  'true',
  'false',
  '1',
  '-1',
  '99999999999999999999',
  '5s',
  '1h',
  '1ns',
  'NaN',
  '',
  '\0',
  'default',
];
const accepts = [
  '',
  '*/*',
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf, */*',
  'text/html',
  'application/*',
  'application/json;q=2;as=Table',
  ';;;',
  'a/b;c',
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
  'application/json;pretty=1',
  `${'a/b,'.repeat(50)}*/*`,
  'application/json;q=x',
];
const methods = [
  'GET',
  'GET',
  'GET',
  'GET',
  'GET',
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'PATCH',
  'OPTIONS',
  'PROPFIND',
  'TRACE',
  'BREW',
];

const path = (): string => {
  if (often(0.4)) {
    const namespaced = `/apis/custom.metrics.k8s.io/${oneOf(['v1beta1', 'v1beta2'])}/namespaces/${oneOf(['default', 'other'])}`;
    return `${namespaced}/${oneOf(['deployments.apps', 'pods', oneOf(words)])}/${oneOf(['model-1', '*', oneOf(words)])}/${oneOf(['gpumix_target_replicas', oneOf(words)])}`;
  }
  return `/${several(8, () => oneOf(words)).join('/')}${often(0.1) ? '/' : ''}`;
};
const query = (): string => {
  const pairs = several(3, () => {
    const value = oneOf(queryValues);
    return `${oneOf(queryKeys)}=${often(0.8) ? encodeURIComponent(value) : value.replace(/[^!-~]/g, '')}`;
  });
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
};
const headers = (): readonly string[] => [
  'Host: x',
  `Accept: ${oneOf(accepts)}`,
  ...(often(0.9) ? ['X-Remote-User: alice', 'X-Remote-Group: a,b'] : []),
  ...(often(0.1) ? [`X-Remote-Extra-${oneOf(['a', '%zz', '%2f', '__proto__'])}: 1`] : []),
  ...(often(0.1) ? [`Authorization: ${oneOf(['Bearer x', 'Basic x', 'Bearer', '', 'Bearer  '])}`] : []),
  ...(often(0.1) ? ['Audit-ID: \x80\xff'] : []),
  ...(often(0.1) ? [`Accept-Encoding: ${oneOf(['gzip', 'br', 'gzip;q=0', '*'])}`] : []),
  ...(often(0.1) ? ['If-None-Match: "x"'] : []),
  ...(often(0.1) ? ['User-Agent: curl/8'] : []),
];
const request = (): Buffer => {
  const method = oneOf(methods);
  const target = `${path()}${query()}`.replace(/ /g, '%20');
  const body = often(0.05) ? 'x'.repeat(Math.floor(random() * 100)) : '';
  const length = body === '' ? [] : [`Content-Length: ${body.length}`, ...(often(0.5) ? ['Content-Type: application/json'] : [])];
  return Buffer.from(`${method} ${target} HTTP/1.1\r\n${[...headers(), ...length].join('\r\n')}\r\n\r\n${body}`, 'latin1');
};

const kinds = [
  'Status',
  'MetricValueList',
  'ExternalMetricValueList',
  'APIGroupList',
  'APIGroup',
  'APIResourceList',
  'APIGroupDiscoveryList',
];
/** What is wrong with an answer; undefined when all is well. */
const problem = (head: string, body: Buffer, method: string, sent: Buffer): string | undefined => {
  const code = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]);
  // Who asks to be answered within a nanosecond may be told that it took longer.
  const hasty = code === 504 && /[?&]timeout=1ns/.test(sent.toString('latin1'));
  if (code >= 500 && !hasty) return `status ${code}`;
  const type = /\r\ncontent-type: ([^\r]*)/i.exec(head)?.[1] ?? '';
  if (method === 'HEAD' || body.length === 0) return undefined;
  if (type.startsWith('text/plain')) return code === 200 ? undefined : `plain text with ${code}`;
  if (type === 'application/vnd.kubernetes.protobuf') return body.readUInt32BE() === 0x6b387300 ? undefined : 'no magic';
  if (type === 'application/yaml')
    return /^(apiVersion|groups|kind):/.test(body.toString()) ? undefined : 'not an object in YAML';
  if (type.includes('proto-openapi') || /content-encoding: gzip/i.test(head)) return undefined;
  if (!type.startsWith('application/json')) return `type ${type}`;
  const object = JSON.parse(body.toString());
  if (object.kind === 'Status') return object.code === code && object.message !== '' ? undefined : 'Status that does not fit';
  if (code >= 400) return object.paths === undefined || code !== 404 ? `${code} without a Status` : undefined;
  return kinds.includes(object.kind) || object.paths || object.gitVersion ? undefined : `unknown object ${object.kind}`;
};

const folder = mkdtempSync(join(tmpdir(), 'gpumix-fuzz-'));
const save = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const hour = 3_600_000;
const ca = authority('fuzz serving CA');
const frontProxyCA = authority('fuzz front proxy CA');
const client: KeyPair = clientCertificate(frontProxyCA, 'front-proxy-client');
const validity = { notBefore: new Date(Date.now() - hour), notAfter: new Date(Date.now() + hour) };
const serving = issueCertificate({ commonName: 'x', dnsNames: ['localhost'], usages: ['serverAuth'], ...validity }, ca);
const options = {
  certificate: save('tls.crt', serving.certificate),
  key: save('tls.key', serving.privateKey),
  deployments: 200,
  frontProxyCA: save('fp.crt', frontProxyCA.certificate),
};
const server = spawn(process.execPath, ['--expose-gc', join(import.meta.dirname, 'server.ts'), JSON.stringify(options)], {
  stdio: ['pipe', 'pipe', 'inherit'],
});
const lines = createInterface(server.stdout)[Symbol.asyncIterator]();
const nextLine = async (): Promise<string> => (await lines.next()).value ?? '';
const usage = async (): Promise<{ rssMiB: number; heapMiB: number }> => {
  server.stdin.write('\n');
  return JSON.parse(await nextLine());
};
const url = new URL(await nextLine());

const target: Target = {
  port: Number(url.port),
  servername: 'localhost',
  ca: ca.certificate,
  cert: client.certificate,
  key: client.privateKey,
};

const failures: string[] = [];
const codes = new Map<string, number>();
// A refused caller waits for its 401 (up to a second); many connections keep the server busy meanwhile.
const connections = 128;
let left = count;
const progress = benchProgress('api-fuzz');
/** Requests of the warm-up and of the run that are over. */
let over = 0;
const worker = async () => {
  let socket = await open(target);
  while (left > 0) {
    left -= 1;
    over += 1;
    progress.tell(over / (1.5 * count));
    const sent = request();
    const method = sent.toString('latin1', 0, sent.indexOf(' '));
    try {
      const { head, body } = await exchange(socket, sent);
      const code = head.slice(9, 12);
      codes.set(code, (codes.get(code) ?? 0) + 1);
      const wrong = problem(head, body, method, sent);
      if (wrong !== undefined)
        failures.push(
          `${wrong}: ${sent.toString('latin1').slice(0, 300)} -> ${head.slice(0, 80)} ${body.toString().slice(0, 200)}`,
        );
      if (socket.destroyed || /\r\nconnection: close/i.test(head)) {
        socket.destroy();
        socket = await open(target);
      }
    } catch (error) {
      failures.push(`${(error as Error).message}: ${sent.toString('latin1').slice(0, 300)}`);
      socket.destroy();
      socket = await open(target);
    }
  }
  socket.destroy();
};
const run = async (requests: number) => {
  left = requests;
  await Promise.all(Array.from({ length: connections }, worker));
};
await run(count / 2); // warm-up
const before = await usage();
const started = performance.now();
await run(count);
const after = await usage();
progress.end();
const seconds = (performance.now() - started) / 1000;
const grown = after.heapMiB - before.heapMiB;
const byCode = [...codes]
  .sort()
  .map(([code, times]) => `${times} x ${code}`)
  .join(', ');
console.log(
  `fuzz: ${count} requests in ${seconds.toFixed(0)} s (seed ${seed}): ${failures.length} wrong; ${byCode}; live heap ${before.heapMiB.toFixed(2)} -> ${after.heapMiB.toFixed(2)} MiB, RSS ${before.rssMiB.toFixed(0)} -> ${after.rssMiB.toFixed(0)} MiB`,
);
for (const failure of failures.slice(0, 10)) console.log(failure);
const alive = server.exitCode === null;
server.stdin.end();
rmSync(folder, { recursive: true });
process.exitCode = failures.length === 0 && alive && grown < Math.max(1, count / 100_000) ? 0 : 1;
