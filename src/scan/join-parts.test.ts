import { describe, expect, it } from 'vitest';
import { joinParts } from './join-parts.ts';

const HEX = 'b'.repeat(64);

describe('joining the parts of a reference', () => {
  it.each([
    [{ repository: 'quay.io/a/b', tag: 'v1' }, 'quay.io/a/b:v1'],
    [{ registry: 'quay.io', repository: 'a/b', tag: '1.20' }, 'quay.io/a/b:1.20'],
    [{ registry: 'https://quay.io/', repository: '/a/b/', tag: ':v1' }, 'quay.io/a/b:v1'],
    [{ registry: 'quay.io', repository: 'ghcr.io/a/b', tag: 'v1' }, 'ghcr.io/a/b:v1'],
    [{ registry: 'quay.io', name: 'a/b', tag: 'v1' }, 'quay.io/a/b:v1'],
    [{ repository: 'nvcr.io/nvidia', name: 'driver', isNamePart: true, tag: '535' }, 'nvcr.io/nvidia/driver:535'],
    [
      { repository: 'quay.io/prometheus/prometheus', name: 'prometheus', tag: 'v2' },
      'quay.io/prometheus/prometheus:v2',
    ],
    [{ repository: 'quay.io/team/server', name: 'something', tag: 'v2' }, 'quay.io/team/server:v2'],
    [{ repository: 'a/b', digest: `sha256:${HEX}` }, `a/b@sha256:${HEX}`],
    [{ repository: 'a/b', digest: HEX, tag: 'v1' }, `a/b:v1@sha256:${HEX}`],
    [{ repository: 'a/b', tag: `sha256:${HEX}` }, `a/b@sha256:${HEX}`],
    [{ repository: 'a/b' }, 'a/b'],
  ])('%j is %s', (parts, image) => expect(joinParts(parts)?.image).toBe(image));

  it('says where a name may or may not belong to the repository', () => {
    expect(joinParts({ repository: 'quay.io/team', name: 'server', tag: 'v1' })).toEqual({
      image: 'quay.io/team/server:v1',
      doubt: expect.any(String),
    });
  });

  it('gives nothing for templates and for no name at all', () => {
    expect(joinParts({ repository: 'a/{{ .x }}', tag: 'v1' })).toBeUndefined();
    expect(joinParts({ repository: 'a/b', tag: `\${TAG}` })).toBeUndefined();
    expect(joinParts({ registry: 'quay.io', tag: 'v1' })).toBeUndefined();
  });
});
