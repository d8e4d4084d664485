import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isImagesError } from '../oci/errors.ts';
import { formatLocation, type Location, parseLocation } from './location.ts';

const HEX = 'ab'.repeat(32);
const DIGEST = `sha256:${HEX}` as const;

describe('the location of an image', () => {
  it.each<[string, Location]>([
    ['docker://alpine', { transport: 'docker', reference: { path: 'alpine' } }],
    ['docker://q.io:5/a/b:1', { transport: 'docker', reference: { host: 'q.io:5', path: 'a/b', tag: '1' } }],
    [`docker://a@${DIGEST}`, { transport: 'docker', reference: { path: 'a', digest: DIGEST } }],
    ['docker-daemon:a/b:1', { transport: 'docker-daemon', reference: { path: 'a/b', tag: '1' } }],
    [`docker-daemon:${DIGEST}`, { transport: 'docker-daemon', id: DIGEST }],
    ['docker-archive:/x/y.tar', { transport: 'docker-archive', path: '/x/y.tar' }],
    ['docker-archive:y.tar:@2', { transport: 'docker-archive', path: 'y.tar', index: 2 }],
    [
      'docker-archive:y.tar:q.io/a:1',
      { transport: 'docker-archive', path: 'y.tar', reference: { host: 'q.io', path: 'a', tag: '1' } },
    ],
    ['docker-archive:-', { transport: 'docker-archive', path: '-' }],
    ['oci:d', { transport: 'oci', path: 'd' }],
    ['oci:d:', { transport: 'oci', path: 'd' }],
    ['oci:d:q.io/a:1', { transport: 'oci', path: 'd', ref: 'q.io/a:1' }],
    ['oci:d:@3', { transport: 'oci', path: 'd', index: 3 }],
    [`oci:d:@${DIGEST}`, { transport: 'oci', path: 'd', digest: DIGEST }],
    [`oci:d@${DIGEST}`, { transport: 'oci', path: 'd', digest: DIGEST }],
    [`oci:d:a@${DIGEST}`, { transport: 'oci', path: 'd', ref: `a@${DIGEST}` }],
    ['oci-archive:f.tar:v1', { transport: 'oci-archive', path: 'f.tar', ref: 'v1' }],
    ['dir:/a:b', { transport: 'dir', path: '/a:b' }],
    ['containers-storage:a:1', { transport: 'containers-storage', reference: { path: 'a', tag: '1' } }],
    [
      'containers-storage:[overlay@/g+/r:a=b,c=d]a:1',
      {
        transport: 'containers-storage',
        store: { driver: 'overlay', root: '/g', runRoot: '/r', options: ['a=b', 'c=d'] },
        reference: { path: 'a', tag: '1' },
      },
    ],
    [
      'containers-storage:[images.tar]q.io/a',
      { transport: 'containers-storage', store: { root: 'images.tar' }, reference: { host: 'q.io', path: 'a' } },
    ],
    [`containers-storage:${HEX}`, { transport: 'containers-storage', id: HEX }],
    ['containers-storage:@abc', { transport: 'containers-storage', id: 'abc' }],
    ['containers-storage:abc', { transport: 'containers-storage', reference: { path: 'abc' }, maybeId: 'abc' }],
    [`containers-storage:a:1@${HEX}`, { transport: 'containers-storage', reference: { path: 'a', tag: '1' }, id: HEX }],
    [
      `containers-storage:a@${DIGEST}@${HEX}`,
      { transport: 'containers-storage', reference: { path: 'a', digest: DIGEST }, id: HEX },
    ],
    ['alpine:3.20', { transport: 'name', reference: { path: 'alpine', tag: '3.20' } }],
    ['docker:27-dind', { transport: 'name', reference: { path: 'docker', tag: '27-dind' } }],
    ['cafe01', { transport: 'name', reference: { path: 'cafe01' }, maybeId: 'cafe01' }],
    [HEX, { transport: 'id', id: HEX }],
    [DIGEST, { transport: 'id', id: HEX }],
    ['sha256:abcdef', { transport: 'id', id: 'abcdef' }],
  ])('%s', (text, location) => {
    expect(parseLocation(text)).toEqual(location);
  });

  it.each([
    ['docker:/alpine', 'docker://alpine'],
    ['dockr://alpine', 'docker://'],
    ['docker-archve:x.tar', 'docker-archive:FILE'],
    ['oic:/tmp/x', 'oci:DIR'],
    ['https://quay.io/v2/a', 'docker://quay.io/a'],
    ['docker-archive', 'docker-archive:FILE'],
    ['docker-archive:', 'docker-archive:FILE'],
    ['docker-archive:x.tar:', 'docker-archive:FILE'],
    ['docker-archive:x.tar:@-1', 'docker-archive:FILE'],
    [`docker-archive:x.tar:a@${DIGEST}`, '@0'],
    ['docker-daemon:sha256:abc', 'docker-daemon:name'],
    ['oci:d:-x', 'oci:DIR'],
    ['oci::x', 'oci:DIR'],
    ['oci:d:@x', 'oci:DIR'],
    ['dir:', 'dir:DIR'],
    ['containers-storage:', '[STORE]'],
    ['containers-storage:[/x', '[STORE]'],
    ['containers-storage:[@/x]a', '[STORE]'],
    ['containers-storage:a@xyz', '[STORE]'],
    ['sif:x', 'docker-archive'],
  ])('%s is refused, with what to write', (text, hint) => {
    const refusal = thrown(() => parseLocation(text));
    expect(refusal).toMatchObject({ code: 'REFERENCE_INVALID' });
    expect(refusal?.message).toContain(text);
    expect(refusal?.hint).toContain(hint);
  });

  it('is the same after it was written and read again', () => {
    fc.assert(
      fc.property(locations, (location) => {
        expect(parseLocation(formatLocation(location))).toEqual(location);
      }),
    );
  });

  it('is parsed or refused, whatever the text', () => {
    const prefix = fc.constantFrom('', 'oci:', 'docker://', 'docker-archive:', 'containers-storage:', 'dir:', 'x:');
    fc.assert(
      fc.property(prefix, fc.string(), (before, rest) => {
        const refusal = thrown(() => parseLocation(before + rest));
        expect(refusal === undefined || refusal.code === 'REFERENCE_INVALID').toBe(true);
      }),
    );
  });
});

