// Pulling: manifests and blobs with ranges and conditions (distribution specification 1.1, "Pull"; RFC 9110, sections 13 and 14).
import type { Descriptor } from '../oci/descriptor.ts';
import { type Digest, isDigest } from '../oci/digest.ts';
import { ImagesError } from '../oci/errors.ts';
import { manifestDescriptor } from '../oci/manifest.ts';
import { type Call, type Handler, readOptionsOf } from './call.ts';
import { multipartOf } from './multipart.ts';
import { type BytePart, parseRange } from './range.ts';
import { errorReply, type Reply, type ReplyHeaders } from './reply.ts';

const BLOB_TYPE = 'application/octet-stream';

/** end-3. The Accept header is ignored: old and new clients leave out types that they can read. */
export const getManifest: Handler<'manifest-get'> = async (request, call) => {
  const options = readOptionsOf(request, call);
  await call.fetching.prepare?.(request.repository, request.reference, options);
  return await call.manifests(async () => {
    // HEAD must answer as GET does, even if the stored bytes turn out not to be the manifest.
    const pull = isDigest(request.reference) ? 'digest' : 'tag';
    const manifest = await call.registry.getManifest(request.repository, request.reference, {
      ...options,
      ...(!request.head && { pull }),
    });
    if (isUnchanged(call, manifest.digest)) return notModified(manifest.digest);
    const headers = contentHeaders(manifestDescriptor(manifest));
    return { status: 200, headers, ...(!request.head && { body: manifest.bytes }) };
  }, call.signal);
};

/** end-2. */
export const getBlob: Handler<'blob-get'> = async (request, call) => {
  const { repository, digest } = request;
  // Who pushes asks with HEAD what is here: only a client that says `ns` is told of what is elsewhere.
  const options = readOptionsOf(request, request.head ? { ...call, fetching: {} } : call);
  const wantsPart = !request.head && call.headers.range !== undefined && isRangeStillWanted(call, digest);
  if (request.head || wantsPart || call.headers['if-none-match'] !== undefined) {
    const pull = request.head ? {} : ({ pull: 'digest' } as const);
    const blob = await call.registry.statBlob(repository, digest, { ...options, ...pull });
    if (!blob) throw new ImagesError('BLOB_UNKNOWN', `no such blob [${repository}@${digest}]`);
    if (isUnchanged(call, digest)) return notModified(digest);
    if (request.head) return { status: 200, headers: blobHeaders(blob) };
    const range = wantsPart ? parseRange(call.headers.range, blob.size) : { kind: 'whole' as const };
    if (range.kind === 'unsatisfiable') return unsatisfiable(blob);
    if (range.kind === 'parts') {
      const open = async (part: BytePart) =>
        (await call.registry.getBlob(repository, digest, { ...options, ...part })).body;
      const { contentType, length, body } = multipartOf({ parts: range.parts, size: blob.size, open }, BLOB_TYPE);
      return {
        status: 206,
        headers: { ...blobHeaders(blob), 'Content-Type': contentType, 'Content-Length': length },
        body,
      };
    }
    if (range.kind === 'part') {
      const { from, to } = range;
      const { body } = await call.registry.getBlob(repository, digest, { ...options, from, to });
      const headers = {
        ...blobHeaders(blob),
        'Content-Length': to - from,
        'Content-Range': `bytes ${from}-${to - 1}/${blob.size}`,
      };
      return { status: 206, headers, body };
    }
  }
  const { descriptor, body } = await call.registry.getBlob(repository, digest, options);
  return { status: 200, headers: blobHeaders(descriptor), body };
};

function blobHeaders(blob: Descriptor): ReplyHeaders {
  return { ...contentHeaders(blob), 'Content-Type': BLOB_TYPE, 'Accept-Ranges': 'bytes' };
}

function contentHeaders(content: Pick<Descriptor, 'mediaType' | 'digest' | 'size'>): ReplyHeaders {
  return {
    'Content-Type': content.mediaType,
    'Content-Length': content.size,
    'Docker-Content-Digest': content.digest,
    ETag: `"${content.digest}"`,
  };
}

function notModified(digest: Digest): Reply {
  return { status: 304, headers: { 'Docker-Content-Digest': digest, ETag: `"${digest}"` } };
}

function unsatisfiable(blob: Descriptor): Reply {
  return errorReply(new ImagesError('RANGE_INVALID', `the blob has ${blob.size} bytes [${blob.digest}]`), {
    'Content-Range': `bytes */${blob.size}`,
  });
}

/** If-None-Match, compared weakly (RFC 9110, section 13.1.2). Also accepts an unquoted digest, as Docker's clients send it. */
function isUnchanged(call: Call, digest: Digest): boolean {
  const known = call.headers['if-none-match'];
  if (known === undefined) return false;
  return known.split(',').some((tag) => {
    const value = tag.trim().replace(/^W\//, '');
    return value === '*' || value === `"${digest}"` || value === digest;
  });
}

/** If-Range (RFC 9110, section 13.1.5): a range of a content other than the client's is useless. Dates never match, because blobs have none. */
function isRangeStillWanted(call: Call, digest: Digest): boolean {
  const known = call.headers['if-range'];
  return known === undefined || known === `"${digest}"`;
}
