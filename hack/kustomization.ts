import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { stringify } from 'yaml';

const root = join(import.meta.dirname, '..');

/** A user's kustomization around what is shipped; folders count from the root of the project. */
export interface Wrapper {
  readonly resources?: readonly string[];
  readonly components?: readonly string[];
  readonly transformers?: readonly string[];
  readonly namespace?: string;
  readonly images?: readonly { readonly name: string; readonly newName?: string; readonly newTag?: string }[];
  readonly patches?: readonly { readonly target: object; readonly patch: string }[];
}

/** Writes it to a folder of its own under `parent`; answers that folder, for `kubectl apply -k`. */
export const kustomization = (
  { resources = ['manifests'], components = [], transformers = [], ...rest }: Wrapper,
  parent: string = tmpdir(),
): string => {
  const folder = mkdtempSync(join(parent, 'gpumix-kustomization-'));
  const fromHere = (paths: readonly string[]) => paths.map((path) => relative(folder, join(root, path)));
  const document = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: fromHere(resources),
    components: fromHere(components.map((name) => (name.includes('/') ? name : `manifests/components/${name}`))),
    transformers: fromHere(transformers),
    ...rest,
  };
  writeFileSync(join(folder, 'kustomization.yaml'), stringify(document));
  return folder;
};