const word = fc.stringMatching(/^[g-z][a-z0-9]{0,8}$/);
const path = fc.stringMatching(/^[a-z/._-]*[a-z]$/);
const id = fc.stringMatching(/^[0-9a-f]{64}$/);
const tagged = fc.record({ host: fc.constantFrom('quay.io', '[fd00::1]:80'), path: word, tag: word });
const layout = fc.oneof(
  fc.record({ path }),
  fc.record({ path, ref: fc.stringMatching(/^[A-Za-z0-9]+([-._:+/][A-Za-z0-9]+){0,3}$/) }),
  fc.record({ path, index: fc.nat() }),
  fc.record({ path, digest: fc.constant(DIGEST) }),
);
const locations: fc.Arbitrary<Location> = fc.oneof(
  fc.record({ transport: fc.constantFrom('docker', 'docker-daemon', 'name'), reference: tagged }),
  fc.record({ transport: fc.constant('docker-archive' as const), path, reference: tagged }),
  fc.record({ transport: fc.constant('docker-archive' as const), path, index: fc.nat() }),
  layout.map((location) => ({ transport: 'oci' as const, ...location })),
  layout.map((location) => ({ transport: 'oci-archive' as const, ...location })),
  fc.record({ transport: fc.constant('dir' as const), path }),
  fc.record({
    transport: fc.constant('containers-storage' as const),
    store: fc.record({ driver: word, root: path, runRoot: path }),
    reference: tagged,
    id,
  }),
  fc.record({ transport: fc.constant('id' as const), id }),
);

function thrown(work: () => unknown) {
  try {
    work();
    return undefined;
  } catch (error) {
    if (isImagesError(error)) return error;
    throw error;
  }
}
