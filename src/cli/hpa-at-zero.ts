import { type KubernetesAnswer, succeeded } from './kubernetes-answer.ts';

/** Whether an HPA may have minReplicas 0 in a cluster. */
export interface ZeroReplicas {
  /** null = not known. */
  readonly allowed: boolean | null;
  /** Its release: `v1.36`. */
  readonly cluster: string;
}

/** The release from which on HPAScaleToZero is on by default. */
const onSince = 37;

/**
 * By what the API server says of the feature gate HPAScaleToZero, or else by its release, from which on it is on by default.
 * @param answers of `/version`, and of `/metrics`, which administrators may read
 */
export const zeroReplicas = ({
  version,
  gates,
}: {
  readonly version: KubernetesAnswer;
  readonly gates: KubernetesAnswer | null;
}): ZeroReplicas => {
  const { major = '', minor = '' } = succeeded(version)
    ? (version.body as { readonly major?: string; readonly minor?: string })
    : {};
  const release = Number.parseInt(minor, 10);
  const cluster = Number.isNaN(release) ? 'of an unknown release' : `v${major}.${release}`;
  const gate = gates !== null && succeeded(gates) ? gateIn(String(gates.body)) : null;
  return { cluster, allowed: gate ?? (Number.isNaN(release) ? null : release >= onSince) };
};

const gateIn = (metrics: string): boolean | null => {
  const [, value] = /^kubernetes_feature_enabled\{name="HPAScaleToZero"[^}]*\} (\d)/m.exec(metrics) ?? [];
  return value === undefined ? null : value === '1';
};
