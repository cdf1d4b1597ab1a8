import { createHash } from 'node:crypto';
import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { deploymentKey } from '../vocabulary/deployment-key.ts';
import { GpumixError, messageOf } from '../vocabulary/errors.ts';
import type { Profile } from './profile-document.ts';
import { type FoundProfile, limitsText, type Profiles, parseProfile, servesAnything } from './profile-document.ts';

/** A Deployment that needs a profile. */
export interface ProfileWanted {
  readonly namespace: string;
  readonly name: string;
  readonly model: string;
  readonly gpu: string | null;
  readonly gpusPerReplica: number;
}

/** A deleted profile still counts this long (s). */
const deletedProfileSeconds = 60;

/**
 * Profiles of Redis keys `aibrix:profile_<model>_<deployment>`, read by name, and of a folder of `<model>/<file>.json`.
 * A key beats a file, and a file for the Deployment one for its GPU type. A document is read again when its content
 * changes, whatever its `created` says; one that cannot be read, or serves no size at all, leaves the last good version standing.
 */
export const profileSources = (
  readKeys: ((keys: readonly string[]) => Promise<readonly (string | null)[]>) | null,
  folder: string | null,
): ((wanted: readonly ProfileWanted[], now: number) => Promise<Profiles>) => {
  const keys = documents();
  const files = documents();
  const remembered = new Map<string, FoundProfile>();
  return async (wanted, now) => {
    const names = readKeys === null ? [] : [...new Set(wanted.flatMap(profileKeys))];
    // Where Redis cannot be read, what it said before stands.
    const values = names.length === 0 || readKeys === null ? [] : await readKeys(names).catch(() => null);
    if (values !== null)
      keys.update(
        names.map((key, index) => ({ source: key, content: values[index] ?? null })),
        now,
      );
    if (folder !== null) files.update(folderContents(folder), now);
    const found = new Map<string, FoundProfile>();
    for (const variant of wanted) {
      const deployment = deploymentKey(variant);
      const match =
        profileKeys(variant)
          .flatMap((key) => keys.get(key) ?? [])
          .find(({ profile }) => isFor(profile, variant)) ?? matchingFile(files.all(), variant);
      if (match !== undefined) remembered.set(deployment, { ...match, seenAt: now });
      const standing = remembered.get(deployment);
      if (standing !== undefined && now - standing.seenAt <= deletedProfileSeconds) found.set(deployment, standing);
    }
    return { found, problems: [...keys.problems(), ...files.problems()] };
  };
};

/** A Deployment's profile may be filed under its bare name or its full one. */
const profileKeys = (wanted: ProfileWanted): readonly string[] => [
  `aibrix:profile_${wanted.model}_${deploymentKey(wanted)}`,
  `aibrix:profile_${wanted.model}_${wanted.name}`,
];

/** What counts is the name inside: keys of different models and Deployments can be the same text. */
const isFor = ({ deployment }: Profile, wanted: ProfileWanted): boolean =>
  deployment === wanted.name || deployment === deploymentKey(wanted);

const matchingFile = (files: readonly FoundProfile[], wanted: ProfileWanted): FoundProfile | undefined => {
  const ofModel = files.filter(({ source }) => source.startsWith(`${wanted.model}/`));
  return (
    ofModel.find(({ profile }) => isFor(profile, wanted)) ??
    ofModel.find(
      ({ profile }) =>
        profile.deployment === null && profile.gpu === wanted.gpu && (profile.gpusPerReplica ?? 1) === wanted.gpusPerReplica,
    )
  );
};

interface Content {
  readonly source: string;
  /** null = it is gone. */
  readonly content: string | null;
}

/** Documents by source, parsed once per change of content. */
const documents = () => {
  const known = new Map<
    string,
    { readonly digest: string; readonly found: FoundProfile | null; readonly problem: string | null }
  >();
  return {
    get: (source: string): FoundProfile | undefined => known.get(source)?.found ?? undefined,
    all: (): readonly FoundProfile[] => [...known.values()].flatMap(({ found }) => found ?? []),
    problems: (): readonly string[] => [...known.values()].flatMap(({ problem }) => problem ?? []),
    update: (contents: readonly Content[], now: number): void => {
      const present = new Set(contents.map(({ source }) => source));
      for (const source of known.keys()) if (!present.has(source)) known.delete(source);
      for (const { source, content } of contents) {
        if (content === null) {
          known.delete(source);
          continue;
        }
        const digest = createHash('sha256').update(content).digest('hex').slice(0, 8);
        const last = known.get(source);
        if (last?.digest === digest) continue;
        try {
          known.set(source, {
            digest,
            found: { profile: usefulProfile(content, source), source, seenAt: now, digest },
            problem: null,
          });
        } catch (error) {
          known.set(source, { digest, found: last?.found ?? null, problem: messageOf(error) });
        }
      }
    },
  };
};

/** @throws GpumixError BAD_PROFILE */
const usefulProfile = (content: string, source: string): Profile => {
  const profile = parseProfile(content, source);
  if (servesAnything(profile)) return profile;
  throw new GpumixError(
    'BAD_PROFILE',
    `${source}: every cell of tputs is 0: no size is served within its limits (${limitsText(profile.slo)})`,
  );
};

/** All `.json` files below a folder, by their path in it. A missing folder is an empty one. */
const folderContents = (folder: string): readonly Content[] => {
  let entries: Dirent[] = [];
  try {
    entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  } catch {
    return [];
  }
  return (
    entries
      .map((entry) => join(entry.parentPath, entry.name))
      // A mounted ConfigMap shows its files twice: the folder of the other view starts with two dots.
      .filter(
        (path) =>
          !relative(folder, path).startsWith('..') &&
          path.endsWith('.json') &&
          statSync(path, { throwIfNoEntry: false })?.isFile() === true,
      )
      .map((path) => ({ source: relative(folder, path), content: readFileSync(path, 'utf8') }))
      .sort((a, b) => (a.source < b.source ? -1 : 1))
  );
};
