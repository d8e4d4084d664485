// Deleting tags, manifests and blobs (distribution specification 1.1, "Content Management").
import type { DeleteOptions } from '../registry/contract.ts';
import { UNNEEDED_TOO } from '../registry/unneeded.ts';
import type { Call, Handler } from './call.ts';

/** end-9 with a tag: the manifest stays, unless the client asks for more. */
export const deleteTag: Handler<'tag-delete'> = async ({ repository, tag }, call) => {
  await call.registry.deleteTag(repository, tag, deleteOptions(call));
  return { status: 202 };
};

/** end-9 with a digest: its tags go with it. */
export const deleteManifest: Handler<'manifest-delete'> = async ({ repository, digest }, call) => {
  await call.registry.deleteManifest(repository, digest, deleteOptions(call));
  return { status: 202 };
};

/** end-10. */
export const deleteBlob: Handler<'blob-delete'> = async ({ repository, digest }, call) => {
  await call.registry.deleteBlob(repository, digest, { signal: call.signal });
  return { status: 202 };
};

function deleteOptions({ headers, signal }: Call): DeleteOptions {
  return { signal, unneeded: headers[UNNEEDED_TOO.name] === UNNEEDED_TOO.value };
}
