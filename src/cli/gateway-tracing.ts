import type { KubernetesRequest } from '../cluster/kubernetes-connection.ts';
import { objectKey } from '../cluster/kubernetes-object.ts';
import { type Finding, wrong } from './finding.ts';
import { itemsOf, type KubernetesAnswer, succeeded } from './kubernetes-answer.ts';
import { versionOfImage } from './pod-autoscaler-traps.ts';

/** The Deployments of AIBrix's gateway. @param selector its name, or labels `key=value,key=value` */
export const askForGateway = async (kubernetes: KubernetesRequest, selector: string): Promise<KubernetesAnswer> =>
  await kubernetes(
    'GET',
    `/apis/apps/v1/deployments?${selector.includes('=') ? 'labelSelector' : 'fieldSelector'}=${encodeURIComponent(
      selector.includes('=') ? selector : `metadata.name=${selector}`,
    )}`,
  );

interface GatewayObject {
  readonly metadata: { readonly namespace: string; readonly name: string };
  readonly spec: {
    readonly template: {
      readonly spec: { readonly containers: readonly GatewayContainer[] };
    };
  };
}
interface GatewayContainer {
  readonly name: string;
  readonly image?: string;
  readonly env?: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: unknown }[];
  /** Names that come from elsewhere: what they say is not seen. */
  readonly envFrom?: readonly unknown[];
}

const tracing = 'AIBRIX_GPU_OPTIMIZER_TRACING_FLAG';
/** From v0.4.0 on tracing is off without both of these, whatever its own flag says; v0.4 calls them otherwise. */
const besides = {
  'v0.4': ['AIBRIX_KV_EVENT_SYNC_ENABLED', 'AIBRIX_USE_REMOTE_TOKENIZER'],
  later: ['AIBRIX_PREFIX_CACHE_KV_EVENT_SYNC_ENABLED', 'AIBRIX_PREFIX_CACHE_USE_REMOTE_TOKENIZER'],
};

/**
 * Switches that a release needs to write records; v0.1 and v0.2 write them in any case.
 * @param version `v0.7.0`; null = not known
 */
export const tracingSwitches = (version: string | null): readonly string[] => {
  const [major = 0, minor = 0] = version?.slice(1).split('.').map(Number) ?? [0, 99];
  if (major === 0 && minor < 3) return [];
  if (major === 0 && minor === 3) return [tracing];
  return [tracing, ...(major === 0 && minor === 4 ? besides['v0.4'] : besides.later)];
};

/** As Go reads a switch. */
const isOn = (value: string | undefined): boolean => /^(?:1|t|T|true|TRUE|True)$/.test(value ?? '');

/** Gateways of AIBrix that write no request records, by their own settings. */
export const tracingFindings = (answer: KubernetesAnswer): readonly Finding[] =>
  (succeeded(answer) ? itemsOf<GatewayObject>(answer) : []).flatMap(({ metadata, spec }) => {
    const { containers } = spec.template.spec;
    const gateway = containers.find(({ image }) => /gateway-plugins?(?:[:@]|$)/.test(image ?? '')) ?? containers[0];
    if (gateway === undefined || (gateway.envFrom ?? []).length > 0) return [];
    const version = versionOfImage(gateway.image ?? '');
    const env = new Map((gateway.env ?? []).map((variable) => [variable.name, variable]));
    const off = tracingSwitches(version).filter((name) => env.get(name)?.valueFrom === undefined && !isOn(env.get(name)?.value));
    if (off.length === 0) return [];
    const release = version === null ? '' : ` (${version})`;
    return [
      wrong(
        'tracing-off',
        `Deployment ${objectKey(metadata)}${release}`,
        `writes no request records: ${off.join(' and ')} ${off.length === 1 ? 'is' : 'are'} not true`,
        `kubectl set env deployment/${metadata.name} -n ${metadata.namespace} -c ${gateway.name} ${off.map((name) => `${name}=true`).join(' ')}`,
      ),
    ];
  });
