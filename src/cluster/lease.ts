import { forbidden, messageOf } from '../vocabulary/errors.ts';
import type { Kubernetes } from './kubernetes-connection.ts';

export interface LeaseOptions {
  readonly request: Kubernetes['request'];
  readonly namespace: string;
  readonly name: string;
  /** Of this process among all that want the Lease. */
  readonly identity: string;
  readonly timing?: LeaseTiming;
  /** Said once per change: a problem, or null when it is over. */
  readonly onProblem: (problem: string | null) => void;
  readonly onChange: (leads: boolean) => void;
}

export interface LeaseTiming {
  /** A Lease that nobody was seen to renew for so long is free (s). */
  readonly durationSeconds: number;
  /** Who could not renew it for so long no longer leads (s); shorter, so that two never do. */
  readonly renewDeadlineSeconds: number;
  readonly retrySeconds: number;
}

/** As in client-go. */
const usual: LeaseTiming = { durationSeconds: 15, renewDeadlineSeconds: 10, retrySeconds: 2 };

/** Which of several replicas leads, by a `coordination.k8s.io` Lease. */
export interface Lease {
  /** True from a renewal on until its deadline, by our own clock. */
  leads(): boolean;
  /** What tells the terms of leaders apart; null = never read. */
  term(): LeaseTerm | null;
  /** Lets go of the Lease, so that another replica leads within seconds. */
  release(): Promise<void>;
}

export interface LeaseTerm {
  /** The Lease's uid: of another cluster, or of one that was deleted and made again, it is another. */
  readonly uid: string;
  /** When it was created (Unix s): of two of the same name the newer one counts. */
  readonly createdAt: number;
  /** Grows with every change of the holder. */
  readonly transitions: number;
}

interface LeaseObject {
  readonly metadata: { readonly uid: string; readonly creationTimestamp?: string };
  readonly spec?: {
    readonly holderIdentity?: string | null;
    readonly leaseDurationSeconds?: number | null;
    readonly renewTime?: string | null;
    readonly leaseTransitions?: number | null;
  };
}

/** Wants the Lease until it is released. What time a holder's clock shows does not matter: only that it moves. */
export const wantLease = (options: LeaseOptions): Lease => {
  const { onProblem, onChange } = options;
  const { retrySeconds } = options.timing ?? usual;
  const claim = leaseClaim(options);
  let problem: string | null = null;
  let led = false;
  let running: Promise<void> | null = null;
  const attempt = async (): Promise<void> => {
    let now: string | null = null;
    try {
      await claim.attempt();
    } catch (error) {
      now = messageOf(error);
    }
    if (now !== problem) onProblem(now);
    problem = now;
    if (claim.leads() !== led) onChange(!led);
    led = claim.leads();
  };
  const turn = () => {
    running ??= attempt().finally(() => {
      running = null;
    });
  };
  turn();
  const timer = setInterval(turn, retrySeconds * 1000).unref();
  return {
    leads: claim.leads,
    term: claim.term,
    release: async () => {
      clearInterval(timer);
      await running;
      await claim.giveBack();
    },
  };
};

/** What one replica knows of the Lease: whether it holds it, and when it may take it from another. */
const leaseClaim = (options: LeaseOptions) => {
  const { request, identity } = options;
  const { durationSeconds, renewDeadlineSeconds } = options.timing ?? usual;
  const collection = `/apis/coordination.k8s.io/v1/namespaces/${options.namespace}/leases`;
  const path = `${collection}/${options.name}`;
  const monotonic = () => performance.now() / 1000;
  let term: LeaseTerm | null = null;
  let heldUntil = 0;
  /** The last renewal of another that we saw, and when we did. */
  let seen = { renewal: '', at: monotonic() };
  const leads = () => monotonic() < heldUntil;

  const hold = (object: LeaseObject, asked: number) => {
    term = termOf(object);
    heldUntil = asked + renewDeadlineSeconds;
  };
  const mine = (transitions: number, acquired: string | undefined) => ({
    holderIdentity: identity,
    leaseDurationSeconds: durationSeconds,
    leaseTransitions: transitions,
    renewTime: microTime(),
    acquireTime: acquired ?? microTime(),
  });

  const create = async (asked: number): Promise<void> => {
    const metadata = { name: options.name, namespace: options.namespace };
    const object = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec: mine(0, undefined) };
    const { status, body } = await request('POST', collection, object, limit());
    if (status === 201) hold(body as LeaseObject, asked);
    else if (status !== 409) throw refused('create', options, status);
  };

  /** Renews the Lease, or takes it where it is free. */
  const attempt = async (): Promise<void> => {
    const asked = monotonic();
    const { status, body } = await request('GET', path, undefined, limit());
    if (status === 404) return await create(asked);
    if (status !== 200) throw refused('get', options, status);
    const object = body as LeaseObject & { readonly spec?: { readonly acquireTime?: string } };
    const spec = object.spec ?? {};
    const transitions = spec.leaseTransitions ?? 0;
    term = termOf(object);
    const isMine = spec.holderIdentity === identity;
    if (!isMine) heldUntil = 0;
    const renewal = `${spec.holderIdentity} ${spec.renewTime} ${transitions}`;
    if (renewal !== seen.renewal) seen = { renewal, at: asked };
    const free = !spec.holderIdentity || asked - seen.at > (spec.leaseDurationSeconds ?? durationSeconds);
    if (!isMine && !free) return;
    const next = isMine ? mine(transitions, spec.acquireTime) : mine(transitions + 1, undefined);
    const answer = await request('PUT', path, { ...object, spec: next }, limit());
    if (answer.status === 200) hold(answer.body as LeaseObject, asked);
    else if (answer.status !== 409) throw refused('update', options, answer.status);
  };

  const giveBack = async (): Promise<void> => {
    if (!leads()) return;
    heldUntil = 0;
    const { status, body } = await request('GET', path, undefined, limit());
    const object = body as LeaseObject;
    if (status !== 200 || object.spec?.holderIdentity !== identity) return;
    await request('PUT', path, { ...object, spec: { ...object.spec, holderIdentity: '' } }, limit());
  };

  return { leads, term: () => term, attempt, giveBack };
};

const termOf = ({ metadata: { uid, creationTimestamp }, spec }: LeaseObject): LeaseTerm => ({
  uid,
  createdAt: creationTimestamp === undefined ? 0 : Date.parse(creationTimestamp) / 1000,
  transitions: spec?.leaseTransitions ?? 0,
});

/** Well within the deadline to renew. */
const limit = () => AbortSignal.timeout(4_000);
const microTime = (): string => new Date().toISOString().replace('Z', '000Z');

const refused = (verb: string, { namespace, name }: LeaseOptions, status: number): Error =>
  status === 403
    ? forbidden(verb, `Lease ${namespace}/${name}`, 'Role gpumix in manifests/')
    : new Error(`cannot ${verb} Lease ${namespace}/${name}: kube-apiserver answered ${status}`);
