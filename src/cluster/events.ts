import { forbidden, GpumixError, messageOf } from '../vocabulary/errors.ts';
import type { KubernetesRequest } from './kubernetes-connection.ts';
import type { ModelDeployment } from './variant.ts';

/** A warning that `kubectl describe deployment` shows. */
export interface Warning {
  /** One word, in CamelCase. */
  readonly reason: string;
  readonly message: string;
}

/**
 * Writes an Event of a Deployment. The API server forgets it after an hour.
 * @throws GpumixError FORBIDDEN, KUBERNETES_UNAVAILABLE
 */
export const writeWarning = async (
  request: KubernetesRequest,
  { namespace, name, uid }: Pick<ModelDeployment, 'namespace' | 'name' | 'uid'>,
  { reason, message }: Warning,
  now: Date,
): Promise<void> => {
  const time = now.toISOString();
  const { status, body } = await request('POST', `/api/v1/namespaces/${namespace}/events`, {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { generateName: `${name}.`, namespace },
    involvedObject: { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name, uid },
    type: 'Warning',
    reason,
    message,
    source: { component: 'gpumix' },
    firstTimestamp: time,
    lastTimestamp: time,
    count: 1,
  });
  if (status === 403) throw forbidden('create', 'events', 'ClusterRole gpumix in manifests/');
  if (status !== 201)
    throw new GpumixError('KUBERNETES_UNAVAILABLE', `Event of ${namespace}/${name} not written: ${status} ${messageOf(body)}`);
};
