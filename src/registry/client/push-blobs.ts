// Pushes blobs over HTTP, each in one streamed upload, and deletes them (distribution specification 1.1, "Pushing blobs").
import type { Backoff } from '../../io/concurrency/backoff.ts';
import { type RetryVerdict, retrying } from '../../io/concurrency/retry.ts';
import type { Bytes, OpenContent } from '../../io/streams/bytes.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import type { RegistryWriter } from '../contract.ts';
import type { BlobReader } from './blobs.ts';
import type { EndpointHttp } from './endpoint-http.ts';
import { mounter } from './mounts.ts';
import { judgePassing } from './passing.ts';
import { repositoryPath } from './paths.ts';
import { remove } from './remove.ts';
import type { RetryEvent } from './settings.ts';
import { DONE } from './statuses.ts';
import { requireBlob, startUpload, type UploadLocation, uploadRequest } from './uploads.ts';

export interface WriterSettings {
  readonly backoff: Backoff;
  /** Milliseconds for the answer to the end of an upload. */
  readonly commitWithin: number;
  /** Milliseconds for a mount. If the registry takes longer, the bytes are sent. */
  readonly mountWithin: number;
  readonly onRetry: ((event: RetryEvent) => void) | undefined;
}

export type BlobPushes = Pick<RegistryWriter, 'putBlob' | 'mountBlob' | 'deleteBlob'>;

export interface BlobLook extends BlobReader {
  /** Does not ask again about a blob that the caller has just been told is absent. */
  readonly statBelieved: BlobReader['statBlob'];
}

/**
 * Before the first attempt (unless the caller has asked), and after each failed one, the registry is asked whether it has the blob: perhaps only the answer
 * was lost. Errors: SIZE_INVALID if the registry keeps the blob with another size.
 */
export function blobPushes(http: EndpointHttp, reader: BlobLook, settings: WriterSettings): BlobPushes {
  const mounts = mounter(http, reader.canBeRead, settings.mountWithin);

  const upload = async (repository: string, blob: Descriptor, sending: Sending): Promise<void> => {
    const { open, source, signal } = sending;
    const location = sending.session ?? (await startUpload(http, repository, {}, signal));
    const request = uploadRequest(http.host, repository, { method: 'PUT', location, query: { digest: blob.digest } });
    const answer = await http.send({
      ...request,
      asked: {
        what: `blob ${http.host}/${repository}@${blob.digest}`,
        unknown: 'BLOB_UPLOAD_UNKNOWN',
        invalid: 'BLOB_UPLOAD_INVALID',
      },
      headers: { 'content-type': 'application/octet-stream', 'content-length': String(blob.size) },
      body: source.watch(open, blob),
      expected: DONE,
      answerWithin: settings.commitWithin,
      signal,
    });
    answer.discard();
    // An answer before the end of the blob may mean that the registry has it already, or nothing at all.
    if (answer.status !== 201 || !source.given())
      await requireBlob(reader, repository, { ...blob, host: http.host, signal });
  };

  return {
    mountBlob: mounts.mountBlob,
    async putBlob(repository, blob, open, { signal } = {}) {
      const call = { ...(signal && { signal }) };
      const sizeThere = async (stat: BlobReader['statBlob']): Promise<number | undefined> =>
        (await stat(repository, blob.digest, call))?.size;
      let begun = mounts.begun(repository, blob.digest);
      const before = await sizeThere(reader.statBelieved);
      if (before === blob.size) return;
      // The stored bytes may be damaged, or the size that the registry says may be wrong. Reading them tells.
      const isWhole = () => holdsWhole(reader, repository, { ...blob, signal });
      if (before !== undefined && (await isWhole())) return;
      const source = createSource();
      const attempt = async () => {
        if (source.opened() && (await sizeThere(reader.statBlob)) === blob.size) return;
        const session = begun;
        begun = undefined;
        try {
          await upload(repository, blob, { open, source, signal, ...(session && { session }) });
        } catch (error) {
          if (!session || source.failure() || !isImagesError(error) || judgeUpload(error, 1) !== 'give-up') throw error;
          // A registry may refuse bytes in the upload that it started for a mount, but accept them in a new one.
          signal?.throwIfAborted();
          await upload(repository, blob, { open, source, signal });
        }
      };
      try {
        await retrying(attempt, {
          backoff: settings.backoff,
          judge: (error, done) => (source.failure() ? 'give-up' : judgeUpload(error, done)),
          onRetry: (after, error) => {
            const why = error instanceof Error ? error.message : String(error);
            settings.onRetry?.({ host: http.host, what: `upload of ${blob.digest}`, after, why });
          },
          signal,
        });
      } catch (error) {
        // An error of the source is the cause; the broken connection only follows from it.
        throw source.failure()?.error ?? error;
      }
      // docker-registry keeps its bytes, even if they are damaged.
      if (before !== undefined && !(await isWhole())) throw keptDamaged(http.host, blob);
    },
    async deleteBlob(repository, digest, { signal } = {}) {
      const to = repositoryPath(repository, `blobs/${digest}`);
      const asked = { what: `blob ${http.host}/${repository}@${digest}`, unknown: 'BLOB_UNKNOWN' } as const;
      await remove(http, { to, repository, asked, signal });
    },
  };
}

