import type { Slo } from '../profiles/profile-document.ts';
import { seeded, seedOf } from '../vocabulary/random.ts';
import { askOnce } from './calibrate.ts';
import type { Endpoint } from './endpoint.ts';
import { isWithin } from './profile-of.ts';
import { measurementsOf, percentile, type Sample } from './samples.ts';
import { type Size, sizeKey } from './sizes.ts';
import { promptOf, type Vocabulary } from './words.ts';

/** Who is asked, and in what words. */
export interface AskedEngine {
  readonly endpoint: Endpoint;
  readonly vocabulary: Vocabulary;
}

export type ServedAlone = Extract<Sample, { kind: 'served' }>;

/** So many, one after the other, tell a size that is late at any rate from one slow answer. */
const requestsAlone = 10;

/**
 * One request with nothing else to do for the engine.
 * @param index each has a prompt of its own: one that the engine has read before would cost it nothing
 * @throws GpumixError ENDPOINT_UNUSABLE
 */
export const askAlone = async (
  size: Size,
  index: number,
  seed: number,
  { endpoint, vocabulary }: AskedEngine,
): Promise<ServedAlone> => {
  const { text } = promptOf(size.inputTokens, vocabulary, seeded(seedOf(`${seed} ${sizeKey(size)} ${index}`)));
  const { sentAt, firstTokenAt, doneAt } = await askOnce(endpoint, text, size.outputTokens);
  return { kind: 'served', sentAt, firstTokenAt, doneAt };
};

/** The first with as many more as it takes, one after the other. */
export const othersAlone = async (
  size: Size,
  first: ServedAlone,
  seed: number,
  asked: AskedEngine,
): Promise<readonly ServedAlone[]> => {
  const all = [first];
  while (all.length < requestsAlone) all.push(await askAlone(size, all.length, seed, asked));
  return all;
};

/** How long one takes by itself (s). */
export const e2eOf = (alone: readonly ServedAlone[]): number =>
  percentile(
    alone.map(({ sentAt, doneAt }) => doneAt - sentAt).sort((a, b) => a - b),
    0.5,
  );

/** Whether most are late even by themselves, and all of them together miss the SLO. */
export const isLateAlone = (alone: readonly ServedAlone[], size: Size, slo: Slo): boolean => {
  const within = (samples: readonly ServedAlone[]) => isWithin(measurementsOf(samples, size, 0), 0, slo);
  return 2 * alone.filter((sample) => within([sample])).length < alone.length && !within(alone);
};
