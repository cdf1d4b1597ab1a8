import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Started, startEngine, temporaryFolder } from './processes.ts';

/** A server that speaks OpenAI's protocol. */
export type Engine = Pick<Started, 'url' | 'stop'>;

/** Engines, each in a process of its own, as many of each variant as are asked for; and the file that tells a gateway. */
export interface EngineFleet {
  readonly file: string;
  /** Starts and stops engines until there are so many of each. Those that go are out of the file before they end. */
  resize(wanted: Readonly<Record<string, number>>): Promise<void>;
  counts(): Readonly<Record<string, number>>;
  origins(): readonly string[];
  stop(): Promise<void>;
}

/** How long an engine that is no longer in the file has for what it is working on (ms). */
const drainMilliseconds = 150_000;

/**
 * @param gpus GPU of the engine model, by variant
 * @param start another kind of engine
 */
export const engineFleet = (
  model: string,
  gpus: Readonly<Record<string, string>>,
  start: (gpu: string) => Promise<Engine> = (gpu) => startEngine('--gpu', gpu, '--model', model),
): EngineFleet => {
  const file = join(temporaryFolder(), 'endpoints.json');
  const engines = new Map<string, Engine[]>(Object.keys(gpus).map((variant) => [variant, []]));
  const leaving = new Map<Engine, NodeJS.Timeout>();
  const write = (): void => {
    const variants = [...engines].map(([variant, all]) => [variant, all.map(({ url }) => url)]);
    writeFileSync(file, JSON.stringify({ [model]: Object.fromEntries(variants) }));
  };
  write();
  return {
    file,
    resize: async (wanted) => {
      for (const [variant, all] of engines) {
        const count = wanted[variant] ?? 0;
        while (all.length < count) all.push(await start(gpus[variant]!));
        for (const one of all.splice(count))
          leaving.set(
            one,
            setTimeout(() => void one.stop(), drainMilliseconds),
          );
      }
      write();
    },
    counts: () => Object.fromEntries([...engines].map(([variant, all]) => [variant, all.length])),
    origins: () => [...engines.values()].flat().map(({ url }) => url),
    stop: async () => {
      for (const all of engines.values()) for (const one of all.splice(0)) await one.stop();
      for (const [one, timer] of leaving) {
        clearTimeout(timer);
        await one.stop();
      }
    },
  };
};
