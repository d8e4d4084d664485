// Pushing manifests: by tag, by digest, with tag parameters and subject (distribution specification 1.1, "Pushing Manifests").
import { digestAlgorithm } from '../oci/digest.ts';
import { ImagesError, isImagesError } from '../oci/errors.ts';
import {
  decodeManifest,
  MAX_MANIFEST_SIZE,
  type Manifest,
  type RawManifest,
  rawManifest,
  successors,
} from '../oci/manifest.ts';
import type { Handler, RequestBody } from './call.ts';
import type { Hold } from './held-bytes.ts';

/** end-7a and end-7b. */
export const putManifest: Handler<'manifest-put'> = async ({ repository, digest, tags }, call) => {
  checkTags(tags, call.limits.tags);
  using body = await readBounded(call.body, MAX_MANIFEST_SIZE, call.held.open(call.client));
  const { bytes } = body;
  // Parameters of the media type are ignored, as the specification demands.
  const mediaType = call.headers['content-type']?.split(';')[0]?.trim().toLowerCase() || undefined;
  const manifest = rawManifest(bytes, mediaType, digest && digestAlgorithm(digest));
  const decoded = decode(manifest);
  checkDescriptors(decoded, call.limits.descriptors);
  const { subject } = decoded;
  if (digest && manifest.digest !== digest) {
    throw new ImagesError('DIGEST_INVALID', `manifest's digest is ${manifest.digest}, pushed as [${digest}]`);
  }
  const { signal } = call;
  await call.manifests(() => call.registry.putManifest(repository, manifest, tags, { signal }), signal);
  const headers = {
    Location: `/v2/${repository}/manifests/${manifest.digest}`,
    'Docker-Content-Digest': manifest.digest,
    ...(subject && { 'OCI-Subject': subject.digest }),
    ...(digest && tags.length > 0 && { 'OCI-Tag': tags.join(', ') }),
  };
  return { status: 201, headers };
};

/** Errors are about the content (400), not about the method (405). */
function decode(manifest: RawManifest): Manifest {
  try {
    return decodeManifest(manifest);
  } catch (error) {
    if (!isImagesError(error, 'UNSUPPORTED')) throw error;
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    throw new ImagesError('MANIFEST_INVALID', error.message, { ...hint, cause: error });
  }
}

function checkTags(tags: readonly string[], limit: number): void {
  if (tags.length <= limit) return;
  throw new ImagesError('TAG_INVALID', `more than ${limit} tags in one request [${tags.length}]`, {
    hint: 'Push the manifest again with the other tags.',
  });
}

/** Limits the number of descriptors, because each is looked up in the store. */
function checkDescriptors(manifest: Manifest, limit: number): void {
  const { blobs, manifests } = successors(manifest);
  const count = new Set([...blobs, ...manifests].map((descriptor) => descriptor.digest)).size;
  if (count <= limit) return;
  throw new ImagesError('MANIFEST_INVALID', `manifest names more than ${limit} blobs and manifests [${count}]`);
}

interface ReadBody extends Disposable {
  readonly bytes: Uint8Array;
}

/** Reads at most `limit` bytes. They count as held until that is disposed. */
async function readBounded(body: RequestBody, limit: number, hold: Hold): Promise<ReadBody> {
  const tooLarge = () =>
    new ImagesError('MANIFEST_TOO_LARGE', `manifest is larger than ${limit} bytes`, {
      hint: 'Move large content from annotations and descriptors into a blob.',
    });
  if ((body.length ?? 0) > limit) throw tooLarge();
  try {
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of body.bytes) {
      size += chunk.length;
      if (size > limit) throw tooLarge();
      hold.add(chunk.length);
      chunks.push(chunk);
    }
    return { bytes: Buffer.concat(chunks), [Symbol.dispose]: () => hold[Symbol.dispose]() };
  } catch (error) {
    hold[Symbol.dispose]();
    throw error;
  }
}
