import type { Answer, Clock, Endpoint } from '../../src/benchmark/endpoint.ts';
import { createEngine, type Engine, type EngineRequest, type EngineSpeed } from '../../src/simulation/engine.ts';

interface Request extends EngineRequest {
  readonly sentAt: number;
  firstTokenAt: number;
  readonly onFirstToken: () => void;
  readonly answered: (answer: Answer) => void;
}

/**
 * An engine that is asked in virtual time: hours pass in seconds, and every run is the same. A word is so many tokens. Time goes
 * on to the next thing that happens as soon as everybody waits for something.
 */
export const virtualEndpoint = (
  speed: EngineSpeed,
  tokensPerWord = 1,
): { readonly endpoint: Endpoint; readonly clock: Clock } => {
  let now = 0;
  let pumping = false;
  const alive = new Set<Request>();
  const waiting: { readonly time: number; readonly resume: () => void }[] = [];
  const newEngine = (): Engine<Request> =>
    createEngine<Request>(speed, (kind, request, time) => {
      // Nobody waits for it any more.
      if (!alive.has(request)) return;
      now = time;
      if (kind === 'firstToken') {
        request.firstTokenAt = time;
        request.onFirstToken();
      }
      if (kind !== 'done') return;
      alive.delete(request);
      const { sentAt, firstTokenAt, inputTokens, outputTokens } = request;
      request.answered({ kind: 'served', sentAt, firstTokenAt, doneAt: time, usage: { inputTokens, outputTokens } });
    });
  let engine = newEngine();

  const pump = (): void => {
    if (pumping) return;
    pumping = true;
    setImmediate(() => {
      pumping = false;
      const event = engine.nextEventAt();
      const next = waiting.reduce((least, { time }) => Math.min(least, time), event);
      if (next === Number.POSITIVE_INFINITY) return;
      engine.advance(next);
      now = next;
      for (const due of waiting.filter(({ time }) => time <= next)) {
        waiting.splice(waiting.indexOf(due), 1);
        due.resume();
      }
      if (waiting.length > 0 || alive.size > 0) pump();
    });
  };

  return {
    clock: {
      now: () => now,
      until: (time) =>
        new Promise((resume) => {
          waiting.push({ time: Math.max(time, now), resume });
          pump();
        }),
    },
    endpoint: {
      ask: (prompt, outputTokens, signal, onFirstToken) =>
        new Promise((answered) => {
          const inputTokens = prompt.split(' ').length * tokensPerWord;
          const about = { sentAt: now, firstTokenAt: Number.NaN, onFirstToken, answered };
          const request: Request = { inputTokens, outputTokens, ...about };
          alive.add(request);
          engine.submit(request, now);
          signal.addEventListener('abort', () => {
            answered({ kind: 'failed', cause: 'aborted', message: 'aborted' });
            alive.delete(request);
            if (alive.size === 0) engine = newEngine();
          });
          pump();
        }),
    },
  };
};
