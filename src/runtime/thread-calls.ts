import type { MessagePort, Worker } from 'node:worker_threads';
import { messageOf } from '../vocabulary/errors.ts';

/** What one thread does for another. What is given and answered is copied. */
// biome-ignore lint/suspicious/noExplicitAny: each call has arguments of its own
export type ThreadCalls = Readonly<Record<string, (...given: any[]) => unknown>>;

/** The same from the other side: every answer comes later. */
export type Remote<Calls> = {
  readonly [Name in keyof Calls]: Calls[Name] extends (...given: infer Given) => infer Answer
    ? (...given: Given) => Promise<Awaited<Answer>>
    : never;
};

type Message =
  | { readonly id: number; readonly call: string; readonly given: readonly unknown[] }
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly problem: string };

/**
 * Calls between two threads, both ways. What a call throws there is thrown here, by its message.
 * @param port the other thread, as it is seen from here
 * @param own what this thread does for the other
 */
export const callsThrough = <Theirs extends ThreadCalls>(port: MessagePort | Worker, own: ThreadCalls): Remote<Theirs> => {
  const waiting = new Map<number, { resolve(answer: unknown): void; reject(error: Error): void }>();
  let last = 0;
  const reply = async ({ id, call, given }: Extract<Message, { readonly call: string }>): Promise<void> => {
    try {
      port.postMessage({ id, answer: await own[call]!(...given) });
    } catch (error) {
      port.postMessage({ id, problem: messageOf(error) });
    }
  };
  port.on('message', (message: Message) => {
    if ('call' in message) return void reply(message);
    const asked = waiting.get(message.id);
    waiting.delete(message.id);
    if ('problem' in message) asked?.reject(new Error(message.problem));
    else asked?.resolve(message.answer);
  });
  return new Proxy({} as Remote<Theirs>, {
    get:
      (_, call) =>
      (...given: readonly unknown[]) =>
        new Promise((resolve, reject) => {
          last += 1;
          waiting.set(last, { resolve, reject });
          port.postMessage({ id: last, call: String(call), given });
        }),
  });
};
