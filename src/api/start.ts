import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { Registry } from 'prom-client';
import type { KubernetesRequest } from '../cluster/kubernetes-connection.ts';
import { listening } from '../runtime/listen.ts';
import { hostAndPort } from '../runtime/plain-http.ts';
import { type ApiOptions, buildServer } from './api-server.ts';
import { authenticator, isCredentialHeader } from './authentication.ts';
import { watchAuthenticationConfig } from './authentication-config.ts';
import { authorizer } from './authorization.ts';
import { customMetrics } from './custom-metrics.ts';
import { externalMetrics } from './external-metrics.ts';
import type { ReadyCheck } from './health-endpoints.ts';
import { sayingRefusals } from './reviews.ts';
import type { ServingCertificate } from './serving-certificate.ts';

export interface StartOptions extends Omit<ApiOptions, 'groups' | 'certificate' | 'access' | 'registry'> {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Serve external.metrics.k8s.io too; another adapter, KEDA's say, may own that group. */
  readonly external?: boolean;
  /** Metrics of the rest of the process, to be shown with the API's own. */
  readonly registry?: Registry;
}
export interface SecureOptions extends StartOptions {
  readonly kubernetes: KubernetesRequest;
  readonly certificate: ServingCertificate;
}

export interface RunningServer {
  readonly url: string;
  /**
   * Says that it is going away, keeps answering for `seconds` until everybody has heard, then finishes what is in
   * flight and closes.
   */
  readonly drain: (seconds: number) => Promise<void>;
}

/**
 * Serves the aggregated API: TLS, the caller's identity from the front proxy, his rights from SubjectAccessReview.
 * Throws when we may not read whom the cluster trusts.
 */
export const startServer = async (options: SecureOptions): Promise<RunningServer> => {
  const { kubernetes, certificate, log } = options;
  const config = await watchAuthenticationConfig(kubernetes, log);
  const reviews = sayingRefusals(kubernetes, log);
  const access = {
    authenticate: authenticator(config, reviews),
    authorize: authorizer(reviews),
    isCredentialHeader: (name: string) => isCredentialHeader(config, name),
  };
  const readable: ReadyCheck = {
    name: 'authentication-config',
    problem: () => (config.current() === undefined ? 'not read yet' : undefined),
  };
  const trusted: ReadyCheck = { name: 'serving-certificate', problem: certificate.problem };
  const readyChecks = [trusted, readable, ...options.readyChecks];
  const running = await listen(options, { certificate, access, readyChecks });
  const drain = async (seconds: number) => {
    await running.drain(seconds);
    config.stop();
    certificate.stop();
  };
  return { ...running, drain };
};

/** The same routes in plain HTTP for whoever asks: for the demo, on loopback. */
export const startOpenServer = (options: StartOptions): Promise<RunningServer> =>
  listen(options, { certificate: null, access: null, readyChecks: options.readyChecks });

type Parts = Pick<ApiOptions, 'certificate' | 'access' | 'readyChecks'>;

const listen = async (options: StartOptions, parts: Parts): Promise<RunningServer> => {
  const { host, port, registry = new Registry(), external = false, ...common } = options;
  const groups = external ? [customMetrics, externalMetrics] : [customMetrics];
  let draining = false;
  const shutdown: ReadyCheck = { name: 'shutdown', problem: () => (draining ? 'process is shutting down' : undefined) };
  const app = buildServer({ ...common, groups, registry, ...parts, readyChecks: [...parts.readyChecks, shutdown] });
  await listening(host, port, () => app.listen({ host, port }));
  const { port: chosen } = app.server.address() as AddressInfo;
  const url = `${parts.certificate === null ? 'http' : 'https'}://${hostAndPort(host, chosen)}`;
  const drain = async (seconds: number) => {
    draining = true;
    await pause(seconds * 1000);
    await app.close();
    options.upstream?.stop();
  };
  return { url, drain };
};