interface Sending {
  /** An upload that has been started already. */
  readonly session?: UploadLocation;
  readonly open: OpenContent;
  readonly source: Source;
  readonly signal: AbortSignal | undefined;
}

interface Source {
  /** The content from its start. Errors of the content are remembered. */
  watch(open: OpenContent, blob: Descriptor): Bytes;
  opened(): boolean;
  /** Whether the last attempt has delivered all of it. */
  given(): boolean;
  failure(): { readonly error: unknown } | undefined;
}

function createSource(): Source {
  let opened = false;
  let given = false;
  let failure: { readonly error: unknown } | undefined;
  return {
    async *watch(open, blob) {
      opened = true;
      given = false;
      let size = 0;
      try {
        for await (const chunk of await open(0)) {
          size += chunk.length;
          if (size > blob.size) throw wrongSize(size, blob);
          given = size === blob.size;
          yield chunk;
        }
        if (size < blob.size) throw wrongSize(size, blob);
        given = true;
      } catch (error) {
        failure = { error };
        throw error;
      }
    },
    opened: () => opened,
    given: () => given,
    failure: () => failure,
  };
}

interface Wanted extends Pick<Descriptor, 'digest' | 'size'> {
  readonly signal: AbortSignal | undefined;
}

/** Reads the whole blob, so it is called only if there is reason for doubt. */
async function holdsWhole(
  reader: Pick<BlobReader, 'getBlob'>,
  repository: string,
  { digest, size, signal }: Wanted,
): Promise<boolean> {
  try {
    const { descriptor, body } = await reader.getBlob(repository, digest, { size, ...(signal && { signal }) });
    if (descriptor.size === size) for await (const _ of body);
    else await body[Symbol.asyncIterator]().return?.();
    return descriptor.size === size;
  } catch (error) {
    if (isImagesError(error, 'DIGEST_INVALID', 'SIZE_INVALID', 'BLOB_UNKNOWN', 'BAD_ANSWER')) return false;
    throw error;
  }
}

function keptDamaged(host: string, { digest }: Descriptor): ImagesError {
  return new ImagesError('SIZE_INVALID', `${host} keeps a damaged copy of blob ${digest}`, {
    hint: 'Remove its file there (docker-registry: delete the images that have it, and collect garbage), then put the image again.',
  });
}

/** The content has another size than announced: the host would wait for more bytes, or read the rest as another request. */
function wrongSize(size: number, blob: Descriptor): ImagesError {
  return new ImagesError('SIZE_INVALID', `content has ${size} bytes, expected ${blob.size} [${blob.digest}]`);
}

function judgeUpload(error: unknown, done: number): RetryVerdict {
  if (isImagesError(error, 'BLOB_UPLOAD_UNKNOWN')) return {};
  return judgePassing(error, done, 1);
}
