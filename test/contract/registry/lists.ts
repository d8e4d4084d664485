// The contract of Registry: lists of repositories, tags and referrers.
import { beforeEach, describe, expect, it } from 'vitest';
import type { Digest } from '../../../src/oci/digest.ts';
import { OCI_MANIFEST } from '../../../src/oci/media-types.ts';
import type { Registry } from '../../../src/registry/contract.ts';
import { blobOf, bytesOf, imageOf, indexOf, opener, pushImage } from '../content.ts';
import { codeOf, type RegistrySuite } from './suite.ts';

export function listContract(suite: RegistrySuite): void {
  let registry: Registry;

  beforeEach(() => {
    registry = suite.registry();
  });

  describe(`${suite.name}: lists`, () => {
    it('have repositories in byte order, after any of them', async () => {
      const repositories = ['a', 'a-b', 'a/b', 'a/b/c', 'a.b', 'a0', 'a__b/c', 'b'];
      const image = imageOf('image');
      for (const repository of repositories) await pushImage(registry, repository, image, ['1']);
      const sorted = [...repositories].sort();
      expect(await Array.fromAsync(registry.repositories())).toEqual(sorted);
      for (const [at, after] of sorted.entries()) {
        expect(await Array.fromAsync(registry.repositories(after))).toEqual(sorted.slice(at + 1));
      }
      expect(await Array.fromAsync(registry.repositories('a/a'))).toEqual(sorted.filter((one) => one > 'a/a'));
    });

    it('have no repository with blobs and no manifest', async () => {
      const blob = blobOf(bytesOf('lonely', 10));
      await registry.putBlob('blobs-only', blob.descriptor, opener(blob.bytes));
      expect(await Array.fromAsync(registry.repositories())).toEqual([]);
    });

    it('have tags in byte order, after any of them', async () => {
      const tags = ['v1.10', 'v1.9', 'V1', '_x', 'latest', '1', 'a-b', 'a.b', 'a'];
      await pushImage(registry, 'team/app', imageOf('image'), tags);
      const sorted = [...tags].sort();
      expect(await Array.fromAsync(registry.tags('team/app'))).toEqual(sorted);
      for (const [at, after] of sorted.entries()) {
        expect(await Array.fromAsync(registry.tags('team/app', after))).toEqual(sorted.slice(at + 1));
      }
    });

    it('are empty for a repository without tags, and NAME_UNKNOWN for one that is not there', async () => {
      await pushImage(registry, 'team/app', imageOf('image'));
      expect(await Array.fromAsync(registry.tags('team/app'))).toEqual([]);
      expect(await codeOf(Array.fromAsync(registry.tags('nowhere')))).toBe('NAME_UNKNOWN');
    });
  });

  describe.runIf(suite.can('referrers'))(`${suite.name}: referrers`, () => {
    const subject = imageOf('subject');
    const { digest } = subject.manifest;
    const subjectDescriptor = { mediaType: OCI_MANIFEST, digest, size: subject.manifest.size };
    const referrers = (type?: string) => Array.fromAsync(registry.referrers('team/app', digest, type));

    const sbom = imageOf('sbom', {
      artifactType: 'application/vnd.example.sbom',
      subject: subjectDescriptor,
      annotations: { 'org.example.kind': 'sbom' },
    });
    const untyped = imageOf('untyped', { subject: subjectDescriptor });

    it('are listed with artifact type and annotations', async () => {
      await pushImage(registry, 'team/app', subject, ['1.0']);
      await pushImage(registry, 'team/app', sbom);
      await pushImage(registry, 'team/app', untyped);
      const found = await referrers();
      expect(found).toHaveLength(2);
      expect(found).toContainEqual({
        mediaType: OCI_MANIFEST,
        digest: sbom.manifest.digest,
        size: sbom.manifest.size,
        artifactType: 'application/vnd.example.sbom',
        annotations: { 'org.example.kind': 'sbom' },
      });
      // Without an artifactType, the config's media type counts as one.
      expect(found).toContainEqual(
        expect.objectContaining({
          digest: untyped.manifest.digest,
          artifactType: 'application/vnd.oci.image.config.v1+json',
        }),
      );
    });

    it('are filtered by type', async () => {
      await pushImage(registry, 'team/app', sbom);
      await pushImage(registry, 'team/app', untyped);
      expect((await referrers('application/vnd.example.sbom')).map((one) => one.digest)).toEqual([
        sbom.manifest.digest,
      ]);
      expect(await referrers('application/vnd.example.none')).toEqual([]);
    });

    it('come in the order of digests, after any of them, and of one type too', async () => {
      const referring = Array.from({ length: 5 }, (_, at) =>
        imageOf(`referrer ${at}`, { subject: subjectDescriptor, artifactType: `application/x.${at % 2}` }),
      );
      for (const each of referring) await pushImage(registry, 'team/app', each);
      const digests = referring.map(({ manifest }) => manifest.digest).sort();
      const digestsAfter = async (after: string | undefined, type?: string) => {
        const options = after === undefined ? {} : { after };
        const found = await Array.fromAsync(registry.referrers('team/app', digest, type, options));
        return found.map((one) => one.digest);
      };
      for (const after of [undefined, ...digests]) {
        const wanted = digests.filter((each) => after === undefined || each > after);
        expect(await digestsAfter(after)).toEqual(wanted);
        const ofType = referring.filter(({ manifest }) => `${Buffer.from(manifest.bytes)}`.includes('x.1"'));
        const ofTypeDigests = new Set(ofType.map(({ manifest }) => manifest.digest));
        expect(await digestsAfter(after, 'application/x.1')).toEqual(wanted.filter((each) => ofTypeDigests.has(each)));
      }
      expect(await digestsAfter('sha256')).toEqual(digests);
      expect(await digestsAfter('sha256/zzz')).toEqual(digests);
      expect(await digestsAfter('sha256;')).toEqual([]);
    });

    it('may be indexes, and come before their subject', async () => {
      const index = indexOf([], { subject: subjectDescriptor, artifactType: 'application/vnd.example.list' });
      const plain = indexOf([], { subject: subjectDescriptor, annotations: { a: 'b' } });
      await registry.putManifest('team/app', index, []);
      await registry.putManifest('team/app', plain, ['plain']);
      const found = await referrers();
      expect(found).toContainEqual(expect.objectContaining({ artifactType: 'application/vnd.example.list' }));
      expect(found.find((one) => one.digest === plain.digest)).toEqual({
        mediaType: plain.mediaType,
        digest: plain.digest,
        size: plain.size,
        annotations: { a: 'b' },
      });
    });

    it('are an empty list for an unknown digest, also in an unknown repository', async () => {
      const unknown: Digest = imageOf('unknown').manifest.digest;
      expect(await Array.fromAsync(registry.referrers('nowhere', unknown))).toEqual([]);
    });

    it.runIf(suite.can('deletes'))('are removed from the list when they are deleted', async () => {
      await pushImage(registry, 'team/app', sbom, ['sbom']);
      await pushImage(registry, 'team/app', untyped);
      await registry.deleteManifest('team/app', sbom.manifest.digest);
      expect((await referrers()).map((one) => one.digest)).toEqual([untyped.manifest.digest]);
    });
  });
}
