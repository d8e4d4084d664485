// The contract of Registry: manifests, tags and deletion.
import { beforeEach, describe, expect, it } from 'vitest';
import { OCI_MANIFEST } from '../../../src/oci/media-types.ts';
import type { Registry } from '../../../src/registry/contract.ts';
import { blobOf, bytesOf, imageOf, indexOf, manifestOf, opener, pushImage } from '../content.ts';
import { codeOf, type RegistrySuite } from './suite.ts';

export function manifestContract(suite: RegistrySuite): void {
  let registry: Registry;

  beforeEach(() => {
    registry = suite.registry();
  });

  describe(`${suite.name}: manifests`, () => {
    const image = imageOf('image');
    const { digest } = image.manifest;

    it('are given back byte for byte, by tag and by digest', async () => {
      await pushImage(registry, 'team/app', image, ['1.0', 'latest']);
      for (const reference of ['1.0', 'latest', digest]) {
        const found = await registry.getManifest('team/app', reference);
        expect(found).toMatchObject({ mediaType: OCI_MANIFEST, digest, size: image.manifest.size });
        expect(Buffer.compare(found.bytes, image.manifest.bytes)).toBe(0);
        expect(await registry.statManifest('team/app', reference)).toMatchObject({
          mediaType: OCI_MANIFEST,
          digest,
          size: image.manifest.size,
        });
      }
    });

    it('move their tag when another is pushed under it', async () => {
      const newer = imageOf('newer');
      await pushImage(registry, 'team/app', image, ['latest']);
      await pushImage(registry, 'team/app', newer, ['latest']);
      expect((await registry.getManifest('team/app', 'latest')).digest).toBe(newer.manifest.digest);
      expect((await registry.getManifest('team/app', digest)).digest).toBe(digest);
    });

    it('can have a sha512 digest', async () => {
      const sha512 = imageOf('image', {}, 'sha512');
      await pushImage(registry, 'team/app', sha512, ['sha512']);
      expect((await registry.getManifest('team/app', sha512.manifest.digest)).digest).toBe(sha512.manifest.digest);
      expect((await registry.statManifest('team/app', 'sha512'))?.size).toBe(sha512.manifest.size);
    });

    it('that are not there are undefined, MANIFEST_UNKNOWN or NAME_UNKNOWN', async () => {
      expect(await registry.statManifest('nowhere', 'latest')).toBeUndefined();
      expect(await codeOf(registry.getManifest('nowhere', 'latest'))).toMatch(/^(NAME|MANIFEST)_UNKNOWN$/);
      await pushImage(registry, 'team/app', image, ['1.0']);
      const other = imageOf('other').manifest.digest;
      for (const reference of ['latest', other]) {
        expect(await registry.statManifest('team/app', reference)).toBeUndefined();
        expect(await codeOf(registry.getManifest('team/app', reference))).toBe('MANIFEST_UNKNOWN');
      }
    });

    it.runIf(suite.can('checksBlobs'))('whose blobs are not in the repository are refused, naming them', async () => {
      await registry.putBlob('team/app', image.config.descriptor, opener(image.config.bytes));
      await pushImage(registry, 'team/other', image);
      const missing = image.layers[0]?.descriptor.digest ?? '';
      await expect(registry.putManifest('team/app', image.manifest, ['latest'])).rejects.toMatchObject({
        code: 'MANIFEST_BLOB_UNKNOWN',
        message: expect.stringContaining(missing),
      });
      expect(await registry.statManifest('team/app', 'latest')).toBeUndefined();
    });

    it('do not need non-distributable layers to be there', async () => {
      const foreign = {
        mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
        digest: blobOf(bytesOf('foreign', 9)).descriptor.digest,
        size: 9,
        urls: ['https://example.com/layer'],
      };
      const windows = imageOf('windows', { layers: [foreign] });
      await pushImage(registry, 'team/app', windows, ['windows']);
      expect((await registry.statManifest('team/app', 'windows'))?.digest).toBe(windows.manifest.digest);
    });

    it('of artifacts may have any media types inside, and data', async () => {
      const empty = blobOf(Buffer.from('{}'), 'application/vnd.oci.empty.v1+json');
      const config = { ...empty.descriptor, data: 'e30=' };
      const artifact = manifestOf({
        mediaType: OCI_MANIFEST,
        artifactType: 'application/vnd.example+type',
        config,
        layers: [config],
        unknownField: { kept: true },
      });
      await registry.putBlob('team/app', empty.descriptor, opener(empty.bytes));
      await registry.putManifest('team/app', artifact, ['artifact']);
      expect((await registry.getManifest('team/app', 'artifact')).bytes).toEqual(artifact.bytes);
    });

    it('that are indexes are kept as they are', async () => {
      await pushImage(registry, 'team/app', image);
      const index = indexOf([image.manifest]);
      await registry.putManifest('team/app', index, ['multi']);
      expect(await registry.getManifest('team/app', 'multi')).toMatchObject({
        mediaType: index.mediaType,
        digest: index.digest,
      });
    });

    it.runIf(suite.can('sparseIndexes'))('that are indexes may lack children', async () => {
      await pushImage(registry, 'team/app', image);
      const index = indexOf([image.manifest, imageOf('absent').manifest]);
      await registry.putManifest('team/app', index, ['sparse']);
      expect((await registry.getManifest('team/app', 'sparse')).digest).toBe(index.digest);
    });

    it('that contradict themselves are MANIFEST_INVALID', async () => {
      await pushImage(registry, 'team/app', image);
      const bad = [
        manifestOf({ mediaType: OCI_MANIFEST, config: image.config.descriptor, layers: 'none' }),
        manifestOf({ mediaType: OCI_MANIFEST, config: image.config.descriptor, layers: [], manifests: [] }),
        manifestOf({ mediaType: OCI_MANIFEST, config: { ...image.config.descriptor, digest: 'sha256:short' } }),
      ];
      for (const manifest of bad) {
        expect(await codeOf(registry.putManifest('team/app', manifest, ['bad']))).toBe('MANIFEST_INVALID');
      }
      expect(await registry.statManifest('team/app', 'bad')).toBeUndefined();
    });

    it('with another digest than their bytes have are DIGEST_INVALID', async () => {
      await pushImage(registry, 'team/app', image);
      const wrong = { ...image.manifest, digest: imageOf('other').manifest.digest };
      expect(await codeOf(registry.putManifest('team/app', wrong, []))).toBe('DIGEST_INVALID');
    });

    it('cannot have invalid tags', async () => {
      await pushImage(registry, 'team/app', image);
      for (const tag of ['.dot', 'a/b', 'a'.repeat(129)]) {
        expect(await codeOf(registry.putManifest('team/app', image.manifest, [tag]))).toBe('TAG_INVALID');
      }
    });
  });

  describe.runIf(suite.can('deletes'))(`${suite.name}: deleting`, () => {
    const image = imageOf('image');
    const { digest } = image.manifest;

    it('a tag keeps the manifest and its other tags', async () => {
      await pushImage(registry, 'team/app', image, ['1.0', 'latest']);
      await registry.deleteTag('team/app', 'latest');
      expect(await registry.statManifest('team/app', 'latest')).toBeUndefined();
      expect(await registry.statManifest('team/app', '1.0')).toBeDefined();
      expect(await registry.statManifest('team/app', digest)).toBeDefined();
      expect(await codeOf(registry.deleteTag('team/app', 'latest'))).toBe('MANIFEST_UNKNOWN');
    });

    it('a manifest also deletes every tag that points to it, and no other', async () => {
      const other = imageOf('other');
      await pushImage(registry, 'team/app', image, ['1.0', 'latest']);
      await pushImage(registry, 'team/app', other, ['2.0']);
      await registry.deleteManifest('team/app', digest);
      for (const gone of ['1.0', 'latest', digest]) {
        expect(await registry.statManifest('team/app', gone)).toBeUndefined();
      }
      expect(await Array.fromAsync(registry.tags('team/app'))).toEqual(['2.0']);
      expect(await codeOf(registry.deleteManifest('team/app', digest))).toBe('MANIFEST_UNKNOWN');
    });

    it('from an unknown repository is NAME_UNKNOWN', async () => {
      expect(await codeOf(registry.deleteManifest('nowhere', digest))).toBe('NAME_UNKNOWN');
      expect(await codeOf(registry.deleteTag('nowhere', 'latest'))).toBe('NAME_UNKNOWN');
      expect(await codeOf(registry.deleteBlob('nowhere', digest))).toBe('NAME_UNKNOWN');
    });

    it('a manifest does not keep it from being pushed again', async () => {
      await pushImage(registry, 'team/app', image, ['1.0']);
      await registry.deleteManifest('team/app', digest);
      await pushImage(registry, 'team/app', image, ['1.0']);
      expect((await registry.statManifest('team/app', '1.0'))?.digest).toBe(digest);
    });
  });
}
