// The contract of ImageSource, for every transport: registries, layouts, archives.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestOf } from '../../src/oci/digest.ts';
import { manifestDescriptor } from '../../src/oci/manifest.ts';
import type { ImageSource } from '../../src/transports/contract.ts';
import { type Blob, collect } from './content.ts';
import type { NamedContent } from './named-content.ts';

/** What some transports cannot hold. An absent field means `true`. */
export interface SourceAbilities {
  readonly referrers?: boolean;
  readonly tags?: boolean;
}

export interface SourceUnderTest extends AsyncDisposable {
  readonly source: ImageSource;
  /** Changes the stored bytes of a blob, but not their number. */
  damage?(blob: Blob): Promise<void>;
}

/** `make` stores all of the content, and returns a source of its root. */
export function imageSourceContract(
  name: string,
  content: NamedContent,
  make: (content: NamedContent) => Promise<SourceUnderTest>,
  abilities: SourceAbilities = {},
): void {
  const can = (ability: keyof SourceAbilities) => abilities[ability] ?? true;
  let made: SourceUnderTest;
  let source: ImageSource;

  describe(`${name} as a source`, () => {
    beforeEach(async () => {
      made = await make(content);
      source = made.source;
    });
    afterEach(() => made[Symbol.asyncDispose]());

    it('gives the manifest that the name points to, byte for byte, as often as it is asked', async () => {
      for (const root of [await source.root(), await source.root()]) {
        expect(root).toMatchObject({ ...manifestDescriptor(content.root) });
        expect(Buffer.compare(root.bytes, content.root.bytes)).toBe(0);
      }
    });

    it('gives the manifests below it', async () => {
      for (const child of content.children) {
        const raw = await source.manifest(manifestDescriptor(child));
        expect(raw).toMatchObject({ ...manifestDescriptor(child) });
        expect(Buffer.compare(raw.bytes, child.bytes)).toBe(0);
      }
    });

    it('reports a manifest that is missing or wrong', async () => {
      const wanted = manifestDescriptor(content.children[0] ?? content.root);
      const absent = { ...wanted, digest: digestOf(Buffer.from('nothing')) };
      await expect(source.manifest(absent)).rejects.toMatchObject({ code: 'MANIFEST_UNKNOWN' });
      await expect(source.manifest({ ...wanted, size: 1 })).rejects.toMatchObject({ code: 'SIZE_INVALID' });
    });

    it('gives every blob, whole and from any byte on, several at once', async () => {
      await Promise.all(
        content.blobs.map(async ({ descriptor, bytes }) => {
          expect(Buffer.compare(await collect(await source.blob(descriptor, 0)), bytes)).toBe(0);
          const from = Math.floor(bytes.length / 2);
          expect(Buffer.compare(await collect(await source.blob(descriptor, from)), bytes.subarray(from))).toBe(0);
        }),
      );
    });

    it('lets a reader leave a blob in the middle, and gives it again', async () => {
      const blob = biggest(content);
      const body = (await source.blob(blob.descriptor, 0))[Symbol.asyncIterator]();
      await body.next();
      await body.return?.();
      await (await source.blob(blob.descriptor, 0))[Symbol.asyncIterator]().return?.();
      expect(await collect(await source.blob(blob.descriptor, 0))).toHaveLength(blob.bytes.length);
    });

    it('reports a blob that is missing or has another size', async () => {
      const { descriptor } = biggest(content);
      const absent = { ...descriptor, digest: digestOf(Buffer.from('nothing')) };
      await expect(source.blob(absent, 0)).rejects.toMatchObject({ code: 'BLOB_UNKNOWN' });
      const other = { ...descriptor, size: descriptor.size + 1 };
      await expect(source.blob(other, 0)).rejects.toMatchObject({ code: 'SIZE_INVALID' });
    });

    it('never gives all of a damaged blob', async () => {
      if (!made.damage) return;
      const blob = biggest(content);
      await made.damage(blob);
      const reading = source.blob(blob.descriptor, 0).then(collect);
      await expect(reading).rejects.toMatchObject({ code: 'DIGEST_INVALID' });
    });

    itIf(can('referrers'))('lists what points to the image, with its type', async () => {
      const found = await Array.fromAsync(source.referrers(content.root.digest));
      expect(found.map(({ digest, artifactType }) => ({ digest, artifactType }))).toEqual(
        content.referrers.map(({ digest }) => ({ digest, artifactType: 'application/x.sbom' })),
      );
      for (const descriptor of found) await source.manifest(descriptor);
    });

    it('lists no referrers if there are none', async () => {
      expect(await Array.fromAsync(source.referrers(digestOf(Buffer.from('nothing'))))).toEqual([]);
    });

    itIf(can('tags'))('finds other tags of the repository, and no other', async () => {
      for (const { tag, manifest } of content.attached) {
        const found = await source.statTag(tag);
        expect(found).toMatchObject({ ...manifestDescriptor(manifest) });
        if (found) await source.manifest(found);
      }
      expect(await source.statTag('nothing')).toBeUndefined();
    });
  });
}

function biggest(content: NamedContent): Blob {
  const [first] = content.blobs.toSorted((a, b) => b.bytes.length - a.bytes.length);
  if (!first) throw new Error('no blob');
  return first;
}

/** For what a transport cannot do there is no test, not even a skipped one. */
function itIf(condition: boolean): (title: string, test: () => Promise<void>) => void {
  return condition ? it : () => {};
}
