import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Lease, wantLease } from '../../src/cluster/lease.ts';

/** One Lease as kube-apiserver keeps it: a write with an old resourceVersion is a conflict. The real one: replicas.e2e.ts. */
const leaseServer = () => {
  // biome-ignore lint/suspicious/noExplicitAny: an object of the API
  let stored: any = null;
  let version = 0;
  const server = { status: 0, get: () => stored, remove: () => (stored = null) };
  const keep = (body: unknown) => {
    version += 1;
    stored = structuredClone(body);
    stored.metadata = {
      uid: `uid-${stored.metadata.uid ?? version}`,
      ...stored.metadata,
      resourceVersion: `${version}`,
    };
    return structuredClone(stored);
  };
  const request = async (method: string, _path: string, body?: unknown) => {
    if (server.status > 0) return { status: server.status, body: {} };
    if (method === 'GET') return stored === null ? { status: 404, body: {} } : { status: 200, body: structuredClone(stored) };
    if (method === 'POST') return stored === null ? { status: 201, body: keep(body) } : { status: 409, body: {} };
    // biome-ignore lint/suspicious/noExplicitAny: an object of the API
    const conflict = (body as any).metadata.resourceVersion !== stored?.metadata.resourceVersion;
    return conflict ? { status: 409, body: {} } : { status: 200, body: keep(body) };
  };
  return Object.assign(server, { request });
};

const problems: (string | null)[] = [];
const leases: Lease[] = [];
const want = (server: ReturnType<typeof leaseServer>, identity: string, line = { cut: false }) => {
  const request: typeof server.request = (...asked) =>
    line.cut ? Promise.reject(new Error('connect ECONNREFUSED')) : server.request(...asked);
  const onProblem = (problem: string | null) => problems.push(problem);
  const lease = wantLease({ request, namespace: 'ns', name: 'gpumix', identity, onProblem, onChange: () => {} });
  leases.push(lease);
  return lease;
};
const pass = (seconds: number) => vi.advanceTimersByTimeAsync(seconds * 1000);

beforeEach(() => void vi.useFakeTimers());
afterEach(async () => {
  for (const lease of leases.splice(0)) await lease.release().catch(() => {});
  problems.length = 0;
  vi.useRealTimers();
});

test('the first one makes the Lease and leads; the second waits', async () => {
  const server = leaseServer();
  const one = want(server, 'one');
  await pass(1);
  const two = want(server, 'two');
  await pass(60);
  expect([one.leads(), two.leads()]).toEqual([true, false]);
  expect(server.get().spec).toMatchObject({ holderIdentity: 'one', leaseDurationSeconds: 15, leaseTransitions: 0 });
  expect(server.get().spec.renewTime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  expect(one.term()).toEqual(two.term());
});

test('two that begin in the same moment: one leads', async () => {
  const server = leaseServer();
  const [one, two] = [want(server, 'one'), want(server, 'two')];
  await pass(10);
  expect([one.leads(), two.leads()].sort()).toEqual([false, true]);
});

test('a holder that is released is followed within the retry time, in a new term', async () => {
  const server = leaseServer();
  const one = want(server, 'one');
  await pass(1);
  const two = want(server, 'two');
  await pass(1);
  await one.release();
  expect(one.leads()).toBe(false);
  await pass(2.1);
  expect(two.leads()).toBe(true);
  expect(two.term()?.transitions).toBe(1);
});

test('a holder that is cut off stops leading before another one begins, which waits for the duration', async () => {
  const server = leaseServer();
  const line = { cut: false };
  const one = want(server, 'one', line);
  await pass(1);
  const two = want(server, 'two');
  await pass(3);
  line.cut = true;
  let led = 0;
  for (let second = 0; second < 14; second += 1) {
    await pass(1);
    expect(one.leads() && two.leads()).toBe(false);
    if (one.leads()) led = second;
  }
  expect(led).toBeGreaterThan(5);
  expect([one.leads(), two.leads()]).toEqual([false, false]);
  await pass(6);
  expect([one.leads(), two.leads()]).toEqual([false, true]);
  line.cut = false;
  await pass(6);
  expect([one.leads(), two.leads()]).toEqual([false, true]);
  expect(problems).toEqual(['connect ECONNREFUSED', null]);
});

test('a Lease that is deleted is made again, under another uid', async () => {
  const server = leaseServer();
  const one = want(server, 'one');
  await pass(1);
  const before = one.term()?.uid;
  server.remove();
  await pass(4);
  expect(one.leads()).toBe(true);
  expect(one.term()?.uid).not.toBe(before);
});

test('without the right to it nobody leads, and the message names the object and where the right is', async () => {
  const server = leaseServer();
  server.status = 403;
  const one = want(server, 'one');
  await pass(10);
  expect(one.leads()).toBe(false);
  expect(problems).toEqual(['may not get Lease ns/gpumix: see the Role gpumix in manifests/']);
});

test('a holder whose clock is hours behind, or ahead, keeps the Lease while it renews it', async () => {
  for (const hours of [-2, 2]) {
    const server = leaseServer();
    const skewed: typeof server.request = async (method, path, body) => {
      const spec = (body as { spec?: { renewTime?: string } } | undefined)?.spec;
      if (spec?.renewTime !== undefined)
        spec.renewTime = new Date(Date.parse(spec.renewTime) + hours * 3_600_000).toISOString().replace('Z', '000Z');
      return server.request(method, path, body);
    };
    const one = want({ ...server, request: skewed }, 'one');
    await pass(1);
    const two = want(server, 'two');
    await pass(60);
    expect([one.leads(), two.leads()]).toEqual([true, false]);
    await one.release();
    await two.release();
  }
});

test('a renewal counts from when it was asked for, not from when the answer came', async () => {
  const server = leaseServer();
  const line = { cut: false };
  const slow: typeof server.request = async (...asked) => {
    const answer = await server.request(...asked);
    await new Promise((later) => setTimeout(later, 3000));
    return answer;
  };
  const one = want({ ...server, request: slow }, 'one', line);
  // GET and POST, 3 s each, both asked for in one turn that began at 0.
  await pass(6.1);
  expect(one.leads()).toBe(true);
  line.cut = true;
  await pass(3.8);
  expect(one.leads()).toBe(true);
  await pass(0.2);
  expect(one.leads()).toBe(false);
});
