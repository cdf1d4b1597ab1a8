import type { FoundProfile, Profile } from '../profiles/profile-document.ts';
import { type Finding, note } from './finding.ts';

/** More of a larger size than of a smaller one by this factor is no noise of a measurement. */
const tooMuch = 1.25;
/** Places that are named at most. */
const named = 3;

/** Profiles that cannot be right: a larger size is served faster, or at all where a smaller one is not. */
export const profileFindings = (found: ReadonlyMap<string, FoundProfile>): readonly Finding[] => {
  const bySource = new Map([...found.values()].map(({ source, profile }) => [source, profile]));
  return [...bySource].flatMap(([source, profile]) => {
    const places = oddPlaces(profile);
    if (places.length === 0) return [];
    const more = places.length > named ? ` and at ${places.length - named} other sizes` : '';
    return [
      note(
        'profile-shape',
        `profile ${source}`,
        `serves more of a larger size than of a smaller one: ${places.slice(0, named).join('; ')}${more}`,
      ),
    ];
  });
};

/** Sizes that serve less than the next larger one, in tokens in or out. */
const oddPlaces = ({ inputTokens, outputTokens, throughput }: Profile): readonly string[] => {
  const rate = (input: number, output: number): number => throughput[input * outputTokens.length + output] ?? Number.NaN;
  const sizeText = (input: number, output: number): string =>
    `${inputTokens[input]} + ${outputTokens[output]} tokens ${Number(rate(input, output).toPrecision(3))}`;
  return inputTokens.flatMap((_, input) =>
    outputTokens.flatMap((__, output) =>
      (
        [
          [input + 1, output],
          [input, output + 1],
        ] as const
      )
        .filter(([nextInput, nextOutput]) => nextInput < inputTokens.length && nextOutput < outputTokens.length)
        .filter(([nextInput, nextOutput]) => rate(nextInput, nextOutput) > tooMuch * rate(input, output))
        .map(([nextInput, nextOutput]) => `${sizeText(input, output)}, ${sizeText(nextInput, nextOutput)} req/s`),
    ),
  );
};
