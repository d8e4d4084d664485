// Upload sessions over HTTP: POST starts one, PATCH appends, PUT commits. The id of an upload is the URL at which the registry wants it continued.
import type { HttpAnswer } from '../../io/http/http.ts';
import { type HttpUrl, resolveHttpUrl, withQuery } from '../../io/http/http-url.ts';
import type { CallOptions } from '../../io/streams/bytes.ts';
import { tapped } from '../../io/streams/verify.ts';
import type { Digest } from '../../oci/digest.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import type { RegistryReader, RegistryWriter, Upload } from '../contract.ts';
import type { EndpointHttp } from './endpoint-http.ts';
import type { EndpointRequest } from './endpoint-request.ts';
import { repositoryPath } from './paths.ts';
import { repositoryScope } from './scopes.ts';
import { DONE } from './statuses.ts';

/** A Location header as it was sent, and the URL that it is relative to. */
export interface UploadLocation {
  readonly location: string;
  readonly from: HttpUrl;
}

/** Errors: NAME_INVALID, BAD_ANSWER. */
export async function startUpload(
  http: EndpointHttp,
  repository: string,
  query: Readonly<Record<string, string>>,
  signal: AbortSignal | undefined,
): Promise<UploadLocation> {
  const answer = await http.send({
    method: 'POST',
    to: repositoryPath(repository, 'blobs/uploads/', query),
    headers: { 'content-length': '0' },
    repository,
    scopes: [repositoryScope(repository, 'pull', 'push')],
    asked: { what: `upload to ${http.host}/${repository}`, unknown: 'NAME_UNKNOWN', invalid: 'NAME_INVALID' },
    expected: DONE,
    signal,
  });
  answer.discard();
  return locationOf(answer);
}

/** Where the upload continues, according to the answer. Errors: BAD_ANSWER. */
export function locationOf(answer: HttpAnswer): UploadLocation {
  const { location } = answer.headers;
  if (location === undefined) throw new ImagesError('BAD_ANSWER', `${answer.url.host} does not say where to upload to`);
  return { location, from: answer.url };
}

interface Step {
  readonly method: 'GET' | 'PATCH' | 'PUT' | 'DELETE';
  readonly location: UploadLocation;
  readonly query?: Readonly<Record<string, string>>;
}

export function uploadRequest(host: string, repository: string, step: Step): Omit<EndpointRequest, 'expected'> {
  const url = resolveHttpUrl(step.location.from, step.location.location);
  return {
    method: step.method,
    to: withQuery(url, step.query ?? {}),
    repository,
    scopes: [repositoryScope(repository, 'pull', 'push')],
    asked: { what: `upload to ${host}/${repository}`, unknown: 'BLOB_UPLOAD_UNKNOWN', invalid: 'BLOB_UPLOAD_INVALID' },
  };
}

export interface WantedBlob {
  readonly digest: Digest;
  readonly size: number;
  /** For error messages. */
  readonly host: string;
  readonly signal?: AbortSignal | undefined;
}

/** Checks whether the blob was stored, after an answer that leaves that open. Errors: BAD_ANSWER if it was not. */
export async function requireBlob(
  reader: Pick<RegistryReader, 'statBlob'>,
  repository: string,
  { digest, size, host, signal }: WantedBlob,
): Promise<void> {
  const found = await reader.statBlob(repository, digest, signal && { signal });
  if (found?.size === size) return;
  throw new ImagesError(
    'BAD_ANSWER',
    `${host} answers that blob ${host}/${repository}@${digest} is taken, and it is not there`,
    {
      hint: 'The log of the registry says more.',
    },
  );
}

/** `commitWithin`: milliseconds for the answer to the end of an upload. */
export function uploader(
  http: EndpointHttp,
  reader: Pick<RegistryReader, 'statBlob'>,
  commitWithin: number,
): Pick<RegistryWriter, 'openUpload'> {
  return {
    async openUpload(repository, id, { signal } = {}) {
      if (id === undefined) {
        return createUpload(
          http,
          { repository, commitWithin, reader },
          { location: await startUpload(http, repository, {}, signal), size: 0 },
        );
      }
      if (!id.startsWith(`${http.root}/`) && !/^[\w=-]+$/.test(id)) {
        throw new ImagesError('BLOB_UPLOAD_UNKNOWN', `there is no upload to ${http.host}/${repository} [${id}]`);
      }
      const known = await status(http, repository, id, signal);
      return createUpload(http, { repository, commitWithin, reader }, known);
    },
  };
}

