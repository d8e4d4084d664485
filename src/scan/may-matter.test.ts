import { expect, it } from 'vitest';
import { isOnlySchemas, mayMatter } from './may-matter.ts';

const big = (text: string) => `${text}\nrules:\n${'- verbs: [get]\n'.repeat(1000)}`;

it('small parts are always worth parsing, big ones where they speak of images', () => {
  expect(mayMatter('a: 1')).toBe(true);
  expect(mayMatter(big('kind: ClusterRole'))).toBe(false);
  expect(mayMatter(big('image: x'))).toBe(true);
  expect(mayMatter(big('x: quay.io/a/b:1'))).toBe(true);
  expect(mayMatter(big('kind: Secret'))).toBe(true);
});

it('big schemas only where an image is the default of a field', () => {
  expect(mayMatter(big('kind: CustomResourceDefinition\nproperties: {image: {type: string}}'))).toBe(false);
  expect(mayMatter(big('kind: CustomResourceDefinition\n  default: quay.io/a/b:1'))).toBe(true);
});

it('a template of nothing but big schemas is not rendered', () => {
  const schema = big('{{- if .Values.crds }}\nkind: CustomResourceDefinition');
  expect(isOnlySchemas(schema)).toBe(true);
  expect(isOnlySchemas(`${schema}\n---\n${schema}\n{{- end }}`)).toBe(true);
  expect(isOnlySchemas(`${schema}\n---\nkind: Pod\n`)).toBe(false);
  expect(isOnlySchemas(`{{ define "x" }}${schema}`)).toBe(false);
});
