/** The time that latencies are measured in (s), and the way to wait for it. */
export interface Clock {
  now(): number;
  until(time: number): Promise<void>;
}

/** How a request ended; times by the clock that the endpoint was given. */
export type Answer =
  | {
      readonly kind: 'served';
      readonly sentAt: number;
      readonly firstTokenAt: number;
      /** Of the last token. */
      readonly doneAt: number;
      /** As the endpoint counts them; null = it does not. */
      readonly usage: { readonly inputTokens: number; readonly outputTokens: number } | null;
    }
  | {
      readonly kind: 'failed';
      /** It refuses for now (429, 503); it says nothing; it breaks the protocol or cannot be reached; we hung up. */
      readonly cause: 'busy' | 'timeout' | 'broken' | 'aborted';
      readonly message: string;
    };

/** What serves a model. Asked by sockets, or in virtual time. */
export interface Endpoint {
  /** @param onFirstToken called when the first token is there */
  ask(prompt: string, outputTokens: number, signal: AbortSignal, onFirstToken: () => void): Promise<Answer>;
}
