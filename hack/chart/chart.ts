/**
 * Writes the templates of charts/gpumix of the files that kustomize applies, so that both install the same objects.
 *
 *   node hack/chart/chart.ts           write them
 *   node hack/chart/chart.ts --check   fail where one differs
 */
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Either, type Fields, isFields, type Node, When } from './conditional.ts';
import { type Source, sources } from './sources.ts';
import { template, verbatim } from './template.ts';

const root = join(import.meta.dirname, '../..');
const folder = join(root, 'charts/gpumix/templates');

/** Environment variables whose value is a value of the chart, with or without a component that sets another. */
const variables: Readonly<Record<string, string>> = {
  REDIS_URL: '.Values.redis.url',
  GPUMIX_PROFILES: '.Values.profiles',
  GPUMIX_UPSTREAM: '.Values.upstream.service',
};

/** What a user may choose of a Deployment, by the name that its values have. */
const chosen = (deployment: Fields): Fields => {
  const values = (deployment['metadata'] as Fields)['name'] === 'gpumix' ? '.Values' : '.Values.gateway';
  const spec = deployment['spec'] as Fields;
  const pod = spec['template'] as Fields;
  const podSpec = pod['spec'] as Fields;
  const [container, ...others] = podSpec['containers'] as readonly Fields[];
  const given = (name: string, value: string) => ({ [name]: new When(value, verbatim(`{{ toYaml ${value} | nindent 8 }}`)) });
  return {
    ...deployment,
    spec: {
      ...spec,
      replicas: verbatim(`{{ ${values}.replicas }}`),
      template: {
        ...pod,
        spec: {
          ...podSpec,
          ...given('imagePullSecrets', '.Values.imagePullSecrets'),
          ...given('nodeSelector', `${values}.nodeSelector`),
          ...given('tolerations', `${values}.tolerations`),
          containers: [
            {
              ...container,
              image: verbatim('{{ include "gpumix.image" . }}'),
              ...('resources' in container! ? { resources: verbatim(`{{ toYaml ${values}.resources | nindent 12 }}`) } : {}),
              env: [...(container!['env'] as readonly Node[]), verbatim(extraSettings(`${values}.settings`))],
            },
            ...others,
          ],
        },
      },
    },
  };
};

const extraSettings = (values: string): string =>
  [
    `{{- range $name, $value := ${values} }}`,
    '        - name: {{ $name }}',
    '          value: {{ $value | quote }}',
    '{{- end }}',
  ].join('\n');

/** Names of the namespace become the release's, and variables that are values of the chart these. */
const valued = (node: Node): Node => {
  if (typeof node === 'string')
    return node.startsWith('\u0000') ? node : node.replaceAll('gpumix-system', '{{ .Release.Namespace }}');
  if (Array.isArray(node)) return (node as readonly Node[]).map(valued);
  if (node instanceof When) return new When(node.condition, valued(node.value));
  if (node instanceof Either) return new Either(node.condition, valued(node.wanted), valued(node.otherwise));
  if (!isFields(node)) return node;
  const variable = typeof node['name'] === 'string' ? variables[node['name']] : undefined;
  if (variable !== undefined && 'value' in node) return { ...node, value: verbatim(`{{ ${variable} | quote }}`) };
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, valued(value)]));
};

const templateOf = ({ object, conditions }: Source): string => {
  const text = template(valued(object['kind'] === 'Deployment' ? chosen(object) : object));
  const [first, ...more] = conditions;
  if (first === undefined) return `---\n${text}`;
  const all = more.length === 0 ? first : `and ${conditions.map((one) => (one.includes(' ') ? `(${one})` : one)).join(' ')}`;
  return `{{- if ${all} }}\n---\n${text}\n{{- end }}`;
};

/** Path of each generated template below `templates`, and its text. */
const generated = (): ReadonlyMap<string, string> =>
  new Map(
    [...Map.groupBy(sources(), ({ file }) => file)].map(([file, all]) => [
      file,
      [`# Written by hack/chart/chart.ts of ${file}; do not edit.`, ...all.map(templateOf), ''].join('\n'),
    ]),
  );

const wanted = generated();
const there = globSync('{manifests,apiservice}/**/*.yaml', { cwd: folder });
if (process.argv.includes('--check')) {
  const read = (path: string) => (there.includes(path) ? readFileSync(join(folder, path), 'utf8') : '');
  const differing = [...new Set([...wanted.keys(), ...there])].filter((path) => (wanted.get(path) ?? '') !== read(path));
  for (const path of differing) console.error(`charts/gpumix/templates/${path} is not what hack/chart/chart.ts writes`);
  if (differing.length > 0) process.exitCode = 1;
} else {
  for (const path of ['manifests', 'apiservice']) rmSync(join(folder, path), { recursive: true, force: true });
  for (const [path, text] of wanted) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}
