import type { KubernetesRequest } from '../cluster/kubernetes-connection.ts';

/** An answer of the Kubernetes API server, whatever its status. */
export type KubernetesAnswer = Awaited<ReturnType<KubernetesRequest>>;

export const succeeded = ({ status }: KubernetesAnswer): boolean => status >= 200 && status < 300;

/** Items of a list that was answered. */
export const itemsOf = <Item>({ body }: KubernetesAnswer): readonly Item[] => (body as { readonly items: readonly Item[] }).items;

/** What an answer says that is none, for people. */
export const refusal = ({ status, body }: KubernetesAnswer): string =>
  `${status} ${(body as { readonly message?: string } | null)?.message ?? String(body)}`.trim();
