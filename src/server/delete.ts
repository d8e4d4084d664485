// Deleting tags, manifests and blobs (distribution specification 1.1, "Content Management").
import type { DeleteOptions } from '../registry/contract.ts';
import { UNNEEDED_TOO } from '../registry/unneeded.ts';
import type { Call, Handler } from './call.ts';

/** end-9 with a tag: removes the tag only, unless the client asks for more (see `unneeded`). */
export const deleteTag: Handler<'tag-delete'> = async ({ repository, tag }, call) => {
  await deleting(call, (options) => call.registry.deleteTag(repository, tag, options));
  return { status: 202 };
};

/** end-9 with a digest: removes the tags of the manifest, too. */
export const deleteManifest: Handler<'manifest-delete'> = async ({ repository, digest }, call) => {
  await deleting(call, (options) => call.registry.deleteManifest(repository, digest, options));
  return { status: 202 };
};

/** end-10. */
export const deleteBlob: Handler<'blob-delete'> = async ({ repository, digest }, call) => {
  await call.registry.deleteBlob(repository, digest, { signal: call.signal });
  return { status: 202 };
};

/** Finding out what else can be deleted reads all manifests of the repository, so it takes a permit of the limiter for lists. */
async function deleting(
  { headers, signal, lists }: Call,
  remove: (options: DeleteOptions) => Promise<void>,
): Promise<void> {
  const unneeded = headers[UNNEEDED_TOO.name] === UNNEEDED_TOO.value;
  if (unneeded) await lists(() => remove({ signal, unneeded }), signal);
  else await remove({ signal });
}
