// A file in an existing layout or `dir:` is not trusted for its size. It is hashed before it counts as present, once for each sink.
import { readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { collect, opener } from '../../test/contract/content.ts';
import { dirFiles, indexContent, layoutFiles, writeFiles } from '../../test/contract/named-content.ts';
import { temporaryDirectory } from '../../test/peers/temporary.ts';
import type { Digest } from '../oci/digest.ts';
import { manifestDescriptor } from '../oci/manifest.ts';
import { dirBlobFile, dirManifestFile } from './dir/dir-files.ts';
import { dirSink } from './dir/dir-sink.ts';
import { dirSource } from './dir/dir-source.ts';
import { blobPath } from './layout/layout-files.ts';
import { ociSink } from './layout/layout-sink.ts';
import { ociSource } from './layout/layout-source.ts';

const CONTENT = indexContent('there');
const [CONFIG, LAYER] = CONTENT.blobs as [(typeof CONTENT.blobs)[number], (typeof CONTENT.blobs)[number]];
const DESCRIPTORS = CONTENT.blobs.map(({ descriptor }) => descriptor);
const CHILDREN = CONTENT.children.map(manifestDescriptor);

const FORMS = [
  {
    form: 'a layout',
    files: layoutFiles(CONTENT),
    sink: (path: string) => ociSink(path),
    source: (path: string) => ociSource({ path, ref: '1.2' }),
    blobFile: blobPath,
    manifestFile: blobPath,
  },
  {
    form: 'a dir:',
    files: dirFiles(CONTENT),
    sink: dirSink,
    source: dirSource,
    blobFile: dirBlobFile,
    manifestFile: dirManifestFile,
  },
];

describe.each(FORMS)('$form that exists', ({ files, sink, source, blobFile, manifestFile }) => {
  async function folder(): Promise<{ readonly path: string; damage(file: string): Promise<void> }> {
    const directory = await temporaryDirectory('there');
    onTestFinished(() => directory[Symbol.asyncDispose]());
    await writeFiles(directory.path, files);
    return {
      path: directory.path,
      damage: async (file) => {
        const path = join(directory.path, file);
        const bytes = await readFile(path);
        bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
        await writeFile(path, bytes);
      },
    };
  }

  it('lacks nothing if all blobs are right', async () => {
    const { path } = await folder();
    await using to = sink(path);
    expect(await to.missing(CONTENT.name, DESCRIPTORS)).toEqual(new Map());
    expect(await to.missingManifests(CONTENT.name, CHILDREN)).toEqual(new Set());
    expect(await to.mountBlob(CONTENT.name, LAYER.descriptor, CONTENT.name)).toBe(true);
  });

  it('lacks a blob of the right size with wrong bytes, until it is put', async () => {
    const { path, damage } = await folder();
    await damage(blobFile(LAYER.descriptor.digest));
    await using to = sink(path);
    const lacking = async (): Promise<readonly Digest[]> => [...(await to.missing(CONTENT.name, DESCRIPTORS)).keys()];
    expect(await to.mountBlob(CONTENT.name, LAYER.descriptor, CONTENT.name)).toBe(false);
    expect(await lacking()).toEqual([LAYER.descriptor.digest]);
    expect(await to.missingManifests(CONTENT.name, CHILDREN)).toEqual(new Set([CHILDREN[0]?.digest]));
    await to.putBlob(CONTENT.name, LAYER.descriptor, opener(LAYER.bytes));
    expect(await lacking()).toEqual([]);
    await using from = source(path);
    expect(await collect(await from.blob(LAYER.descriptor, 0))).toEqual(LAYER.bytes);
  });

  it('replaces a wrong blob even if nobody asked for it before', async () => {
    const { path, damage } = await folder();
    await damage(blobFile(CONFIG.descriptor.digest));
    await using to = sink(path);
    await to.putBlob(CONTENT.name, CONFIG.descriptor, opener(CONFIG.bytes));
    expect(await readFile(join(path, blobFile(CONFIG.descriptor.digest)))).toEqual(CONFIG.bytes);
  });

  it('lacks a manifest of the right size with wrong bytes', async () => {
    const { path, damage } = await folder();
    const [first] = CHILDREN;
    await damage(manifestFile(first?.digest as Digest));
    await using to = sink(path);
    expect(await to.missingManifests(CONTENT.name, CHILDREN)).toEqual(new Set([first?.digest]));
  });

  it('is hashed once; a file that was written to meanwhile, again', async () => {
    const { path, damage } = await folder();
    await using to = sink(path);
    const file = join(path, blobFile(LAYER.descriptor.digest));
    const time = new Date(1_700_000_000_000);
    await utimes(file, time, time);
    const isThere = async () => (await to.missing(CONTENT.name, [LAYER.descriptor])).size === 0;
    expect(await isThere()).toBe(true);
    await damage(blobFile(LAYER.descriptor.digest));
    const changed = new Date();
    await utimes(file, time, time);
    // The file cannot be distinguished from the version that was hashed.
    expect(await isThere()).toBe(true);
    await utimes(file, changed, changed);
    expect(await isThere()).toBe(false);
  });

  it('stops being hashed on abort, and is hashed anew the next time', async () => {
    const { path } = await folder();
    await using to = sink(path);
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(to.missing(CONTENT.name, DESCRIPTORS, { signal })).rejects.toThrow('enough');
    expect(await to.missing(CONTENT.name, DESCRIPTORS)).toEqual(new Map());
  });
});
