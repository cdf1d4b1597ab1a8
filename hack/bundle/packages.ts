import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RolldownOutput } from 'rolldown';

/** A package of which code is in the bundle. */
export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  /** An SPDX expression, as the package names it. */
  readonly license: string;
  readonly repository: string;
  readonly author: string;
  /** Texts of its licence and notice files, in order of their names. */
  readonly texts: readonly string[];
}

/** Packages of which the bundler kept code, by name and version. @throws Error where one names no licence */
export const bundledPackages = ({ output }: RolldownOutput): readonly BundledPackage[] => {
  const modules = output.flatMap((chunk) =>
    chunk.type === 'chunk'
      ? Object.entries(chunk.modules).flatMap(([id, { renderedLength }]) => (renderedLength > 0 ? [id] : []))
      : [],
  );
  const folders = new Set(modules.flatMap((id) => /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id)?.[1] ?? []));
  const packages = [...folders].map(packageIn);
  const unlike = new Map(packages.map((one) => [`${one.name}@${one.version}`, one]));
  return [...unlike].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
};

const packageIn = (folder: string): BundledPackage => {
  const { name, version, license, repository, author } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    name: string;
    version: string;
    license?: string;
    repository?: string | { readonly url: string };
    author?: string | { readonly name: string };
  };
  if (license === undefined) throw new Error(`${name}@${version} names no licence`);
  const url = typeof repository === 'string' ? repository : (repository?.url ?? '');
  const texts = readdirSync(folder)
    .filter((file) => /^(licen[cs]e|notice|copying)/i.test(file))
    .sort()
    .map((file) => readFileSync(join(folder, file), 'utf8').trim());
  return {
    name,
    version,
    license,
    repository: url.replace(/^git\+/, '').replace(/\.git$/, ''),
    author: (typeof author === 'string' ? author : author?.name)?.replace(/ <.*/, '') ?? name,
    texts,
  };
};
