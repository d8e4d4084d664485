import { describe, expect, it } from 'vitest';
import { imagesInText } from './text-images.ts';

const found = (text: string) => [...imagesInText(text)].map(({ image, line, isNamed }) => [image, line, isNamed]);

describe('images inside a text', () => {
  it.each([
    ['--x-image=quay.io/a/b:1', 'quay.io/a/b:1'],
    ['--x-image quay.io/a/b:1', 'quay.io/a/b:1'],
    ['X_IMAGE="quay.io/a/b:1"', 'quay.io/a/b:1'],
    ["export X_IMAGE='a/b:1'", 'a/b:1'],
    ['sandbox_image = "registry.k8s.io/pause:3.9"', 'registry.k8s.io/pause:3.9'],
    ['  image: quay.io/a/b:1', 'quay.io/a/b:1'],
    ['<image>quay.io/a/b</image>', 'quay.io/a/b'],
  ])('%s names one', (text, image) => expect(found(text)).toEqual([[image, 1, true]]));

  it('are found with their line, except in comments', () => {
    expect(found('# pull quay.io/a/c:1\ncrictl pull quay.io/a/b:1 # quay.io/a/d:1\n')).toEqual([
      ['quay.io/a/b:1', 2, false],
    ]);
  });

  it.each([
    'curl https://quay.io/a/b:1',
    'nc -l localhost:8080',
    'date +12:30',
    'chown a:b /c',
    `X=\${Y:-z}`,
    'ssh user@host.example.com:path',
    'cat /quay.io/a/b:1',
    'IMAGE_TAG=v1',
    '<image>logo.png</image>',
    '<image>auto</image>',
    'kubectl taint nodes --all node-role.kubernetes.io/control-plane:NoSchedule-',
  ])('%s names none', (text) => expect(found(text)).toEqual([]));
});