interface State {
  readonly location: UploadLocation;
  readonly size: number;
}

interface UploadSettings {
  readonly repository: string;
  readonly commitWithin: number;
  readonly reader: Pick<RegistryReader, 'statBlob'>;
}

function createUpload(http: EndpointHttp, { repository, commitWithin, reader }: UploadSettings, start: State): Upload {
  let { location, size } = start;
  return {
    get id() {
      return uploadId(location);
    },
    get size() {
      return size;
    },
    async append(body, { from, signal } = {}) {
      if (from !== undefined && from !== size) {
        throw new ImagesError('RANGE_INVALID', `upload goes on at byte ${size}, not at ${from}`);
      }
      let sent = 0;
      const counted = tapped(body, (chunk) => {
        sent += chunk.length;
      });
      try {
        const answer = await http.send({
          ...uploadRequest(http.host, repository, { method: 'PATCH', location }),
          headers: { 'content-type': 'application/octet-stream' },
          body: counted,
          expected: DONE,
          signal,
        });
        answer.discard();
        // Without a Location the upload continues at the same URL.
        if (answer.headers.location !== undefined) location = locationOf(answer);
        size += sent;
        return size;
      } catch (error) {
        // What has arrived is kept. Only the registry knows how much that is.
        const known = signal?.aborted ? undefined : await statusQuietly(http, repository, uploadId(location));
        if (known) ({ location, size } = known);
        throw error;
      }
    },
    async commit(digest) {
      const request = uploadRequest(http.host, repository, { method: 'PUT', location, query: { digest } });
      const answer = await http.send({
        ...request,
        headers: { 'content-length': '0' },
        body: new Uint8Array(),
        expected: DONE,
        answerWithin: commitWithin,
      });
      answer.discard();
      if (answer.status !== 201) await requireBlob(reader, repository, { digest, size, host: http.host });
      return { mediaType: 'application/octet-stream', digest, size };
    },
    async cancel() {
      const request = uploadRequest(http.host, repository, { method: 'DELETE', location });
      (await http.send({ ...request, expected: [...DONE, 404] })).discard();
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** An opaque id: the path of the Location with its query, in which registries keep their state. */
function uploadId({ location, from }: UploadLocation): string {
  return resolveHttpUrl(from, location).path;
}

async function statusQuietly(http: EndpointHttp, repository: string, id: string): Promise<State | undefined> {
  try {
    return await status(http, repository, id, undefined);
  } catch (error) {
    if (isImagesError(error)) return undefined;
    throw error;
  }
}

async function status(
  http: EndpointHttp,
  repository: string,
  id: string,
  signal: CallOptions['signal'],
): Promise<State> {
  const answer = await http.send({
    method: 'GET',
    to: id.startsWith(`${http.root}/`) ? id.slice(http.root.length) : repositoryPath(repository, `blobs/uploads/${id}`),
    repository,
    scopes: [repositoryScope(repository, 'pull', 'push')],
    asked: {
      what: `upload to ${http.host}/${repository}`,
      unknown: 'BLOB_UPLOAD_UNKNOWN',
      invalid: 'BLOB_UPLOAD_UNKNOWN',
    },
    expected: DONE,
    signal,
  });
  answer.discard();
  const location = answer.headers.location ?? answer.url.path;
  return { location: { location, from: answer.url }, size: receivedSize(answer) };
}

/** `0-N` names the last byte, so 0 bytes and 1 byte look alike. For registries `0-0` means 0 bytes. */
function receivedSize(answer: HttpAnswer): number {
  const last = Number(/^(?:bytes=)?0-(\d+)$/.exec(answer.headers.range ?? '')?.[1] ?? 0);
  return last === 0 ? 0 : last + 1;
}
