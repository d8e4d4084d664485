// Fills a stage with a blob: hashes what is there, requests the rest, and verifies all of it before it is published.
import type { Bytes, OpenContent } from '../../io/streams/bytes.ts';
import { brokeOff, type Start, verified } from '../../io/streams/verify.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { type Digest, digestAlgorithm, digester } from '../../oci/digest.ts';
import { isImagesError } from '../../oci/errors.ts';
import type { GrowingBlob } from '../../registry/contract.ts';
import type { Stage } from '../object-store/object-store.ts';
import type { Growth } from './growing-stage.ts';

/**
 * Completes the blob in the stage: bytes of an earlier attempt are hashed, the rest is requested. If the whole is wrong, everything is requested once more.
 * Bytes of an interrupted transfer stay, wrong ones do not. Errors: DIGEST_INVALID, SIZE_INVALID, those of `open` and of the stage.
 */
export async function fillStage(
  stage: Stage,
  blob: Descriptor,
  open: OpenContent,
  onGrowing?: (growing: GrowingBlob) => void,
): Promise<void> {
  if (stage.size > blob.size) await stage.truncate(0);
  // Only registries that fetch what is missing read what is not whole.
  const growth = onGrowing && (await (await import('./growing-stage.ts')).growthOf(stage, onGrowing));
  await fill(stage, blob, open, growth);
}

async function fill(stage: Stage, blob: Descriptor, open: OpenContent, growth: Growth | undefined): Promise<void> {
  const held = stage.size;
  try {
    await append(stage, blob, open, growth);
  } catch (error) {
    const wrong = isImagesError(error, 'DIGEST_INVALID', 'SIZE_INVALID') && !brokeOff(error);
    if (!wrong) {
      if (stage.size === 0) await stage.discard();
      throw error;
    }
    if (held === 0) {
      await stage.discard();
      throw error;
    }
    growth?.restarts();
    await stage.truncate(0);
    await fill(stage, blob, open, growth);
  }
}

async function append(stage: Stage, blob: Descriptor, open: OpenContent, growth: Growth | undefined): Promise<void> {
  const start = stage.size > 0 ? await hashed(stage, blob.digest) : undefined;
  const rest = start?.size === blob.size ? nothing() : await open(start?.size ?? 0);
  for await (const chunk of verified(rest, blob, start)) {
    await stage.append(chunk);
    growth?.grows();
  }
  if (!growth) return;
  await stage.flush();
  growth.isWhole();
}

async function hashed(stage: Stage, digest: Digest): Promise<Start> {
  const hash = digester(digestAlgorithm(digest));
  for await (const chunk of stage.read()) hash.update(chunk);
  return { hash, size: stage.size };
}

async function* nothing(): Bytes & AsyncGenerator<Uint8Array> {}
