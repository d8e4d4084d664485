// Uploads over a store: a session each, named by repository and id, so that any process can continue it, also after a restart.
import { createHash, randomUUID } from 'node:crypto';
import type { Bytes } from '../../io/streams/bytes.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import type { Registry, Upload } from '../../registry/contract.ts';
import type { BlobSession } from '../blobs.ts';
import { layerLinkKey } from '../layout/registry-keys.ts';
import type { Store } from '../store.ts';
import type { Expiry } from './expiry.ts';
import { checkRepository, ensureLink } from './links.ts';

export function storedUploads({ objects, blobs }: Store, unfinished: Expiry): Pick<Registry, 'openUpload'> {
  function uploadOf(repository: string, id: string, session: BlobSession): Upload {
    const before = session.size;
    let isLeft = true;

    async function* admitted(body: Bytes, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
      for await (const chunk of body) {
        signal?.throwIfAborted();
        await unfinished.admit(session.size, chunk.length);
        yield chunk;
      }
    }

    function ended(): void {
      if (isLeft) unfinished.ended(session.size);
      isLeft = false;
    }

    return {
      id,
      get size() {
        return session.written;
      },
      append: async (body, { from, isLast = false, length, signal } = {}) => {
        if (from !== undefined && from !== session.size) {
          throw new ImagesError('RANGE_INVALID', `upload goes on at ${session.size} [${from}]`);
        }
        await session.append(admitted(body, signal), { isLast, ...(length !== undefined && { length }) });
        return session.size;
      },
      commit: async (digest) => {
        const { size } = session;
        try {
          await session.commit(digest, async () => {
            ended();
            const link = layerLinkKey(repository, digest);
            await ensureLink(objects, link, digest);
            return [link];
          });
        } catch (error) {
          if (isImagesError(error, 'DIGEST_INVALID')) ended();
          throw error;
        }
        return { mediaType: 'application/octet-stream', digest, size };
      },
      cancel: async () => {
        ended();
        await session.cancel();
      },
      [Symbol.asyncDispose]: async () => {
        await session[Symbol.asyncDispose]();
        if (isLeft) await unfinished.left(session.size - before);
      },
    };
  }

  return {
    openUpload: async (repository, id, { signal, algorithm } = {}) => {
      checkRepository(repository);
      if (id === undefined) {
        await unfinished.begun();
        await unfinished.admit(0, 0);
      }
      const uploadId = id ?? randomUUID();
      const session = /^[0-9a-f-]{36}$/.test(uploadId)
        ? await blobs.session(sessionId(repository, uploadId), {
            mustExist: id !== undefined,
            isNew: id === undefined,
            ...(signal && { signal }),
            ...(algorithm && { algorithm }),
          })
        : undefined;
      if (!session) throw new ImagesError('BLOB_UPLOAD_UNKNOWN', `no such upload in ${repository} [${uploadId}]`);
      return uploadOf(repository, uploadId, session);
    },
  };
}

/** Includes the repository, so that the id is unknown in any other one. */
function sessionId(repository: string, id: string): string {
  return `upload-${createHash('sha256').update(repository).digest('hex').slice(0, 16)}-${id}`;
}
