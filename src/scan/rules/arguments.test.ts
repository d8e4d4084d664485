import { describe, expect, it } from 'vitest';
import { deployment, maybeIn, usedIn, whyIn } from '../testing/scan-files.ts';

const args = (...words: readonly string[]) =>
  deployment('args:', ...words.map((word) => `  - ${JSON.stringify(word)}`));

describe('command lines', () => {
  it.each([
    [['--prometheus-config-reloader=quay.io/a/reloader:v0.60.1'], 'quay.io/a/reloader:v0.60.1'],
    [['--acme-http01-solver-image=quay.io/jetstack/acmesolver:v1.11.1'], 'quay.io/jetstack/acmesolver:v1.11.1'],
    [['--engine-image', 'longhornio/longhorn-engine:v1.5.1'], 'longhornio/longhorn-engine:v1.5.1'],
    [['-nop-image', `cgr.dev/x/nop@sha256:${'a'.repeat(64)}`], `cgr.dev/x/nop@sha256:${'a'.repeat(64)}`],
    [['--image', 'busybox'], 'busybox'],
    [['--image=busybox'], 'busybox'],
    [['exec operator --agent-image="quay.io/a/agent:1" --level=info'], 'quay.io/a/agent:1'],
    [['crictl pull quay.io/a/b:v1 && true'], 'quay.io/a/b:v1'],
  ])('use an image: %j', (words, image) => expect(usedIn(args(...words))).toEqual([image]));

  it.each([
    ['--listen=:8080', '--target=localhost:8080', '--insecure-registry=10.0.0.0/8'],
    ['--image-pull-policy=Always', '--image-repository=quay.io/a/b', '--pull-image=true'],
    ['--config=/etc/x/y:z', '--url=https://quay.io/a/b:v1', '--namespace=$(NAMESPACE)'],
    ['# docker run quay.io/a/b:v1'],
    ['--default-image={{ .x }}', '--time=12:30', '-v', 'a/b:c'],
    ['--image', '--verbose'],
  ])('do not use an image: %j …', (...words) =>
    expect([usedIn(args(...words)), maybeIn(args(...words))]).toEqual([[], []]),
  );

  it('leave a base image without its version uncertain', () => {
    expect(maybeIn(args('--prometheus-default-base-image=example.com/prometheus/prometheus'))).toEqual([
      'example.com/prometheus/prometheus',
    ]);
  });

  it('inside a script have their own line as position', () => {
    const text = deployment(
      'command:',
      '  - sh',
      '  - -c',
      '  - |',
      '    set -e',
      '    start --helper-image=quay.io/a/helper:1',
    );
    expect(whyIn(text)).toEqual(['quay.io/a/helper:1 15 spec.template.spec.containers[0].command[2]']);
  });

  it('of cloud-init are read, too', () => {
    const text =
      'apiVersion: x/v1\nkind: X\nuserData: |\n  #cloud-config\n  runcmd:\n  - ctr image pull docker.io/library/busybox:1.36\n';
    expect(whyIn(text)).toEqual(['docker.io/library/busybox:1.36 6 userData > runcmd[0]']);
  });

  it('without a tag are uncertain in scripts, not as arguments', () => {
    const script = deployment('command: [sh, -c, "start --helper-image=example/helper"]');
    expect([usedIn(script), maybeIn(script)]).toEqual([[], ['example/helper']]);
    expect(usedIn(args('--helper-image=example/helper'))).toEqual(['example/helper']);
    const settings =
      'apiVersion: v1\nkind: ConfigMap\ndata:\n  a.sh: |\n    A_IMAGE=example/a\n    B_IMAGE=example/b:1\n';
    expect([usedIn(settings), maybeIn(settings)]).toEqual([['example/b:1'], ['example/a']]);
  });
});
