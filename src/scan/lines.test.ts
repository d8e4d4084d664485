import { describe, expect, it } from 'vitest';
import { imageLines } from './lines.ts';

const found = (text: string) =>
  [...imageLines('f', { firstLine: 10, line: 10, text, reason: '' })].map((one) =>
    'image' in one ? `${one.certainty} ${one.image} ${one.position.line}` : `warning ${one.line} ${one.text}`,
  );

describe('lines of what does not parse', () => {
  it.each([
    ['  image: nginx', 'used nginx 10'],
    ['- image: "quay.io/a/b:1" # why', 'used quay.io/a/b:1 10'],
    ['"image": "quay.io/a/b:1",', 'used quay.io/a/b:1 10'],
    ['\n  proxyImage: a/b:1', 'used a/b:1 11'],
    ['image: {{ .Values.image }}', 'warning 10 the image is a placeholder [{{ .Values.image }}]'],
    ['image: a/b\ntag: {{ .x }}', 'maybe a/b 10'],
    ['- --sidecar-image=a/b:1', 'used a/b:1 10'],
    ['  value: "quay.io/a/b:1"', 'used quay.io/a/b:1 10'],
    ['- quay.io/a/b:1 {{ .x }}', 'maybe quay.io/a/b:1 10'],
  ])('%j', (text, expected) => expect(found(text)).toEqual([expected]));

  it.each([
    '# image: nginx',
    'imagePullPolicy: Always',
    'image:',
    'the image: is',
    'proxyImage: auto',
    'image: auto',
    'image: https://x/y.png',
    'repository: quay.io/a\nimage: b\nversion: {{ .x }}',
    '# - quay.io/a/b:1',
    'chart: oci://quay.io/a/b:1',
    '- quay.io/a/b:{{ .tag }}',
    'value: quay.io/a/b',
  ])('%j says nothing', (text) => expect(found(text)).toEqual([]));
});
