import { expect, it } from 'vitest';
import { scanText, usedIn } from '../testing/scan-files.ts';

const template = (parameters: string) => `apiVersion: template.openshift.io/v1
kind: Template
objects:
- apiVersion: v1
  kind: Pod
  spec: {containers: [{image: "\${IMAGE}:\${{TAG}}"}]}
parameters: ${parameters}
`;

it("a template's parameters are filled in", () => {
  expect(usedIn(template('[{name: IMAGE, value: quay.io/a/b}, {name: TAG, value: 1.20}]'))).toEqual([
    'quay.io/a/b:1.20',
  ]);
});

it('one without a value leaves a warning', () => {
  const { findings, warnings } = scanText(template('[{name: IMAGE, value: quay.io/a/b}, {name: TAG}]'));
  expect(findings).toEqual([]);
  expect(warnings).toMatchObject([{ line: 6 }]);
});
