import type { Profile } from '../../profiles/profile-document.ts';
import { type FoundProfile, limitsText } from '../../profiles/profile-document.ts';
import { beyondSloThroughputs, throughputAt } from '../../profiles/throughput.ts';
import { element } from '../../vocabulary/list-element.ts';
import type { Shape } from './rates-and-shapes.ts';

/** The profile that a Deployment is planned by, and one that has come since and is not believed yet. */
export interface ProfileTrial {
  readonly digest: string;
  /** The document; null = not seen again since a restart. */
  readonly found: FoundProfile | null;
  /** By the sizes that arrived last (replica-seconds); null = nothing has arrived. */
  readonly workPerRequest: number | null;
  /** Whether it ever served a size that arrived. */
  readonly proven: boolean;
  readonly heldBack: HeldBack | null;
}

/** A document that would make the Deployment serve much more than the last one. */
interface HeldBack {
  readonly digest: string;
  /** Replica-seconds. */
  readonly workPerRequest: number;
}

export interface TrialVerdict {
  readonly trial: ProfileTrial;
  /** What to plan by. */
  readonly found: FoundProfile;
  /** Whether this profile lowers nothing: what runs is the least. */
  readonly lowersNothing: boolean;
  /** For people; null = nothing is wrong. */
  readonly problem: string | null;
}

/** A document that says so many times the last one's throughput is more likely wrong than right. */
const incredible = 4;

/**
 * Whether a Deployment is to be planned by the document that it has now, or by the one before. A wrong document must not take
 * replicas from under traffic:
 *
 * - One that serves none of the sizes that arrive is not followed while the last one serves some.
 * - One of more than four times the last one's throughput is held back, until a second document agrees with it or the annotation
 *   `gpumix.io/profile-confirmed` names it.
 * - Where the last one is not known any more, or there never was one, what runs stands for as long as the document serves none of
 *   the sizes that arrive, or is held back.
 *
 * @param shape sizes that arrive; null = not known, and the document's own grid counts
 * @param confirmed digest of the document that a user has confirmed; null = none
 */
export const judgeProfile = (
  trial: ProfileTrial | undefined,
  found: FoundProfile,
  shape: Shape | null,
  confirmed: string | null,
): TrialVerdict => {
  const accepted = (proven: boolean): TrialVerdict => ({
    trial: { digest: found.digest, found, workPerRequest: trial?.workPerRequest ?? null, proven, heldBack: null },
    found,
    lowersNothing: !proven && shape !== null,
    problem: proven || shape === null ? null : noneText(found, 'what runs stands'),
  });
  const sameAsBefore = trial?.digest === found.digest;
  if ((sameAsBefore && trial.proven) || confirmed === found.digest) return accepted(true);
  const servesSome = shape !== null && servesAnyOf(found.profile, shape);
  if (trial === undefined || sameAsBefore) return accepted(servesSome);
  const sizes = shape ?? gridOf(found.profile);
  const last = trial.found;
  const holdBack = (why: string, workPerRequest: number): TrialVerdict => ({
    trial: { ...trial, heldBack: { digest: found.digest, workPerRequest } },
    found: last ?? found,
    lowersNothing: last === null,
    problem: why,
  });
  const whatStands = last === null ? 'what runs stands' : 'the last one stands';
  const work = workPerRequest(found.profile, sizes);
  if (shape !== null && !servesSome && last !== null && servesAnyOf(last.profile, shape))
    return holdBack(noneText(found, whatStands), work);
  const before = last === null ? trial.workPerRequest : workPerRequest(last.profile, sizes);
  const times = before === null ? 0 : before / work;
  const seconded =
    trial.heldBack !== null && trial.heldBack.digest !== found.digest && incredible * work >= trial.heldBack.workPerRequest;
  if (!(times > incredible) || seconded) return accepted(servesSome);
  const text = `the profile ${found.source} says ${times.toFixed(1)} times the throughput of the one before: ${whatStands} until a second document says the same, or the annotation gpumix.io/profile-confirmed: "${found.digest}"`;
  // A document that stays is the first, not its own second.
  return trial.heldBack?.digest === found.digest ? { ...holdBack(text, work), trial } : holdBack(text, work);
};

const noneText = ({ source, profile }: FoundProfile, whatStands: string): string =>
  `the profile ${source} serves none of the sizes that arrive within its limits (${limitsText(profile.slo)}): ${whatStands}`;

const gridOf = ({ inputTokens, outputTokens }: Profile): Shape =>
  inputTokens.flatMap((input) =>
    outputTokens.map((output) => ({
      inputTokens: input,
      outputTokens: output,
      share: 1 / (inputTokens.length * outputTokens.length),
    })),
  );

const servesAnyOf = (profile: Profile, sizes: Shape): boolean =>
  sizes.some(({ inputTokens, outputTokens }) => throughputAt(profile, inputTokens, outputTokens).throughput > 0);

/** What a request of these sizes takes of a replica in the mean (replica-seconds). */
const workPerRequest = (profile: Profile, sizes: Shape): number =>
  beyondSloThroughputs(profile, sizes).reduce((sum, rate, index) => sum + element(sizes, index).share / rate, 0);
