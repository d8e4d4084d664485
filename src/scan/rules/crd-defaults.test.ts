import { expect, it } from 'vitest';
import { maybeIn, scanText, usedIn } from '../testing/scan-files.ts';

const crd = (schema: string) => `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
spec:
  versions:
  - schema:
      openAPIV3Schema:
        description: image quay.io/a/described:v1
        properties:
          image:
            example: quay.io/a/example:v1
            ${schema}
`;

it('the default of an image field is uncertain; descriptions and examples are nothing', () => {
  expect([usedIn(crd('default: quay.io/a/b:v1')), maybeIn(crd('default: quay.io/a/b:v1'))]).toEqual([
    [],
    ['quay.io/a/b:v1'],
  ]);
  expect(scanText(crd('type: string')).findings).toEqual([]);
  expect(scanText(crd('default: IfNotPresent')).findings).toEqual([]);
});

it('a big schema is read only where it has such a default', () => {
  const filler = `enum: [${'x, '.repeat(5000)}y]`;
  expect(maybeIn(crd(`${filler}\n            default: quay.io/a/b:v1`))).toEqual(['quay.io/a/b:v1']);
  expect(scanText(crd(`${filler}\n            broken: [`)).warnings).toEqual([]);
});
