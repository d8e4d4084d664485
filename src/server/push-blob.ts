// Pushing blobs: monolithic, in chunks, streamed, mounted; status, resume and cancel (distribution specification 1.1, "Pushing blobs").
import type { Bytes } from '../io/streams/bytes.ts';
import { type Digest, digestAlgorithm } from '../oci/digest.ts';
import { ImagesError, isImagesError } from '../oci/errors.ts';
import type { Upload, UploadOptions } from '../registry/contract.ts';
import type { Call, Handler } from './call.ts';
import { type ChunkRange, parseChunkRange, uploadRange } from './range.ts';
import { errorReply, type Reply, type ReplyHeaders } from './reply.ts';

/** end-4a and end-4c. The algorithm is that of the digest at the end of the upload, whether it was announced or not. */
export const beginPush: Handler<'upload-start'> = async ({ repository, algorithm }, call) => {
  await using upload = await beginUpload(repository, call, algorithm && { algorithm });
  return { status: 202, headers: uploadHeaders(repository, upload.id, 0) };
};

/** end-4b. The client never learns the id of this upload, so an interrupted one is discarded. */
export const pushWhole: Handler<'upload-whole'> = async ({ repository, digest }, call) => {
  await using upload = await beginUpload(repository, call, { algorithm: digestAlgorithm(digest) });
  try {
    await append(upload, call, undefined, 'last');
    await upload.commit(digest);
  } catch (error) {
    if (!isImagesError(error, 'DIGEST_INVALID')) await upload.cancel();
    throw error;
  } finally {
    call.unfinished.ended({ repository, id: upload.id });
  }
  return created(repository, digest);
};

/** end-11. Starts an upload if the blob cannot be linked from `from`. */
export const mountBlob: Handler<'blob-mount'> = async ({ repository, digest, from }, call) => {
  const isMounted = await call.registry.mountBlob(repository, digest, from, { signal: call.signal });
  if (isMounted) return created(repository, digest);
  return beginPush({ kind: 'upload-start', repository, algorithm: digestAlgorithm(digest) }, call);
};

/** end-5. */
export const pushChunk: Handler<'upload-chunk'> = ({ repository, id }, call) =>
  withUpload({ repository, id }, call, async (upload, range) => {
    const size = await append(upload, call, range);
    return { status: 202, headers: uploadHeaders(repository, id, size) };
  });

/** end-6, with or without the last chunk. */
export const finishUpload: Handler<'upload-finish'> = async ({ repository, id, digest }, call) => {
  try {
    const algorithm = digestAlgorithm(digest);
    const reply = await withUpload({ repository, id, algorithm }, call, async (upload, range) => {
      if (call.body.length !== 0) await append(upload, call, range, 'last');
      await upload.commit(digest);
      return created(repository, digest);
    });
    if (reply.status === 201) call.unfinished.ended({ repository, id });
    return reply;
  } catch (error) {
    if (isImagesError(error, 'DIGEST_INVALID', 'BLOB_UPLOAD_UNKNOWN')) call.unfinished.ended({ repository, id });
    throw error;
  }
};

/** end-13. The size of an upload that is being written to is known in memory; others are opened. */
export const getUploadStatus: Handler<'upload-status'> = async ({ repository, id }, call) => {
  const active = call.uploads.size(repository, id);
  if (active !== undefined) return { status: 204, headers: uploadHeaders(repository, id, active) };
  await using upload = await call.registry.openUpload(repository, id, { signal: call.signal });
  return { status: 204, headers: uploadHeaders(repository, id, upload.size) };
};

/** end-14. */
export const cancelUpload: Handler<'upload-cancel'> = async ({ repository, id }, call) => {
  using claim = await call.uploads.claim(repository, id, call.body.breakOff);
  await using upload = await call.registry.openUpload(repository, id, { signal: call.signal });
  claim.opened(upload);
  await upload.cancel();
  call.unfinished.ended({ repository, id });
  return { status: 204 };
};

/** Runs one request on an upload. A chunk out of order is answered with the right offset, and changes nothing. */
async function withUpload(
  { repository, id, ...known }: { readonly repository: string; readonly id: string } & Pick<UploadOptions, 'algorithm'>,
  call: Call,
  run: (upload: Upload, range: ChunkRange | undefined) => Promise<Reply>,
): Promise<Reply> {
  using claim = await call.uploads.claim(repository, id, call.body.breakOff);
  await using upload = await call.registry.openUpload(repository, id, { signal: call.signal, ...known });
  claim.opened(upload);
  try {
    // A Content-Range without a body is ignored: some clients end an upload with the range of the whole blob.
    const range = call.body.length === 0 ? undefined : parseChunkRange(call.headers['content-range']);
    if (range && call.body.length !== undefined && call.body.length !== range.to - range.from) {
      throw new ImagesError('SIZE_INVALID', `chunk has ${call.body.length} bytes, its range ${range.to - range.from}`);
    }
    return await run(upload, range);
  } catch (error) {
    if (!isImagesError(error, 'RANGE_INVALID', 'SIZE_INVALID')) throw error;
    return errorReply(error, uploadHeaders(repository, id, upload.size));
  } finally {
    call.unfinished.used(call.client, { repository, id });
  }
}

/** Starts an upload, unless the client has too many. */
async function beginUpload(
  repository: string,
  call: Call,
  known: Pick<UploadOptions, 'algorithm'> = {},
): Promise<Upload> {
  const options = { signal: call.signal, ...known };
  return call.unfinished.begin(call.client, repository, () => call.registry.openUpload(repository, undefined, options));
}

async function append(upload: Upload, call: Call, range: ChunkRange | undefined, last?: 'last'): Promise<number> {
  const { signal } = call;
  const isLast = last !== undefined;
  const { length } = call.body;
  const known = { signal, isLast, ...(length !== undefined && { length }) };
  if (!range) return upload.append(call.body.bytes, known);
  return upload.append(exactly(call.body.bytes, range.to - range.from), { ...known, from: range.from });
}

/** Passes on exactly `length` bytes. Errors: SIZE_INVALID if there are more or fewer. */
async function* exactly(body: Bytes, length: number): Bytes {
  let seen = 0;
  for await (const chunk of body) {
    if (seen + chunk.length > length) {
      yield chunk.subarray(0, length - seen);
      throw new ImagesError('SIZE_INVALID', `chunk is longer than its range [${length}]`);
    }
    seen += chunk.length;
    yield chunk;
  }
  if (seen < length) throw new ImagesError('SIZE_INVALID', `chunk has ${seen} bytes, its range ${length}`);
}

function created(repository: string, digest: Digest): Reply {
  const headers = { Location: `/v2/${repository}/blobs/${digest}`, 'Docker-Content-Digest': digest };
  return { status: 201, headers };
}

function uploadHeaders(repository: string, id: string, size: number): ReplyHeaders {
  return {
    Location: `/v2/${repository}/blobs/uploads/${id}`,
    Range: uploadRange(size),
    'Docker-Upload-UUID': id,
  };
}
