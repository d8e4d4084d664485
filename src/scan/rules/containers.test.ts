import { describe, expect, it } from 'vitest';
import { deployment, maybeIn, scanText, usedIn, whyIn } from '../testing/scan-files.ts';

const pod = (spec: string) =>
  `spec:\n  containers: [{name: a, image: quay.io/a/main:1}]\n  initContainers: [{name: b, image: busybox}]\n${spec}`;

describe('containers', () => {
  it.each(['Pod', 'PodTemplate', 'Anything'])('of a %s are found, main, init and ephemeral', (kind) => {
    const text = `apiVersion: v1\nkind: ${kind}\n${pod('  ephemeralContainers: [{name: c, image: debug:2}]\n')}`;
    expect(usedIn(text)).toEqual(['busybox', 'debug:2', 'quay.io/a/main:1']);
  });

  it.each(['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'ReplicationController', 'Job'])(
    'of a %s are found',
    (kind) => {
      const text = `apiVersion: apps/v1\nkind: ${kind}\nspec:\n  template:\n    spec:\n      containers:\n      - image: nginx\n        name: x\n`;
      expect(whyIn(text)).toEqual(['nginx 7 spec.template.spec.containers[0].image']);
    },
  );

  it('of a CronJob, of lists and of JSON are found', () => {
    const job =
      'apiVersion: batch/v1\nkind: CronJob\nspec:\n  jobTemplate:\n    spec:\n      template:\n        spec:\n          containers: [{image: a/b}]\n';
    expect(usedIn(job)).toEqual(['a/b']);
    expect(
      usedIn(
        '{"kind":"List","apiVersion":"v1","items":[{"kind":"Pod","apiVersion":"v1","spec":{"containers":[{"image":"x:1"}]}}]}',
      ),
    ).toEqual(['x:1']);
    expect(
      usedIn(
        'kind: PodList\napiVersion: v1\nitems:\n- spec: {containers: [{image: x:1}]}\n  status: {containerStatuses: [{image: y:2, imageID: z@sha256:0}]}\n',
      ),
    ).toEqual(['x:1']);
  });

  it('inside custom resources are found: a pod template, a Tekton step, an Argo script, a sidecar', () => {
    expect(
      usedIn('apiVersion: x/v1\nkind: X\nspec: {podTemplate: {spec: {containers: [{name: a, image: web}]}}}\n'),
    ).toEqual(['web']);
    expect(
      usedIn(
        'apiVersion: tekton.dev/v1\nkind: Task\nspec: {steps: [{image: alpine, script: x}], sidecars: [{image: dind:1}]}\n',
      ),
    ).toEqual(['alpine', 'dind:1']);
    expect(
      usedIn(
        'apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nspec: {templates: [{container: {image: cowsay, command: [x]}}]}\n',
      ),
    ).toEqual(['cowsay']);
  });

  it('have image volumes beside them', () => {
    expect(
      usedIn(
        'apiVersion: v1\nkind: Pod\nspec: {volumes: [{name: v, image: {reference: quay.io/a/data:1, pullPolicy: Always}}]}\n',
      ),
    ).toEqual(['quay.io/a/data:1']);
  });

  it('share what anchors and merges bring in', () => {
    const text =
      'x-base: &base {image: quay.io/a/b:1}\napiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - <<: *base\n    name: a\n';
    expect(whyIn(text)).toContain('quay.io/a/b:1 1 spec.containers[0].image');
  });

  it('with a placeholder or nonsense give a warning that names them, and no image', () => {
    const { findings, warnings } = scanText(deployment('image: "{{ .Values.image }}"'));
    expect(findings).toEqual([]);
    expect(warnings).toEqual([
      {
        file: 'test.yaml',
        line: 10,
        text: 'spec.template.spec.containers[0].image: the image is a placeholder [{{ .Values.image }}]',
      },
    ]);
    expect(scanText(deployment('image: Not An Image')).warnings[0]?.text).toContain(
      'not an image reference [Not An Image]',
    );
  });

  it("that leave the image to Istio's injector cause a note", () => {
    const { findings, warnings } = scanText(deployment('image: auto'));
    expect([findings, warnings[0]?.text]).toEqual([[], expect.stringContaining('injector')]);
  });

  it('without an image, in comments, in schemas, or in a status are ignored', () => {
    expect(usedIn(deployment('imagePullPolicy: Always', '# image: nginx'))).toEqual([]);
    expect(
      usedIn(
        'apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec: {containers: [{image: nginx}]}\n',
      ),
    ).toEqual([]);
    expect(
      usedIn(
        'apiVersion: v1\nkind: Pod\nstatus: {containerStatuses: [{image: nginx:1}], containers: [{image: x:1}]}\n',
      ),
    ).toEqual([]);
  });

  it('of a policy are only patterns, and are ignored', () => {
    const { findings, warnings } = scanText(
      'apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nspec: {rules: [{validate: {pattern: {spec: {containers: [{image: "!*:latest"}]}}}}]}\n',
    );
    expect([findings, warnings]).toEqual([[], []]);
  });

  it('of a scorecard are only run by a developer', () => {
    const text =
      'apiVersion: scorecard.operatorframework.io/v1alpha3\nkind: Configuration\nstages: [{tests: [{image: q.io/a/test:1}]}]\n';
    expect([usedIn(text), maybeIn(text)]).toEqual([[], ['q.io/a/test:1']]);
  });
});
