// Writing blobs over HTTP: whole uploads of a stream, mounts, and deleting (distribution specification 1.1, "Pushing blobs").
import type { Backoff } from '../../io/backoff.ts';
import type { HttpAnswer } from '../../io/http.ts';
import { retrying, type Verdict } from '../../io/retry.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import type { Bytes, OpenContent, RegistryWriter } from '../contract.ts';
import type { BlobReader } from './blobs.ts';
import type { EndpointHttp } from './endpoint-http.ts';
import { repositoryPath } from './paths.ts';
import { remove } from './remove.ts';
import { mergeScopes, repositoryScope } from './scopes.ts';
import type { RetryEvent } from './settings.ts';
import { startUpload, uploadRequest } from './uploads.ts';

export interface WriterSettings {
  readonly backoff: Backoff;
  /** Milliseconds for the answer to an upload's end. */
  readonly commitWithin: number;
  readonly onRetry: ((event: RetryEvent) => void) | undefined;
}

export type BlobWriter = Pick<RegistryWriter, 'putBlob' | 'mountBlob' | 'deleteBlob'>;

/** Whole uploads of one blob, at most. */
const UPLOADS = 3;

/** `stat` is asked before the first attempt, where the caller has not, and after each that failed: the answer alone may have been lost. */
export function blobWriter(http: EndpointHttp, stat: BlobReader['statBlob'], settings: WriterSettings): BlobWriter {
  const upload = async (repository: string, blob: Descriptor, { open, source, signal }: Sending): Promise<void> => {
    const location = await startUpload(http, repository, {}, signal);
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
      expected: [201, 204],
      answerWithin: settings.commitWithin,
      signal,
    });
    answer.discard();
  };

  let hangs = false;

  return {
    async putBlob(repository, blob, open, { signal, lacking = false } = {}) {
      if (!lacking && (await stat(repository, blob.digest, { ...(signal && { signal }) }))) return;
      const source = createSource();
      const attempt = async () => {
        if (source.opened() && (await stat(repository, blob.digest, { ...(signal && { signal }) }))) return;
        await upload(repository, blob, { open, source, signal });
      };
      try {
        await retrying(attempt, {
          backoff: { ...settings.backoff, attempts: Math.min(UPLOADS, settings.backoff.attempts) },
          judge: (error, done) => (source.failure() ? 'give-up' : judgeUpload(error, done)),
          onRetry: (after, error) => {
            const why = error instanceof Error ? error.message : String(error);
            settings.onRetry?.({ host: http.host, what: `upload of ${blob.digest}`, after, why });
          },
          signal,
        });
      } catch (error) {
        // What the source threw is the reason; that the connection then went away follows from it.
        throw source.failure()?.error ?? error;
      }
    },
    // It only spares work: whatever a registry says to it leaves pushing, also to who may not read there.
    async mountBlob(repository, digest, from, { signal } = {}) {
      if (hangs) return false;
      const within = AbortSignal.timeout(MOUNT_WITHIN);
      const mount = { repository, digest, from, signal: signal ? AbortSignal.any([signal, within]) : within };
      const answer = await askForMount(http, mount).catch((error: unknown) => {
        signal?.throwIfAborted();
        hangs ||= within.aborted;
        if (!within.aborted && (!isImagesError(error) || isImagesError(error, 'UNREACHABLE'))) throw error;
        return undefined;
      });
      if (answer?.status === 201) return true;
      if (answer) await cancelQuietly(http, repository, answer, signal);
      return false;
    },
    async deleteBlob(repository, digest, { signal } = {}) {
      const to = repositoryPath(repository, `blobs/${digest}`);
      const asked = { what: `blob ${http.host}/${repository}@${digest}`, unknown: 'BLOB_UNKNOWN' } as const;
      await remove(http, { to, repository, asked, signal });
    },
  };
}

/** Milliseconds, the token for it included: a registry that takes longer is sent the bytes, and not asked again. */
const MOUNT_WITHIN = 10_000;

interface MountRequest {
  readonly repository: string;
  readonly digest: Digest;
  readonly from: string | undefined;
  readonly signal: AbortSignal;
}

async function askForMount(http: EndpointHttp, mount: MountRequest): Promise<HttpAnswer> {
  const { repository, digest, from, signal } = mount;
  const scopes = [repositoryScope(repository, 'pull', 'push'), ...(from ? [repositoryScope(from, 'pull')] : [])];
  const answer = await http.send({
    method: 'POST',
    to: repositoryPath(repository, 'blobs/uploads/', { mount: digest, from }),
    headers: { 'content-length': '0' },
    repository,
    scopes: mergeScopes(scopes),
    asked: { what: `mount of ${digest} in ${http.host}/${repository}`, unknown: 'NAME_UNKNOWN' },
    expected: [201, 202],
    once: true,
    signal,
  });
  answer.discard();
  return answer;
}

interface Sending {
  readonly open: OpenContent;
  readonly source: Source;
  readonly signal: AbortSignal | undefined;
}

interface Source {
  /** The content from its start; its failures are remembered. */
  watch(open: OpenContent, blob: Descriptor): Bytes;
  opened(): boolean;
  failure(): { readonly error: unknown } | undefined;
}

function createSource(): Source {
  let opened = false;
  let failure: { readonly error: unknown } | undefined;
  return {
    async *watch(open, blob) {
      opened = true;
      let size = 0;
      try {
        for await (const chunk of await open(0)) {
          size += chunk.length;
          if (size > blob.size) throw wrongSize(size, blob);
          yield chunk;
        }
        if (size < blob.size) throw wrongSize(size, blob);
      } catch (error) {
        failure = { error };
        throw error;
      }
    },
    opened: () => opened,
    failure: () => failure,
  };
}

/** The host would wait for bytes that never come, or take the rest for another request. */
function wrongSize(size: number, blob: Descriptor): ImagesError {
  return new ImagesError('SIZE_INVALID', `content has ${size} bytes, expected ${blob.size} [${blob.digest}]`);
}

function judgeUpload(error: unknown, done: number): Verdict {
  if (!isImagesError(error)) return 'give-up';
  if (error.code === 'BROKEN_OFF' || error.code === 'BLOB_UPLOAD_UNKNOWN') return {};
  // A token can end while a long blob is on its way; it has been renewed by now.
  if (error.code === 'TIMEOUT' || error.code === 'UNAUTHORIZED') return done === 1 ? {} : 'give-up';
  return error.status !== undefined && [408, 429, 500, 502, 503, 504].includes(error.status) ? {} : 'give-up';
}

async function cancelQuietly(
  http: EndpointHttp,
  repository: string,
  answer: HttpAnswer,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { location } = answer.headers;
  if (location === undefined) return;
  try {
    const request = uploadRequest(http.host, repository, {
      method: 'DELETE',
      location: { location, from: answer.url },
    });
    const expected = [200, 202, 204, 404, 405];
    (await http.send({ ...request, expected, once: true, answerWithin: MOUNT_WITHIN, signal })).discard();
  } catch (error) {
    // The registry forgets unfinished uploads by itself, sooner or later.
    if (!isImagesError(error)) throw error;
  }
}
