// What every Registry does, whatever it stands on: run over the store in memory and on disk, and over the HTTP client against our server.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Digest } from '../../src/oci/digest.ts';
import { OCI_MANIFEST } from '../../src/oci/media-types.ts';
import type { Registry } from '../../src/registry/contract.ts';
import {
  blobOf,
  breakingOpener,
  bytesOf,
  chunked,
  collect,
  imageOf,
  indexOf,
  manifestOf,
  opener,
  pushImage,
} from './content.ts';

/** What some registries cannot do. Absent: it can. */
export interface RegistryAbilities {
  /** A broken-off `putBlob` keeps its bytes. */
  readonly keepsPartialBlobs?: boolean;
  readonly sparseIndexes?: boolean;
  readonly referrers?: boolean;
  readonly deletes?: boolean;
  /** Says by itself which blobs it lacks, before a manifest is stored. */
  readonly checksBlobs?: boolean;
}

export interface RegistryUnderTest extends AsyncDisposable {
  readonly registry: Registry;
}

/** `makeRegistry` gives an empty registry each time it is called. */
export function registryContract(
  name: string,
  makeRegistry: () => Promise<RegistryUnderTest>,
  abilities: RegistryAbilities = {},
): void {
  const can = (ability: keyof RegistryAbilities) => abilities[ability] ?? true;
  let made: RegistryUnderTest;
  let registry: Registry;

  beforeEach(async () => {
    made = await makeRegistry();
    registry = made.registry;
  });
  afterEach(() => made[Symbol.asyncDispose]());

  describe(`${name}: blobs`, () => {
    const blob = blobOf(bytesOf('blob', 300_000));

    it('are given back as they were put', async () => {
      await registry.putBlob('team/app', blob.descriptor, opener(blob.bytes));
      const content = await registry.getBlob('team/app', blob.descriptor.digest);
      expect(content.descriptor).toMatchObject({ digest: blob.descriptor.digest, size: 300_000 });
      expect(Buffer.compare(await collect(content.body), blob.bytes)).toBe(0);
      expect(await registry.statBlob('team/app', blob.descriptor.digest)).toMatchObject({
        digest: blob.descriptor.digest,
        size: 300_000,
      });
    });

    it('can be empty, and have a sha512 digest', async () => {
      for (const odd of [blobOf(Buffer.alloc(0)), blobOf(bytesOf('x', 10), undefined, 'sha512')]) {
        await registry.putBlob('team/app', odd.descriptor, opener(odd.bytes));
        const { body } = await registry.getBlob('team/app', odd.descriptor.digest);
        expect(await collect(body)).toEqual(odd.bytes);
      }
    });

    it('are not asked for when they are there', async () => {
      const asked: number[] = [];
      await registry.putBlob('team/app', blob.descriptor, opener(blob.bytes, asked));
      await registry.putBlob('team/app', blob.descriptor, opener(blob.bytes, asked));
      expect(asked).toEqual([0]);
    });

    it('come in ranges; one from beyond the end is RANGE_INVALID', async () => {
      await registry.putBlob('team/app', blob.descriptor, opener(blob.bytes));
      const { digest } = blob.descriptor;
      const ranged = await registry.getBlob('team/app', digest, { from: 1000, to: 2000 });
      expect(ranged.descriptor.size).toBe(300_000);
      expect(await collect(ranged.body)).toEqual(blob.bytes.subarray(1000, 2000));
      const tail = await registry.getBlob('team/app', digest, { from: 299_990, to: 999_999 });
      expect(await collect(tail.body)).toEqual(blob.bytes.subarray(299_990));
      await expect(registry.getBlob('team/app', digest, { from: 300_000 })).rejects.toMatchObject({
        code: 'RANGE_INVALID',
      });
    });

    it('that are not there are undefined, or BLOB_UNKNOWN, or NAME_UNKNOWN', async () => {
      const { digest } = blob.descriptor;
      expect(await registry.statBlob('nowhere', digest)).toBeUndefined();
      expect(await codeOf(registry.getBlob('nowhere', digest))).toMatch(/^(NAME|BLOB)_UNKNOWN$/);
      await pushImage(registry, 'team/app', imageOf('one'));
      expect(await registry.statBlob('team/app', digest)).toBeUndefined();
      expect(await codeOf(registry.getBlob('team/app', digest))).toBe('BLOB_UNKNOWN');
    });

    it('of one repository are not those of another', async () => {
      await pushImage(registry, 'team/other', imageOf('one'));
      await registry.putBlob('team/app', blob.descriptor, opener(blob.bytes));
      expect(await registry.statBlob('team/other', blob.descriptor.digest)).toBeUndefined();
    });

    it('with another content than their digest says are refused, and nothing of them is kept', async () => {
      const wrong = Buffer.from(blob.bytes).fill(1, 5, 6);
      const put = registry.putBlob('team/app', blob.descriptor, opener(wrong));
      expect(await codeOf(put)).toBe('DIGEST_INVALID');
      expect(await registry.statBlob('team/app', blob.descriptor.digest)).toBeUndefined();
      expect(await registry.partialBytes(blob.descriptor.digest)).toBe(0);
    });

    it('that are longer than they should be are refused', async () => {
      const longer = Buffer.concat([blob.bytes, Buffer.from('more')]);
      expect(await codeOf(registry.putBlob('team/app', blob.descriptor, opener(longer)))).toBe('SIZE_INVALID');
      expect(await registry.statBlob('team/app', blob.descriptor.digest)).toBeUndefined();
      expect(await registry.partialBytes(blob.descriptor.digest)).toBe(0);
    });

    it.runIf(can('keepsPartialBlobs'))('that broke off go on where they were', async () => {
      const { descriptor, bytes } = blob;
      await expect(registry.putBlob('team/app', descriptor, breakingOpener(bytes, 100_000))).rejects.toThrow('reset');
      expect(await registry.partialBytes(descriptor.digest)).toBe(100_000);
      // Ended early without an error: as a server that closes.
      const short: (from: number) => Promise<AsyncGenerator<Uint8Array>> = async (from) =>
        chunked(bytes.subarray(from, 150_000));
      expect(await codeOf(registry.putBlob('team/app', descriptor, short))).toBe('SIZE_INVALID');
      expect(await registry.partialBytes(descriptor.digest)).toBe(150_000);
      const asked: number[] = [];
      await registry.putBlob('team/other', descriptor, opener(bytes, asked));
      expect(asked).toEqual([150_000]);
      expect(await collect((await registry.getBlob('team/other', descriptor.digest)).body)).toEqual(bytes);
      // All of it: a link will do for the next repository.
      expect(await registry.partialBytes(descriptor.digest)).toBe(300_000);
    });

    it.runIf(can('keepsPartialBlobs'))('whose kept bytes prove wrong are fetched whole, once', async () => {
      const { descriptor, bytes } = blob;
      const wrong = Buffer.from(bytes).fill(1, 5, 6);
      await expect(registry.putBlob('team/app', descriptor, breakingOpener(wrong, 100_000))).rejects.toThrow('reset');
      const asked: number[] = [];
      await registry.putBlob('team/app', descriptor, opener(bytes, asked));
      expect(asked).toEqual([100_000, 0]);
      expect(await collect((await registry.getBlob('team/app', descriptor.digest)).body)).toEqual(bytes);
    });

    it.runIf(can('keepsPartialBlobs'))('that two put at once are asked for once', async () => {
      const asked: number[] = [];
      const open = opener(blob.bytes, asked);
      await Promise.all(['a', 'b', 'c'].map((repository) => registry.putBlob(repository, blob.descriptor, open)));
      expect(asked).toEqual([0]);
      for (const repository of ['a', 'b', 'c']) {
        expect(await registry.statBlob(repository, blob.descriptor.digest)).toBeDefined();
      }
    });

    it('are mounted from another repository, named or not; unknown ones are not', async () => {
      await registry.putBlob('team/app', blob.descriptor, opener(blob.bytes));
      expect(await registry.mountBlob('team/named', blob.descriptor.digest, 'team/app')).toBe(true);
      expect(await registry.statBlob('team/named', blob.descriptor.digest)).toMatchObject({ size: 300_000 });
      expect(await registry.mountBlob('team/any', blob.descriptor.digest)).toBe(true);
      expect(await registry.mountBlob('team/any', blobOf(bytesOf('unknown', 5)).descriptor.digest)).toBe(false);
    });

    it.runIf(can('deletes'))('are deleted from one repository and stay in others', async () => {
      await pushImage(registry, 'team/app', imageOf('one'));
      await registry.putBlob('team/app', blob.descriptor, opener(blob.bytes));
      await registry.mountBlob('team/other', blob.descriptor.digest, 'team/app');
      await registry.deleteBlob('team/app', blob.descriptor.digest);
      expect(await registry.statBlob('team/app', blob.descriptor.digest)).toBeUndefined();
      expect(await registry.statBlob('team/other', blob.descriptor.digest)).toBeDefined();
      expect(await codeOf(registry.deleteBlob('team/app', blob.descriptor.digest))).toBe('BLOB_UNKNOWN');
    });

    it('of a repository with a bad name are NAME_INVALID', async () => {
      for (const bad of ['UPPER', 'a//b', '../x', 'a/_layers/b', '']) {
        expect(await codeOf(registry.putBlob(bad, blob.descriptor, opener(blob.bytes)))).toBe('NAME_INVALID');
      }
    });
  });

  describe(`${name}: uploads`, () => {
    const { bytes, descriptor } = blobOf(bytesOf('upload', 100_000));

    it('become a blob when they are committed', async () => {
      await using upload = await registry.openUpload('team/app');
      expect(upload.size).toBe(0);
      expect(await upload.append(chunked(bytes.subarray(0, 40_000)))).toBe(40_000);
      expect(await upload.append(chunked(bytes.subarray(40_000)), { from: 40_000 })).toBe(100_000);
      expect(await upload.commit(descriptor.digest)).toMatchObject({ digest: descriptor.digest, size: 100_000 });
      expect(await collect((await registry.getBlob('team/app', descriptor.digest)).body)).toEqual(bytes);
    });

    it('are gone on with by their id', async () => {
      const first = await registry.openUpload('team/app');
      await first.append(chunked(bytes.subarray(0, 40_000)));
      await first[Symbol.asyncDispose]();
      await using second = await registry.openUpload('team/app', first.id);
      expect(second.size).toBe(40_000);
      await second.append(chunked(bytes.subarray(40_000)));
      await second.commit(descriptor.digest);
      expect(await registry.statBlob('team/app', descriptor.digest)).toMatchObject({ size: 100_000 });
    });

    it('can have a sha512 digest', async () => {
      const sha512 = blobOf(bytes, undefined, 'sha512').descriptor.digest;
      await using upload = await registry.openUpload('team/app');
      await upload.append(chunked(bytes));
      expect((await upload.commit(sha512)).digest).toBe(sha512);
    });

    it('refuse bytes out of order, and stay as they were', async () => {
      await using upload = await registry.openUpload('team/app');
      await upload.append(chunked(bytes.subarray(0, 50)));
      for (const from of [0, 49, 51]) {
        expect(await codeOf(upload.append(chunked(bytes.subarray(from, 60)), { from }))).toBe('RANGE_INVALID');
      }
      expect(upload.size).toBe(50);
      await upload.append(chunked(bytes.subarray(50)), { from: 50 });
      await upload.commit(descriptor.digest);
    });

    it('with a wrong digest are refused and gone', async () => {
      const upload = await registry.openUpload('team/app');
      await upload.append(chunked(bytes.subarray(1)));
      expect(await codeOf(upload.commit(descriptor.digest))).toBe('DIGEST_INVALID');
      await upload[Symbol.asyncDispose]();
      expect(await codeOf(registry.openUpload('team/app', upload.id))).toBe('BLOB_UPLOAD_UNKNOWN');
      expect(await registry.statBlob('team/app', descriptor.digest)).toBeUndefined();
    });

    it('are cancelled', async () => {
      const upload = await registry.openUpload('team/app');
      await upload.append(chunked(bytes));
      await upload.cancel();
      expect(await codeOf(registry.openUpload('team/app', upload.id))).toBe('BLOB_UPLOAD_UNKNOWN');
    });

    it('that were never begun are BLOB_UPLOAD_UNKNOWN', async () => {
      for (const id of ['00000000-0000-4000-8000-000000000000', 'nonsense', '..']) {
        expect(await codeOf(registry.openUpload('team/app', id))).toBe('BLOB_UPLOAD_UNKNOWN');
      }
    });
  });

  describe(`${name}: manifests`, () => {
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

    it.runIf(can('checksBlobs'))('whose blobs are not in the repository are refused, naming them', async () => {
      await registry.putBlob('team/app', image.config.descriptor, opener(image.config.bytes));
      await pushImage(registry, 'team/other', image);
      const missing = image.layers[0]?.descriptor.digest ?? '';
      await expect(registry.putManifest('team/app', image.manifest, ['latest'])).rejects.toMatchObject({
        code: 'MANIFEST_BLOB_UNKNOWN',
        message: expect.stringContaining(missing),
      });
      expect(await registry.statManifest('team/app', 'latest')).toBeUndefined();
    });

    it('need no non-distributable layers', async () => {
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

    it.runIf(can('sparseIndexes'))('that are indexes may lack children', async () => {
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

    it('have tags that are tags', async () => {
      await pushImage(registry, 'team/app', image);
      for (const tag of ['.dot', 'a/b', 'a'.repeat(129)]) {
        expect(await codeOf(registry.putManifest('team/app', image.manifest, [tag]))).toBe('TAG_INVALID');
      }
    });
  });

  describe.runIf(can('deletes'))(`${name}: deleting`, () => {
    const image = imageOf('image');
    const { digest } = image.manifest;

    it('a tag leaves the manifest and its other tags', async () => {
      await pushImage(registry, 'team/app', image, ['1.0', 'latest']);
      await registry.deleteTag('team/app', 'latest');
      expect(await registry.statManifest('team/app', 'latest')).toBeUndefined();
      expect(await registry.statManifest('team/app', '1.0')).toBeDefined();
      expect(await registry.statManifest('team/app', digest)).toBeDefined();
      expect(await codeOf(registry.deleteTag('team/app', 'latest'))).toBe('MANIFEST_UNKNOWN');
    });

    it('a manifest deletes every tag that points to it, and no other', async () => {
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

    it('what is in no repository is NAME_UNKNOWN', async () => {
      expect(await codeOf(registry.deleteManifest('nowhere', digest))).toBe('NAME_UNKNOWN');
      expect(await codeOf(registry.deleteTag('nowhere', 'latest'))).toBe('NAME_UNKNOWN');
      expect(await codeOf(registry.deleteBlob('nowhere', digest))).toBe('NAME_UNKNOWN');
    });

    it('a manifest lets it be pushed again', async () => {
      await pushImage(registry, 'team/app', image, ['1.0']);
      await registry.deleteManifest('team/app', digest);
      await pushImage(registry, 'team/app', image, ['1.0']);
      expect((await registry.statManifest('team/app', '1.0'))?.digest).toBe(digest);
    });
  });

  describe(`${name}: lists`, () => {
    it('repositories in byte order, after any of them', async () => {
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

    it('no repository that has blobs and no manifest yet', async () => {
      const blob = blobOf(bytesOf('lonely', 10));
      await registry.putBlob('blobs-only', blob.descriptor, opener(blob.bytes));
      expect(await Array.fromAsync(registry.repositories())).toEqual([]);
    });

    it('tags in byte order, after any of them', async () => {
      const tags = ['v1.10', 'v1.9', 'V1', '_x', 'latest', '1', 'a-b', 'a.b', 'a'];
      await pushImage(registry, 'team/app', imageOf('image'), tags);
      const sorted = [...tags].sort();
      expect(await Array.fromAsync(registry.tags('team/app'))).toEqual(sorted);
      for (const [at, after] of sorted.entries()) {
        expect(await Array.fromAsync(registry.tags('team/app', after))).toEqual(sorted.slice(at + 1));
      }
    });

    it('no tags of a repository that has none, and NAME_UNKNOWN for one that is not there', async () => {
      await pushImage(registry, 'team/app', imageOf('image'));
      expect(await Array.fromAsync(registry.tags('team/app'))).toEqual([]);
      expect(await codeOf(Array.fromAsync(registry.tags('nowhere')))).toBe('NAME_UNKNOWN');
    });
  });

  describe.runIf(can('referrers'))(`${name}: referrers`, () => {
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
      // Without artifactType it is the config's media type.
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

    it('are none for an unknown digest, also in no repository', async () => {
      const unknown: Digest = imageOf('unknown').manifest.digest;
      expect(await Array.fromAsync(registry.referrers('nowhere', unknown))).toEqual([]);
    });

    it.runIf(can('deletes'))('leave the list when they are deleted', async () => {
      await pushImage(registry, 'team/app', sbom, ['sbom']);
      await pushImage(registry, 'team/app', untyped);
      await registry.deleteManifest('team/app', sbom.manifest.digest);
      expect((await referrers()).map((one) => one.digest)).toEqual([untyped.manifest.digest]);
    });
  });
}

/** The code of the error that the work ends in; `undefined` when it succeeds. */
async function codeOf(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}
