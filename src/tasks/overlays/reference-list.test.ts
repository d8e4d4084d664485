import { describe, expect, it } from 'vitest';
import { isManifestText, listedReferences, withoutQuotes } from './reference-list.ts';

const references = (text: string) => listedReferences(text).map(({ reference }) => reference);

describe('a list of references', () => {
  it('has one on each line, beside comments and blank lines', () => {
    const text =
      '\uFEFF# images\r\nalpine:3\r\n\r\n  quay.io/x/y:1   # why\n"docker.io/library/z"\n- list/item:2\nalpine:3\n';
    expect(isManifestText(text)).toBe(false);
    expect(listedReferences(text)).toEqual([
      { reference: 'alpine:3', line: 2 },
      { reference: 'quay.io/x/y:1', line: 4 },
      { reference: 'docker.io/library/z', line: 5 },
      { reference: 'list/item:2', line: 6 },
      { reference: 'alpine:3', line: 7 },
    ]);
  });

  it('may be empty, or without a newline at its end', () => {
    expect(references('')).toEqual([]);
    expect(references('a:1')).toEqual(['a:1']);
  });

  it('may be what `lreg_missingimages --json` prints', () => {
    const text = JSON.stringify(['a:1', 'quay.io/b@sha256:1'], null, 2);
    expect(isManifestText(text)).toBe(false);
    expect(references(text)).toEqual(['a:1', 'quay.io/b@sha256:1']);
  });
});

describe('a manifest in the place of a list', () => {
  it.each([
    '---\nkind: ImagesLock\n',
    '# made by kbld\n\napiVersion: imgpkg.carvel.dev/v1alpha1\n',
    '\uFEFFimages:\n- image: a\n',
    '- name: x\n  image: y:1\n',
    '{"kind":"List"}',
    '[{"image":"a:1"}]',
    '"quoted": 1\n',
    'annotations:\r\n  helm.sh/images: |\r\n',
  ])('is recognised by its first line: %j', (text) => {
    expect(isManifestText(text)).toBe(true);
  });

  it.each(['alpine:3\n', '- alpine:3\n', 'localhost:5000/x\n', 'a b c', '', '# kind: Pod\n', '"x:1"\n'])(
    'is not recognised in %j',
    (text) => {
      expect(isManifestText(text)).toBe(false);
    },
  );
});

describe('quotes', () => {
  it('are tolerated', () => {
    expect(['"alpine:3"', "'alpine:3'", ' alpine:3 '].map(withoutQuotes)).toEqual(['alpine:3', 'alpine:3', 'alpine:3']);
  });
});
