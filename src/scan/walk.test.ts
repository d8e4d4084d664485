import { describe, expect, it } from 'vitest';
import { formatPath, nameOf, pathOf } from './path.ts';
import { usedIn } from './testing/scan-files.ts';
import { visitsOf } from './walk.ts';
import { parseYaml } from './yaml.ts';

const visits = (text: string) => parseYaml('f', text).documents.flatMap((document) => visitsOf(document));

describe('walking a document', () => {
  it('visits each text, with its path and the object that it belongs to', () => {
    const text =
      'apiVersion: v1\nkind: List\nitems:\n- apiVersion: apps/v1\n  kind: Deployment\n  spec: {a.b/c: [x]}\n';
    const last = visits(text).at(-1);
    expect(last && formatPath(pathOf(last))).toBe("items[0].spec['a.b/c'][0]");
    expect(last && nameOf(last)).toBe('a.b/c');
    expect(last?.object).toMatchObject({ kind: 'Deployment', group: 'apps' });
  });

  it('leaves out schemas, labels, descriptions and a status', () => {
    const text =
      'apiVersion: v1\nkind: X\nmetadata: {labels: {a: L}, managedFields: [M]}\nspec: {status: kept, description: D}\nstatus: {a: S}\n';
    expect(
      visits(text)
        .map(({ value }) => value)
        .filter((value) => typeof value === 'string'),
    ).toEqual(['v1', 'X', 'kept']);
    expect(visits('apiVersion: v1\nkind: CustomResourceDefinition\nspec: x\n')).toEqual([]);
  });

  it('reads own fields only', () => {
    expect(
      usedIn(
        'apiVersion: v1\nkind: X\nspec: {__proto__: {image: "quay.io/a/b:1"}, constructor: {image: "quay.io/a/c:1"}}\n',
      ),
    ).toEqual(['quay.io/a/b:1', 'quay.io/a/c:1']);
  });
});
