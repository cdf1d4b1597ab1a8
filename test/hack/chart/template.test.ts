import { expect, test } from 'vitest';
import { Either, When } from '../../../hack/chart/conditional.ts';
import { template, verbatim } from '../../../hack/chart/template.ts';

test('conditions stand around what depends on them; a list without items is not there', () => {
  const object = {
    kind: 'Pod',
    name: 'gpumix:{{ .Release.Namespace }}',
    replicas: verbatim('{{ .Values.replicas }}'),
    user: new When('not .X', 1),
    file: new Either('.X', 'a', 'b'),
    volumes: [new When('.X', { name: 'x' }), new When('.Y', { name: 'y' })],
    nothing: {},
  };
  expect(template(object).split('\n')).toEqual([
    'kind: Pod',
    'name: "gpumix:{{ .Release.Namespace }}"',
    'replicas: {{ .Values.replicas }}',
    '{{- if not .X }}',
    'user: 1',
    '{{- end }}',
    '{{- if .X }}',
    'file: a',
    '{{- else }}',
    'file: b',
    '{{- end }}',
    '{{- if or (.X) (.Y) }}',
    'volumes:',
    '{{- if .X }}',
    '- name: x',
    '{{- end }}',
    '{{- if .Y }}',
    '- name: y',
    '{{- end }}',
    '{{- end }}',
    'nothing: {}',
  ]);
});

test('an item whose first field depends on a condition has no template', () => {
  expect(() => template({ env: [{ name: new When('.X', 'a') }] })).toThrow('depends on a condition');
});
