import { describe, expect, it } from 'vitest';
import { hasRealHost, isUnmistakable, judgeImage, judgeImageWithCare } from './image-text.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

describe('judging a text that stands where an image belongs', () => {
  it.each([
    ['nginx', 'nginx'],
    [' "docker.io/library/alpine:3.20" ', 'docker.io/library/alpine:3.20'],
    [`'quay.io/a/b@${DIGEST}'`, `quay.io/a/b@${DIGEST}`],
    [`quay.io/a/b:v1@${DIGEST}`, `quay.io/a/b:v1@${DIGEST}`],
    ['docker://quay.io/a/b:v1', 'quay.io/a/b:v1'],
    ['localhost:5000/a:1', 'localhost:5000/a:1'],
    ['[fd00::1]:5000/a:1', '[fd00::1]:5000/a:1'],
  ])('accepts %s', (text, image) => expect(judgeImage(text)).toMatchObject({ kind: 'image', image }));

  it.each([
    '{{ .Values.image }}',
    '$IMAGE',
    `\${REGISTRY}/a:1`,
    '$(params.image)',
    '<image>',
    'quay.io/<org>/a:1',
    'IMAGE',
    'IMAGE:TAG',
    'REPLACE_ME',
    'a/b:REPLACE_ME',
    '__IMAGE__',
    '%IMAGE%',
    '@IMAGE@',
    '[[ .Image ]]',
    'CHANGEME',
    'REGISTRY/app:1',
    'quay.io/a/b:TAG',
    'quay.io/a/b:IMAGE_VERSION',
    'your-registry/app:1',
    'placeholder',
  ])('sees the placeholder %s', (text) => expect(judgeImage(text)).toMatchObject({ kind: 'placeholder' }));

  it.each([
    '',
    '   ',
    'https://quay.io/a/b:v1',
    '/path/to/file',
    './a',
    '~/a',
    'two words',
    'a:b:c',
    'Nginx',
    'a//b',
    '*:latest',
    'image/png;x',
    5,
    null,
    {},
  ])('refuses %s', (text) => expect(judgeImage(text)).toEqual({ kind: 'nothing' }));

  it.each(['logo.png', 'a/icon.svg', 'ubuntu.qcow2', 'disk.img', 'x/archive.tar.gz', 'values.yaml'])(
    'with care, refuses the file %s',
    (text) => expect(judgeImageWithCare(text)).toEqual({ kind: 'nothing' }),
  );

  it.each(['ami-0a1b2c3d4e5f60718', 'projects/x-cloud/global/images/debian-12'])(
    'with care, refuses the disk %s',
    (text) => expect(judgeImageWithCare(text)).toEqual({ kind: 'nothing' }),
  );
});

describe('the shape of references', () => {
  const shape = (text: string) => {
    const judged = judgeImage(text);
    return judged.kind === 'image' ? [hasRealHost(judged.reference), isUnmistakable(judged.reference)] : [];
  };

  it('tells hosts from first parts of paths', () => {
    expect(shape('quay.io/a/b:1')).toEqual([true, true]);
    expect(shape('quay.io/a/b')).toEqual([true, false]);
    expect(shape('10.0.0.1:5000/a:1')).toEqual([true, true]);
    expect(shape('library/a:1')).toEqual([false, false]);
    expect(shape('12:30')).toEqual([false, false]);
  });
});
