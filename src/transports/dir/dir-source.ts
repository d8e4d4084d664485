// An image in a directory as skopeo's `dir:` writes it, as a source.
import { readdir } from 'node:fs/promises';
import { translatingFsErrors } from '../../io/files/fs-errors.ts';
import { verified } from '../../io/streams/verify.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { digestAlgorithm } from '../../oci/digest.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import {
  decodeManifest,
  MAX_MANIFEST_SIZE,
  type RawManifest,
  rawManifest,
  referrerDescriptor,
  verifyBytes,
} from '../../oci/manifest.ts';
import type { ImageSource } from '../contract.ts';
import { layoutDirectoryFiles, readSmall } from '../layout/layout-files.ts';
import { noBlob, requireSize } from '../wrong-parts.ts';
import { dirBlobFile, dirManifestFile, ROOT_FILE } from './dir-files.ts';

/** `dir:DIR`. Reads nothing before the first request. Errors of `root`: LOCATION_INVALID. */
export function dirSource(directory: string): ImageSource {
  const label = `dir:${directory}`;
  const files = layoutDirectoryFiles(directory, label);
  let root: Promise<RawManifest> | undefined;

  const readRoot = async (): Promise<RawManifest> => {
    const bytes = await readSmall(files, ROOT_FILE, MAX_MANIFEST_SIZE);
    if (bytes) return rawManifest(bytes);
    throw new ImagesError('LOCATION_INVALID', `no image of the dir: form: it has no manifest.json [${label}]`, {
      hint: 'Name a directory that skopeo or images wrote as dir:, or use oci: for an OCI layout.',
    });
  };

  const manifest = async (descriptor: Descriptor): Promise<RawManifest> => {
    const { digest, mediaType } = descriptor;
    const bytes = await readSmall(files, dirManifestFile(digest), MAX_MANIFEST_SIZE);
    if (bytes) {
      verifyBytes(bytes, descriptor);
      return rawManifest(bytes, mediaType || undefined, digestAlgorithm(digest));
    }
    const rootManifest = await readRoot();
    if (rootManifest.digest === digest) return rootManifest;
    throw new ImagesError('MANIFEST_UNKNOWN', `it has no manifest ${digest} [${label}]`);
  };

  return {
    label,
    host: '',
    root() {
      root ??= readRoot();
      return root;
    },
    manifest,
    async blob(descriptor, from) {
      const { digest } = descriptor;
      const size = await files.size(dirBlobFile(digest));
      if (size === undefined) throw noBlob(digest, label);
      requireSize('blob', size, descriptor);
      const body = await files.open(dirBlobFile(digest), from);
      return from === 0 ? verified(body, descriptor) : body;
    },
    async *referrers(subject) {
      const names = await translatingFsErrors(directory, () => readdir(directory));
      for (const name of names.filter((file) => file.endsWith('.manifest.json')).sort()) {
        const bytes = await readSmall(files, name, MAX_MANIFEST_SIZE);
        const descriptor = bytes && referrer(bytes, subject);
        if (descriptor) yield descriptor;
      }
    },
    async statTag() {
      return undefined;
    },
    async [Symbol.asyncDispose]() {},
  };
}

function referrer(bytes: Uint8Array, subject: string): Descriptor | undefined {
  try {
    const raw = rawManifest(bytes);
    const manifest = decodeManifest(raw);
    return manifest.subject?.digest === subject ? referrerDescriptor(raw, manifest) : undefined;
  } catch (error) {
    if (isImagesError(error)) return undefined;
    throw error;
  }
}
