import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { type Fields, type Node, patched } from './conditional.ts';

const root = join(import.meta.dirname, '../..');

/** An object that kustomize would apply, and on what the chart lets it depend. */
export interface Source {
  /** The file that it is from, from the root. */
  readonly file: string;
  readonly object: Fields;
  /** All of them must hold. */
  readonly conditions: readonly string[];
}
interface Kustomization {
  readonly resources?: readonly string[];
  readonly labels?: readonly { readonly pairs: Readonly<Record<string, string>> }[];
  readonly patches?: readonly { readonly target: { readonly kind: string; readonly name?: string }; readonly patch: string }[];
}

/** Folders of manifests whose objects are in a chart, and the value that switches each on; null = always. */
const folders: readonly (readonly [string, string | null])[] = [
  ['manifests/base', null],
  ['apiservice', '.Values.apiService.enabled'],
  ['apiservice/external', '.Values.externalMetrics.enabled'],
  ['manifests/gateway', '.Values.gateway.enabled'],
];

/** Components in the order of the sample, which is the order to keep. */
export const components: readonly string[] = [
  ...readFileSync(join(root, 'manifests/samples/wrapper/kustomization.yaml'), 'utf8').matchAll(/components\/([a-z-]+)$/gm),
].map(([, name = '']) => name);

/** The value that switches a component on: `cert-manager` is `.Values.certManager.enabled`. */
const switchOf = (component: string): string =>
  `.Values.${component.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())}.enabled`;

const kustomizationIn = (folder: string): Kustomization =>
  parse(readFileSync(join(root, folder, 'kustomization.yaml'), 'utf8')) as Kustomization;

const objectsOf = (folder: string, condition: string | null): readonly Source[] => {
  const { resources = [], labels = [] } = kustomizationIn(folder);
  const pairs = Object.assign({}, ...labels.map((one) => one.pairs)) as Record<string, string>;
  return resources
    .filter((name) => name.endsWith('.yaml'))
    .flatMap((name) => {
      const file = join(folder, name);
      return parseAllDocuments(readFileSync(join(root, file), 'utf8')).map((document) => {
        const object = document.toJS() as Fields & { metadata: Fields };
        const own = object.metadata['labels'] as Fields | undefined;
        const metadata = Object.keys(pairs).length === 0 ? object.metadata : { ...object.metadata, labels: { ...pairs, ...own } };
        return { file, object: { ...object, metadata }, conditions: condition === null ? [] : [condition] };
      });
    });
};

const withComponent = (sources: readonly Source[], component: string): readonly Source[] => {
  const condition = switchOf(component);
  const folder = `manifests/components/${component}`;
  const all = [...sources, ...objectsOf(folder, condition)];
  return (kustomizationIn(folder).patches ?? []).reduce<readonly Source[]>((before, { target, patch }) => {
    const { apiVersion, kind, metadata, $patch, ...change } = parse(patch) as Fields & { metadata: Fields };
    const { name: _, ...more } = metadata;
    const isMeant = ({ object }: Source) =>
      object['kind'] === target.kind &&
      new RegExp(`^(${target.name ?? '.*'})$`).test(String((object['metadata'] as Fields)['name']));
    return before.map((source) => {
      if (!isMeant(source)) return source;
      if ($patch === 'delete') return { ...source, conditions: [...source.conditions, `not ${condition}`] };
      const whole: Node = { ...change, ...(Object.keys(more).length === 0 ? {} : { metadata: more }) };
      return { ...source, object: patched(source.object, whole, condition) as Fields };
    });
  }, all);
};

/** All that a chart has, from the files that kustomize reads. The Namespace is Helm's (--create-namespace). */
export const sources = (): readonly Source[] =>
  components
    .reduce(
      withComponent,
      folders.flatMap(([folder, condition]) => objectsOf(folder, condition)),
    )
    .filter(({ object }) => object['kind'] !== 'Namespace');
