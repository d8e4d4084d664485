import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { attestation, buildImage, buildIndex, layerOf } from '../../../test/fixtures/image.ts';
import type { CopyEvent } from '../../copy/events.ts';
import { oneChunk } from '../../io/streams/one-chunk.ts';
import type { Digest } from '../../oci/digest.ts';
import { readTar } from '../../tar/reader.ts';
import { type MadeArchives, madeArchives } from '../testing/made-archives.ts';
import { makeArchive } from './make-archive.ts';
import { openImages } from './prepulled-store.ts';

const of = (architecture: string) =>
  buildImage({ architecture, layers: [layerOf([{ name: 'a', data: architecture }])] });
const amd = of('amd64');
const index = buildIndex([amd, of('arm64'), attestation('{}')]);

/** The files of the archive that has these images, and what makeArchive said. */
async function archived(
  layout: MadeArchives,
  names: readonly string[],
  format: 'oci-archive' | 'docker-archive',
  asDigest?: Digest,
) {
  const items = await layout.items(...names);
  const named = asDigest
    ? items.map((item) => ({ ...item, name: { host: 'quay.io', path: 'a', digest: asDigest } }))
    : items;
  await using images = await openImages(named, layout.settings, {});
  const events: CopyEvent[] = [];
  const path = layout.at('out');
  const digests = await makeArchive(images.images, { format, path }, layout.settings, {
    onEvent: (event) => events.push(event),
  });
  const files = new Map<string, Buffer>();
  for await (const { name, body } of readTar(oneChunk(await readFile(path)))) {
    files.set(name, Buffer.concat(await Array.fromAsync(body)));
  }
  return { digests, events, files };
}

interface Listed {
  readonly digest: string;
  readonly annotations: Readonly<Record<string, string>>;
}

function listedIn(files: ReadonlyMap<string, Buffer>): readonly Listed[] {
  return JSON.parse(String(files.get('index.json'))).manifests;
}

describe('an oci-archive for containerd', () => {
  it('has indexes as they are, with the machine’s image, and each image is pinned', async () => {
    await using layout = await madeArchives({ 'quay.io/a:1': index, 'quay.io/b:1': amd });
    const { digests, files } = await archived(layout, ['quay.io/a:1', 'quay.io/b:1'], 'oci-archive');
    expect(digests).toEqual([index.manifest.digest, amd.manifest.digest]);
    const listed = listedIn(files);
    expect(listed.map(({ digest }) => digest).toSorted()).toEqual([...digests].toSorted());
    expect(listed.map(({ annotations }) => annotations['io.cri-containerd.pinned'])).toEqual(['pinned', 'pinned']);
    // The tag is in the reference; only an image that was named by its digest needs this.
    expect(listed.map(({ annotations }) => annotations['io.containerd.image.name'] ?? '').join()).not.toContain('@');
    const blobs = [...files.keys()].filter((name) => /^blobs\/.*[0-9a-f]{64}$/.test(name));
    // The index, one manifest with its config and its layer.
    expect(blobs).toHaveLength(4);
  });

  it('has the full name of an image that was named by its digest', async () => {
    await using layout = await madeArchives({ 'x:1': amd });
    const digest = amd.manifest.digest as Digest;
    const { files } = await archived(layout, ['x:1'], 'oci-archive', digest);
    expect(listedIn(files).map(({ annotations }) => annotations['io.containerd.image.name'])).toEqual([
      `quay.io/a@${digest}`,
    ]);
  });

  it('has images without a name, too', async () => {
    await using layout = await madeArchives({ latest: amd });
    const { digests } = await archived(layout, ['latest'], 'oci-archive');
    expect(digests).toEqual([amd.manifest.digest]);
  });
});

it('a docker-archive has the image of an index for the machine, since Docker loads no indexes', async () => {
  await using layout = await madeArchives({ 'quay.io/a:1': index });
  const { digests, files } = await archived(layout, ['quay.io/a:1'], 'docker-archive');
  expect(digests).toEqual([amd.manifest.digest]);
  const [listed] = JSON.parse(String(files.get('manifest.json')));
  expect(listed.RepoTags).toEqual(['quay.io/a:1']);
});

it('making an archive reports the total, the image and its blobs; notes come when an item is opened', async () => {
  await using layout = await madeArchives({ 'a:1': amd });
  const { events } = await archived(layout, ['a:1'], 'oci-archive');
  const types = new Set(events.map(({ type }) => type));
  expect([...types]).toEqual(expect.arrayContaining(['plan', 'image', 'blob', 'progress', 'blob-done', 'image-done']));
  expect(types.has('note')).toBe(false);
  expect(events.findLast(({ type }) => type === 'image-done')).toMatchObject({ digest: amd.manifest.digest });
});
