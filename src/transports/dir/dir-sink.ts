// A directory in skopeo's `dir:` form as a sink. It holds one image: the parts of an older one are removed when the new one is complete.
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isFsError, translatingFsErrors } from '../../io/files/fs-errors.ts';
import type { Digest } from '../../oci/digest.ts';
import { ImagesError } from '../../oci/errors.ts';
import { decodeManifest, type RawManifest, successors } from '../../oci/manifest.ts';
import { blobFolder } from '../blob-folder.ts';
import type { ImageSink } from '../contract.ts';
import { isAttachedTag } from '../layout/layout-index.ts';
import { blobNotPut } from '../wrong-parts.ts';
import { dirBlobFile, dirManifestFile, isDirFile, ROOT_FILE, VERSION_FILE, VERSION_LINE } from './dir-files.ts';

/** `dir:DIR`; creates the directory. Errors of methods that write: LOCATION_INVALID for a directory that holds something else, UNSUPPORTED for a second image. */
export function dirSink(directory: string): ImageSink {
  const label = `dir:${directory}`;
  const folder = blobFolder({ directory, blobKey: dirBlobFile, manifestKey: dirManifestFile });
  const parts = new Set<string>([VERSION_FILE, ROOT_FILE]);
  let root: Digest | undefined;
  let checked: Promise<void> | undefined;

  const check = (): Promise<void> => {
    checked ??= claim(directory, label, () => folder.putFile(VERSION_FILE, Buffer.from(VERSION_LINE)));
    return checked;
  };

  /** Also marks the parts of the manifest that were there already. */
  const keep = async (manifest: RawManifest): Promise<void> => {
    const below = successors(decodeManifest(manifest));
    for (const blob of below.blobs) parts.add(dirBlobFile(blob.digest));
    for (const child of below.manifests) {
      const file = dirManifestFile(child.digest);
      if (parts.has(file)) continue;
      const raw = await folder.readManifest(child);
      if (!raw) continue;
      parts.add(file);
      await keep(raw);
    }
  };

  return {
    label,
    wants: { layers: 'as-is', indexes: 'sparse', order: 'any' },
    admit(_, { attached }) {
      for (const { tag } of attached) if (tag !== undefined) throw noTags(tag);
    },
    missing: (_, blobs, call) => folder.missing(blobs, call),
    missingManifests: (_, manifests, call) => folder.missingManifests(manifests, call),
    async putBlob(_, blob, open, call) {
      await check();
      await folder.putBlob(blob, open, call);
    },
    mountBlob: (_, blob, _from, call) => folder.has(blob, call),
    async putManifest(_, manifest) {
      await check();
      await folder.putManifest(manifest);
      parts.add(dirManifestFile(manifest.digest));
      await keep(manifest);
    },
    async commit(name, manifest) {
      if (name.tag !== undefined && isAttachedTag(name.tag)) throw noTags(name.tag);
      if (root !== undefined && root !== manifest.digest) {
        throw new ImagesError('UNSUPPORTED', `it holds one image [${label}]`, {
          hint: 'Copy each image to a directory of its own, or all to oci:DIR.',
        });
      }
      await check();
      await requireBlobs(manifest);
      root = manifest.digest;
      await keep(manifest);
      await folder.putFile(ROOT_FILE, manifest.bytes);
    },
    async finish() {
      if (root !== undefined) await removeOthers(directory, parts);
      await folder.tidy();
    },
    [Symbol.asyncDispose]: () => folder.tidy(),
  };

  async function requireBlobs(manifest: RawManifest): Promise<void> {
    const missing = await folder.missing(successors(decodeManifest(manifest)).blobs);
    for (const digest of missing.keys()) {
      throw blobNotPut(digest);
    }
  }
}

function noTags(tag: string): ImagesError {
  return new ImagesError('UNSUPPORTED', `it holds no tags beside the image's [${tag}]`, {
    hint: 'Copy without --referrers, or to oci:DIR.',
  });
}

/** Claims a directory that does not exist, is empty or has this form. Any other one belongs to somebody else. */
async function claim(directory: string, label: string, mark: () => Promise<void>): Promise<void> {
  const names = await translatingFsErrors(directory, () => readdir(directory)).catch((error: unknown) => {
    // That it is a file is reported when something is written into it.
    if (isFsError(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  });
  const files = names.filter((name) => !name.startsWith('.images'));
  if (files.length > 0 && !files.includes(VERSION_FILE)) {
    throw new ImagesError('LOCATION_INVALID', `the directory holds something else [${label}]`, {
      hint: 'Name a new or empty directory.',
    });
  }
  await mark();
}

/** Removes the parts of the older image. Files that are not parts of an image are kept. */
async function removeOthers(directory: string, parts: ReadonlySet<string>): Promise<void> {
  await translatingFsErrors(directory, async () => {
    for (const name of await readdir(directory)) {
      if (isDirFile(name) && !parts.has(name)) await rm(join(directory, name), { force: true });
    }
  });
}
