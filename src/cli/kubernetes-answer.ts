import type { KubernetesRequest } from '../cluster/kubernetes-connection.ts';
import { messageOf } from '../vocabulary/errors.ts';

/** An answer of the Kubernetes API server, whatever its status; 0 = there was none. */
export type KubernetesAnswer = Awaited<ReturnType<KubernetesRequest>>;

/** Asks such that one question without an answer does not spoil those that have one. */
export const askedInPeace =
  (request: KubernetesRequest): KubernetesRequest =>
  async (...question) => {
    try {
      return await request(...question);
    } catch (error) {
      return { status: 0, body: { message: messageOf(error) } };
    }
  };

export const succeeded = ({ status }: KubernetesAnswer): boolean => status >= 200 && status < 300;

/** Items of a list that was answered. */
export const itemsOf = <Item>({ body }: KubernetesAnswer): readonly Item[] => (body as { readonly items: readonly Item[] }).items;

/** What an answer says that is none, for people. */
export const refusal = ({ status, body }: KubernetesAnswer): string =>
  `${status === 0 ? '' : status} ${(body as { readonly message?: string } | null)?.message ?? String(body)}`.trim();
