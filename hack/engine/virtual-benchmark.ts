import { type SweepOptions, sweep } from '../../src/benchmark/sweep.ts';
import { assumedVocabulary, type Vocabulary } from '../../src/benchmark/words.ts';
import type { Slo } from '../../src/profiles/profile-document.ts';
import type { EngineSpeed } from '../../src/simulation/engine.ts';
import { virtualEndpoint } from './virtual-endpoint.ts';

export interface VirtualBenchmark {
  /** As `gpumix benchmark` writes them. */
  readonly lines: readonly string[];
  readonly probes: number;
  /** For which the engine was busy. */
  readonly seconds: number;
}

/** What `gpumix benchmark` does by default, but the grid. */
export const usualSweep = (slo: Slo): Omit<SweepOptions, 'inputs' | 'outputs'> => ({
  rateStart: null,
  rateLimit: 1000,
  precision: 0.05,
  slo,
  requests: 300,
  mostSeconds: 300,
  seed: 0,
  model: 'm',
  temperature: 0,
});

/** `gpumix benchmark` of the engine model in virtual time. @param tokensPerWord fewer words take less of our own time */
export const virtualBenchmark = async (
  speed: EngineSpeed,
  options: SweepOptions,
  tokensPerWord = 1,
): Promise<VirtualBenchmark> => {
  const { endpoint, clock } = virtualEndpoint(speed, tokensPerWord);
  const lines: string[] = [];
  let probes = 0;
  const tools = {
    endpoint,
    clock,
    vocabulary: vocabularyOf(tokensPerWord),
    append: async (more: readonly string[]) => void lines.push(...more),
    tell: ({ kind }: { readonly kind: string }) => {
      if (kind === 'probe') probes += 1;
    },
  };
  await sweep(options, tools, []);
  return { lines, probes, seconds: clock.now() };
};

/** Words that are all of so many tokens. */
export const vocabularyOf = (tokensPerWord: number): Vocabulary => ({
  overhead: 0,
  groups: [{ tokens: tokensPerWord, words: assumedVocabulary.groups[0]!.words }],
});
