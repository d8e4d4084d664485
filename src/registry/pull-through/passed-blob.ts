// A blob that is passed on as it comes: where it is to be proved that this repository has it, or where nothing can be stored.
import type { Bytes } from '../../io/streams/bytes.ts';
import { lastHeldBack } from '../../io/streams/last-held-back.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { BlobContent, BlobOptions } from '../contract.ts';
import type { PullThroughOptions, UpstreamName } from './contract.ts';
import { upstreamError } from './upstream-errors.ts';

export type OpenUpstream = (name: UpstreamName, blob: Descriptor, options: BlobOptions) => Promise<BlobContent>;

export function openUpstream(upstream: PullThroughOptions['upstream']): OpenUpstream {
  return async (name, blob, options) => {
    const registry = await upstream(name);
    return await registry.getBlob(name.path, blob.digest, { ...options, size: blob.size });
  };
}

/** Nothing is stored. A whole blob is verified, a part is not: its reader has the rest. `onWhole` is called when all of it has come. Errors: those of `upstreamError`. */
export async function passedBlob(
  open: OpenUpstream,
  name: UpstreamName,
  {
    blob,
    options,
    onWhole,
  }: { readonly blob: Descriptor; readonly options: BlobOptions; readonly onWhole?: () => Promise<unknown> },
): Promise<BlobContent> {
  const { from = 0, to = blob.size } = options;
  const content = await open(name, blob, options).catch((error: unknown) => {
    throw upstreamError(error, name, blob.digest);
  });
  const isWhole = from === 0 && to >= blob.size;
  return isWhole ? { ...content, body: wholeBody(content.body, onWhole) } : content;
}

async function* wholeBody(body: Bytes, onWhole: (() => Promise<unknown>) | undefined): AsyncGenerator<Uint8Array> {
  yield* lastHeldBack(body);
  await onWhole?.();
}
