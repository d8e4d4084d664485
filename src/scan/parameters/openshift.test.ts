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

it('parameters of an OpenShift template are filled in', () => {
  expect(usedIn(template('[{name: IMAGE, value: quay.io/a/b}, {name: TAG, value: 1.20}]'))).toEqual([
    'quay.io/a/b:1.20',
  ]);
});

it('a parameter of an OpenShift template without a value causes a warning', () => {
  const { findings, warnings } = scanText(template('[{name: IMAGE, value: quay.io/a/b}, {name: TAG}]'));
  expect(findings).toEqual([]);
  expect(warnings).toMatchObject([{ line: 6 }]);
});
