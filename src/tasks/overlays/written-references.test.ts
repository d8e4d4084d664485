import { expect, it } from 'vitest';
import { formatReference } from '../../oci/reference.ts';
import { writtenReferences } from './written-references.ts';

it('references as written are mapped to full names', () => {
  const { names, invalid } = writtenReferences(['alpine', 'quay.io/a/b:1', 'alpine'], false);
  expect([...names].map(([text, name]) => [text, formatReference(name)])).toEqual([
    ['alpine', 'docker.io/library/alpine:latest'],
    ['quay.io/a/b:1', 'quay.io/a/b:1'],
  ]);
  expect(invalid).toEqual([]);
});

it('an invalid reference throws, or becomes one failure with its text', () => {
  expect(() => writtenReferences(['a', 'A:1'], false)).toThrow(expect.objectContaining({ code: 'REFERENCE_INVALID' }));
  const { names, invalid } = writtenReferences(['a', 'A:1', 'A:1'], true);
  expect([...names.keys()]).toEqual(['a']);
  expect(invalid).toEqual([
    { image: 'A:1', name: { path: 'A:1' }, error: expect.objectContaining({ code: 'REFERENCE_INVALID' }) },
  ]);
});
