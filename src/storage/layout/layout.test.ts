import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Digest, digestOf } from '../../oci/digest.ts';
import * as imageKeys from './image-keys.ts';
import * as registryKeys from './registry-keys.ts';
import * as storeKeys from './store-keys.ts';

const layout = { ...registryKeys, ...imageKeys, ...storeKeys };

const digest = digestOf(Buffer.from('x'));
const hex = digest.slice(7);

describe('the layout', () => {
  it('is that of docker registry:2 for blobs, links and tags', () => {
    expect(layout.blobKey(digest)).toBe(`docker/registry/v2/blobs/sha256/${hex.slice(0, 2)}/${hex}/data`);
    expect(layout.layerLinkKey('a/b', digest)).toBe(`docker/registry/v2/repositories/a/b/_layers/sha256/${hex}/link`);
    expect(layout.revisionLinkKey('a/b', digest)).toBe(
      `docker/registry/v2/repositories/a/b/_manifests/revisions/sha256/${hex}/link`,
    );
    expect(layout.tagLinkKey('a/b', '1.0')).toBe(
      'docker/registry/v2/repositories/a/b/_manifests/tags/1.0/current/link',
    );
    expect(layout.tagIndexLinkKey('a/b', '1.0', digest)).toBe(
      `docker/registry/v2/repositories/a/b/_manifests/tags/1.0/index/sha256/${hex}/link`,
    );
  });

  it('reads links as docker-registry writes them, and nothing else', () => {
    expect(layout.parseLink(Buffer.from(digest))).toBe(digest);
    expect(layout.parseLink(Buffer.from(`${digest}\n`))).toBe(digest);
    for (const bad of ['', hex, digest.slice(0, -1), `${digest}0`, '\0'.repeat(71)]) {
      expect(layout.parseLink(Buffer.from(bad))).toBeUndefined();
    }
    expect(layout.parseLink(undefined)).toBeUndefined();
    expect(layout.parseLink(layout.linkBytes(digest))).toBe(digest satisfies Digest);
  });

  it('gives back the names it was given, for every kind of host', () => {
    const hosts = ['docker.io', 'localhost', 'localhost:5000', '127.0.0.1:80', '[fd00::1]:5000', 'registry'];
    const part = fc.stringMatching(/^[a-z0-9]{1,8}$/);
    const path = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
    const tag = fc.stringMatching(/^\w[\w.-]{0,20}$/);
    fc.assert(
      fc.property(fc.constantFrom(...hosts), path, tag, (host, name, label) => {
        const key = layout.nameKey(host, name, label);
        expect(key).not.toMatch(/[:[\]]|\/\.\.?\//);
        expect(layout.parseNameKey(key)).toEqual({ host, path: name, tag: label });
      }),
    );
  });

  it('takes no other file for a name', () => {
    for (const key of ['images/names/x', 'images/names/docker.io/alpine/3', 'images/other/docker.io/a/_tags/1']) {
      expect(layout.parseNameKey(key)).toBeUndefined();
    }
    expect(layout.parseNameKey('images/names/%2e%2e%2f/a/_tags/1')).toBeUndefined();
    expect(layout.parseNameKey('images/names/docker.io/a/_tags/.tmp')).toBeUndefined();
  });

  it('has no name for both an object and a folder of objects', () => {
    const names = Object.values(layout).filter((value) => typeof value === 'string');
    expect(names.length).toBeGreaterThan(5);
    expect(names.filter((name) => !name.endsWith('/') && names.some((other) => other.startsWith(`${name}/`)))).toEqual(
      [],
    );
  });
});
