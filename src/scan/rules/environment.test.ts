import { describe, expect, it } from 'vitest';
import { deployment, maybeIn, scanText, usedIn, whyIn } from '../testing/scan-files.ts';

const env = (name: string, value: string) =>
  deployment('env:', `  - name: ${name}`, `    value: ${JSON.stringify(value)}`);

describe('environment variables', () => {
  it.each([
    ['RELATED_IMAGE_X', 'quay.io/a/b:v1'],
    ['ROOK_CSI_CEPH_IMAGE', 'quay.io/cephcsi/cephcsi:v3.9.0'],
    ['AGENT_IMAGE', 'a/b'],
    ['AGENT_IMAGE', 'agent:1.2'],
    ['SIDECAR', 'docker.io/a/b:v1'],
    ['SIDECAR', `example.com/a/b@sha256:${'a'.repeat(64)}`],
  ])('%s=%s names an image', (name, value) => expect(usedIn(env(name, value))).toEqual([value]));

  it.each([
    ['IMAGE_PULL_POLICY', 'a/b:c'],
    ['IMAGE_TAG', 'v1.2'],
    ['IMAGE_REGISTRY', 'quay.io/a'],
    ['ADDRESS', 'localhost:8080'],
    ['ENDPOINT', 'collector.tracing.svc.cluster.local/v1:80'],
    ['URL', 'https://quay.io/a/b:v1'],
    ['USER', 'system:serviceaccount'],
    ['TIME', '12:30'],
    ['IMAGE', '$(OTHER)/a:1'],
  ])('%s=%s does not', (name, value) =>
    expect([usedIn(env(name, value)), maybeIn(env(name, value))]).toEqual([[], []]),
  );

  it('that hold lists name each of them', () => {
    const kafka = '3.4.0=quay.io/strimzi/kafka:0.35-kafka-3.4.0\n3.4.1=quay.io/strimzi/kafka:0.35-kafka-3.4.1\n';
    expect(usedIn(env('STRIMZI_KAFKA_IMAGES', kafka))).toEqual([
      'quay.io/strimzi/kafka:0.35-kafka-3.4.0',
      'quay.io/strimzi/kafka:0.35-kafka-3.4.1',
    ]);
    expect(usedIn(env('IMAGES', 'a=quay.io/x/a:1;b=quay.io/x/b:2'))).toEqual(['quay.io/x/a:1', 'quay.io/x/b:2']);
  });

  it('that hold parts are put together: X_IMAGE and X_IMAGE_TAG', () => {
    const text = deployment(
      'env:',
      '- {name: AGENT_IMAGE, value: quay.io/a/agent}',
      '- {name: AGENT_IMAGE_TAG, value: "1.20"}',
    );
    expect(usedIn(text)).toContain('quay.io/a/agent:1.20');
    expect(usedIn(text)).not.toContain('quay.io/a/agent');
  });

  it.each([
    ['AGENT_IMAGE_REPOSITORY', 'AGENT_VERSION'],
    ['AGENT_IMAGE_REPOSITORY', 'AGENT_IMAGE_TAG'],
    ['AGENT_REPOSITORY', 'AGENT_TAG'],
    ['AGENT_IMAGE_NAME', 'AGENT_IMAGE_VERSION'],
  ])('that hold parts are put together: %s and %s', (name, version) => {
    const list = `- {name: ${name}, value: quay.io/a/agent}\n- {name: ${version}, value: "1.20"}`;
    expect(usedIn(deployment('env:', list))).toEqual(['quay.io/a/agent:1.20']);
  });

  it('that hold a whole image are not joined with a version, which is the operator’s own', () => {
    const list = '- {name: OPERAND_IMAGE, value: quay.io/a/b}\n- {name: OPERAND_IMAGE_VERSION, value: 0.0.1-snapshot}';
    expect(usedIn(deployment('env:', list))).toEqual(['quay.io/a/b']);
  });

  it('use the values of others of the list, and warn of those that are not there', () => {
    const list =
      '- {name: TAG, value: v2}\n- {name: A_IMAGE, value: "q.io/a:$(TAG)"}\n- {name: B_IMAGE, value: "q.io/b:$(X)"}';
    const { findings, warnings } = scanText(deployment('env:', list));
    expect(findings.map(({ image }) => image)).toEqual(['q.io/a:v2']);
    expect(warnings).toMatchObject([{ text: expect.stringContaining('[q.io/b:$(X)]') }]);
  });

  it('are uncertain with a bare name, or with an unknown registry and no word of images', () => {
    expect([usedIn(env('AGENT_IMAGE', 'mongo')), maybeIn(env('AGENT_IMAGE', 'mongo'))]).toEqual([[], ['mongo']]);
    expect(maybeIn(env('TARGET', 'sub.example.com/a/b:v1'))).toEqual(['sub.example.com/a/b:v1']);
  });

  it('are parameters of tasks too', () => {
    const task =
      'apiVersion: tekton.dev/v1\nkind: Task\nspec:\n  params:\n  - name: BUILDER_IMAGE\n    default: gcr.io/kaniko-project/executor:v1.5.1\n';
    expect(whyIn(task)).toEqual(['gcr.io/kaniko-project/executor:v1.5.1 6 spec.params[0].default']);
  });

  it('of a task that may run or build the image that a parameter names are uncertain', () => {
    const run = 'apiVersion: tekton.dev/v1\nkind: TaskRun\nspec: {params: [{name: IMAGE, value: "quay.io/a/app:1"}]}\n';
    expect([usedIn(run), maybeIn(run)]).toEqual([[], ['quay.io/a/app:1']]);
  });
});
