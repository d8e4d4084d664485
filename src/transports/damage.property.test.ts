// Whatever is damaged in an archive, the output is correct or the error is an ImagesError.

import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { collect } from '../../test/contract/content.ts';
import { indexContent, layoutFiles, writeFiles } from '../../test/contract/named-content.ts';
import { tar } from '../../test/fixtures/tar.ts';
import { must } from '../../test/peers/process.ts';
import { quickDirectory } from '../../test/peers/temporary.ts';
import { rounds } from '../../test/testing/soak.ts';
import { digestHex, digestOf } from '../oci/digest.ts';
import { isImagesError } from '../oci/errors.ts';
import { decodeManifest, successors } from '../oci/manifest.ts';
import { openOciArchive } from './archive/oci-archive-source.ts';
import type { ImageSource } from './contract.ts';
import { openDockerArchiveImage } from './docker-archive/docker-archive-source.ts';

const layer = Buffer.from(tar([{ name: 'x', data: 'y' }]));

async function ociArchive(): Promise<Buffer> {
  await using directory = await quickDirectory('damage');
  await writeFiles(join(directory.path, 'layout'), layoutFiles(indexContent('damage')));
  const path = join(directory.path, 'x.tar');
  await must('tar', ['-cf', path, '-C', join(directory.path, 'layout'), '.']);
  return await readFile(path);
}

function dockerArchive(): Buffer {
  const config = Buffer.from(
    JSON.stringify({ os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [digestOf(layer)] } }),
  );
  const name = `${digestHex(digestOf(config))}.json`;
  const item = { Config: name, RepoTags: ['x:1'], Layers: ['a/layer.tar'] };
  return Buffer.from(
    tar([
      { name, data: config },
      { name: 'a/layer.tar', data: layer },
      { name: 'b/layer.tar', link: '../a/layer.tar' },
      { name: 'manifest.json', data: JSON.stringify([item]) },
    ]),
  );
}

function legacyArchive(): Buffer {
  const id = digestHex(digestOf(layer));
  const config = JSON.stringify({ id, os: 'linux', architecture: 'amd64' });
  return Buffer.from(
    tar([
      { name: `${id}/json`, data: config },
      { name: `${id}/layer.tar`, data: layer },
      { name: 'repositories', data: JSON.stringify({ x: { '1': id } }) },
    ]),
  );
}

/** Reads everything of the image. */
async function readAll(open: () => Promise<ImageSource>): Promise<void> {
  await using source = await open();
  const root = await source.root();
  expect(root.digest).toBe(digestOf(root.bytes));
  const below = successors(decodeManifest(root));
  for (const child of below.manifests) {
    const raw = await source.manifest(child);
    expect(digestOf(raw.bytes)).toBe(child.digest);
  }
  for (const blob of below.blobs) {
    expect(digestOf(await collect(await source.blob(blob, 0)))).toBe(blob.digest);
  }
  await Array.fromAsync(source.referrers(root.digest));
  await source.statTag('x');
}

const damages = fc.array(fc.record({ at: fc.nat(), byte: fc.nat(255) }), { minLength: 1, maxLength: 4 });
const cut = fc.option(fc.nat(), { freq: 3 });

describe('a damaged archive', () => {
  it.each([
    [
      'oci-archive',
      ociArchive,
      (path: string) => openOciArchive({ path, ref: '1.2' }, { temporaryDirectory: tmpdir() }),
    ],
    [
      'docker-archive',
      async () => dockerArchive(),
      (path: string) => openDockerArchiveImage(path, {}, { temporaryDirectory: tmpdir() }),
    ],
    [
      'docker-archive of old',
      async () => legacyArchive(),
      (path: string) => openDockerArchiveImage(path, {}, { temporaryDirectory: tmpdir() }),
    ],
  ] as const)('of the form %s gives right bytes, or an error', async (_, make, openPath) => {
    const whole = await make();
    await using directory = await quickDirectory('damage');
    const path = join(directory.path, 'x.tar');
    await writeFile(path, whole);
    await readAll(() => openPath(path));
    await fc.assert(
      fc.asyncProperty(damages, cut, async (changes, end) => {
        const bytes = Buffer.from(whole);
        for (const { at, byte } of changes) bytes[at % bytes.length] = byte;
        await writeFile(path, end === null ? bytes : bytes.subarray(0, end % bytes.length));
        try {
          await readAll(() => openPath(path));
        } catch (error) {
          if (!isImagesError(error)) throw error;
          expect(error.message).not.toContain('\n');
        }
      }),
      { numRuns: rounds(100) },
    );
  });
});
