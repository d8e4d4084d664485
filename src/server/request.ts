// Parses method and URL into one request value. Repository names contain slashes, so the end-point is recognised from the end of the path. Relies on oci/ only.
// Numbers are those of the distribution specification 1.1, "Endpoints"; `_catalog` is Docker's.
import { type Digest, type DigestAlgorithm, isDigest, parseDigest } from '../oci/digest.ts';
import { ImagesError } from '../oci/errors.ts';
import { isHostName, isRepositoryPath, isTag } from '../oci/reference.ts';

export interface Page {
  /** The most entries; no limit if absent. */
  readonly n?: number;
  /** Only entries after this one. */
  readonly last?: string;
}

/** A request. `host` is the parameter `ns`: a key for look-ups, never an address to connect to. */
export type RegistryRequest =
  /** end-1 */
  | { readonly kind: 'ping' }
  /** end-2 */
  | {
      readonly kind: 'blob-get';
      readonly repository: string;
      readonly digest: Digest;
      readonly head: boolean;
      readonly host?: string;
    }
  /** end-3 */
  | {
      readonly kind: 'manifest-get';
      readonly repository: string;
      readonly reference: string;
      readonly head: boolean;
      readonly host?: string;
    }
  /** end-4a, end-4c: `algorithm` if the client announces it. */
  | { readonly kind: 'upload-start'; readonly repository: string; readonly algorithm?: DigestAlgorithm }
  /** end-4b */
  | { readonly kind: 'upload-whole'; readonly repository: string; readonly digest: Digest }
  /** end-5 */
  | { readonly kind: 'upload-chunk'; readonly repository: string; readonly id: string }
  /** end-6 */
  | { readonly kind: 'upload-finish'; readonly repository: string; readonly id: string; readonly digest: Digest }
  /** end-7a, end-7b: `tags` are from the reference or from `tag` parameters. */
  | {
      readonly kind: 'manifest-put';
      readonly repository: string;
      readonly digest?: Digest;
      readonly tags: readonly string[];
    }
  /** end-8a, end-8b */
  | { readonly kind: 'tag-list'; readonly repository: string; readonly page: Page; readonly host?: string }
  /** end-9 */
  | { readonly kind: 'tag-delete'; readonly repository: string; readonly tag: string }
  | { readonly kind: 'manifest-delete'; readonly repository: string; readonly digest: Digest }
  /** end-10 */
  | { readonly kind: 'blob-delete'; readonly repository: string; readonly digest: Digest }
  /** end-11: without `from`, any repository may have the blob. */
  | { readonly kind: 'blob-mount'; readonly repository: string; readonly digest: Digest; readonly from?: string }
  /** end-12a, end-12b */
  | {
      readonly kind: 'referrer-list';
      readonly repository: string;
      readonly digest: Digest;
      readonly artifactType?: string;
      readonly last?: string;
      readonly host?: string;
    }
  /** end-13 */
  | { readonly kind: 'upload-status'; readonly repository: string; readonly id: string }
  /** end-14 */
  | { readonly kind: 'upload-cancel'; readonly repository: string; readonly id: string }
  | { readonly kind: 'catalog'; readonly page: Page }
  /** `/`, `/healthz` and `/readyz`, for people and probes. */
  | { readonly kind: 'about' }
  | { readonly kind: 'health'; readonly json?: boolean }
  | { readonly kind: 'ready'; readonly json?: boolean }
  /** `/metrics` and `/images/events`, for those who run the registry. */
  | { readonly kind: 'metrics' }
  | { readonly kind: 'events'; readonly after?: string }
  | { readonly kind: 'not-found'; readonly path: string }
  | { readonly kind: 'method-not-allowed'; readonly method: string; readonly allow: readonly string[] };

const READ: readonly string[] = ['GET', 'HEAD'];
const UPLOAD_ID = /^[A-Za-z0-9_-]{1,128}$/;
const ALGORITHMS: readonly DigestAlgorithm[] = ['sha256', 'sha512'];

/**
 * Parses a request. `url` is from the request line: in origin form, or in absolute form, which clients of proxies send.
 * Errors: NAME_INVALID (repository or `ns`), DIGEST_INVALID, TAG_INVALID, MANIFEST_UNKNOWN (reading what cannot be a tag), BLOB_UPLOAD_UNKNOWN,
 * PAGINATION_NUMBER_INVALID.
 */
export function parseRequest(method: string, url: string): RegistryRequest {
  const target = /^https?:\/\/[^/?#]*/i.test(url) ? url.replace(/^https?:\/\/[^/?#]*/i, '') : url;
  const mark = target.indexOf('?');
  const path = decodePath(mark < 0 ? target : target.slice(0, mark));
  const query = new URLSearchParams(mark < 0 ? '' : target.slice(mark + 1));
  if (path === '/' || path === '') return read(method, { kind: 'about' });
  if (path === '/healthz') return read(method, { kind: 'health', ...formatOf(query) });
  if (path === '/readyz') return read(method, { kind: 'ready', ...formatOf(query) });
  if (path === '/metrics') return read(method, { kind: 'metrics' });
  if (path === '/images/events') {
    const after = query.get('after');
    if (method !== 'GET') return { kind: 'method-not-allowed', method, allow: ['GET'] };
    return { kind: 'events', ...(after && { after }) };
  }
  if (path === '/v2' || path === '/v2/') return read(method, { kind: 'ping' });
  if (!path.startsWith('/v2/')) return { kind: 'not-found', path };
  const rest = path.slice('/v2/'.length);
  if (rest === '_catalog') return read(method, () => ({ kind: 'catalog', page: pageOf(query) }));
  return parseRepositoryRequest(method, rest, query) ?? { kind: 'not-found', path };
}

function parseRepositoryRequest(method: string, rest: string, query: URLSearchParams): RegistryRequest | undefined {
  const tags = /^(?:(.*)\/)?tags\/list$/.exec(rest);
  if (tags) {
    return read(method, () => ({
      kind: 'tag-list',
      repository: repositoryName(tags[1]),
      page: pageOf(query),
      ...hostOf(query),
    }));
  }
  const uploads = /^(?:(.*)\/)?blobs\/uploads(?:\/([^/]*))?$/.exec(rest);
  if (uploads) return parseUpload(method, () => repositoryName(uploads[1]), uploads[2] ?? '', query);
  const item =
    /^(?:(.*)\/)?(manifests|blobs|referrers)\/([^/]+)$/.exec(rest) ??
    // A reference with a slash is matched, too, so that the error can say that it is neither a tag nor a digest.
    /^(?:(.*?)\/)?(manifests|blobs|referrers)\/(.+)$/s.exec(rest);
  if (!item) return undefined;
  const [, name, kind, reference = ''] = item;
  if (kind === 'manifests') return parseManifest(method, () => repositoryName(name), reference, query);
  if (kind === 'blobs') return parseBlob(method, () => repositoryName(name), reference, query);
  return read(method, () => {
    // An unencoded `+` was decoded to a space; media types contain no spaces.
    const artifactType = query.get('artifactType')?.replaceAll(' ', '+');
    const last = query.get('last');
    return {
      kind: 'referrer-list',
      repository: repositoryName(name),
      digest: parseDigest(reference),
      ...(artifactType && { artifactType }),
      ...(last && { last }),
      ...hostOf(query),
    };
  });
}

function parseManifest(
  method: string,
  repository: () => string,
  reference: string,
  query: URLSearchParams,
): RegistryRequest {
  switch (method) {
    case 'GET':
    case 'HEAD': {
      const name = repository();
      if (!isTag(reference) && !isDigestLike(reference)) {
        throw new ImagesError('MANIFEST_UNKNOWN', `neither a tag nor a digest [${reference}]`);
      }
      return {
        kind: 'manifest-get',
        repository: name,
        reference: isTag(reference) ? reference : parseDigest(reference),
        head: method === 'HEAD',
        ...hostOf(query),
      };
    }
    case 'PUT': {
      const name = repository();
      if (!isDigestLike(reference)) return { kind: 'manifest-put', repository: name, tags: [tagName(reference)] };
      const tags = [...new Set(query.getAll('tag').map(tagName))];
      return { kind: 'manifest-put', repository: name, digest: parseDigest(reference), tags };
    }
    case 'DELETE': {
      const name = repository();
      return isDigestLike(reference)
        ? { kind: 'manifest-delete', repository: name, digest: parseDigest(reference) }
        : { kind: 'tag-delete', repository: name, tag: tagName(reference) };
    }
    default:
      return { kind: 'method-not-allowed', method, allow: [...READ, 'PUT', 'DELETE'] };
  }
}

function parseBlob(method: string, repository: () => string, digest: string, query: URLSearchParams): RegistryRequest {
  switch (method) {
    case 'GET':
    case 'HEAD':
      return {
        kind: 'blob-get',
        repository: repository(),
        digest: parseDigest(digest),
        head: method === 'HEAD',
        ...hostOf(query),
      };
    case 'DELETE':
      return { kind: 'blob-delete', repository: repository(), digest: parseDigest(digest) };
    default:
      return { kind: 'method-not-allowed', method, allow: [...READ, 'DELETE'] };
  }
}

function parseUpload(method: string, repository: () => string, id: string, query: URLSearchParams): RegistryRequest {
  if (id === '') {
    if (method !== 'POST') return { kind: 'method-not-allowed', method, allow: ['POST'] };
    return parseUploadStart(repository(), query);
  }
  if (!['GET', 'HEAD', 'PATCH', 'PUT', 'DELETE'].includes(method)) {
    return { kind: 'method-not-allowed', method, allow: [...READ, 'PATCH', 'PUT', 'DELETE'] };
  }
  const upload = { repository: repository(), id };
  if (!UPLOAD_ID.test(id)) throw new ImagesError('BLOB_UPLOAD_UNKNOWN', `no such upload [${id}]`);
  if (method === 'PATCH') return { kind: 'upload-chunk', ...upload };
  if (method === 'PUT') return { kind: 'upload-finish', ...upload, digest: parseDigest(query.get('digest') ?? '') };
  if (method === 'DELETE') return { kind: 'upload-cancel', ...upload };
  return { kind: 'upload-status', ...upload };
}

function parseUploadStart(repository: string, query: URLSearchParams): RegistryRequest {
  const mount = query.get('mount');
  if (mount !== null) {
    const from = query.get('from');
    return {
      kind: 'blob-mount',
      repository,
      digest: parseDigest(mount),
      ...(from && { from: repositoryName(from) }),
    };
  }
  const digest = query.get('digest');
  if (digest !== null) return { kind: 'upload-whole', repository, digest: parseDigest(digest) };
  const announced = query.get('digest-algorithm');
  if (announced === null) return { kind: 'upload-start', repository };
  const algorithm = ALGORITHMS.find((known) => known === announced);
  if (algorithm) return { kind: 'upload-start', repository, algorithm };
  throw new ImagesError('DIGEST_INVALID', `digest algorithm is not supported [${announced}]`, {
    hint: `Use one of: ${ALGORITHMS.join(', ')}.`,
  });
}

function read(method: string, request: RegistryRequest | (() => RegistryRequest)): RegistryRequest {
  if (!READ.includes(method)) return { kind: 'method-not-allowed', method, allow: READ };
  return typeof request === 'function' ? request() : request;
}

/** Decodes the path once, before matching, so that an encoded slash or dot cannot get another meaning later. */
function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch (cause) {
    throw new ImagesError('NAME_INVALID', `path has broken percent-encoding [${path.slice(0, 300)}]`, { cause });
  }
}

function repositoryName(name: string | undefined): string {
  if (name !== undefined && isRepositoryPath(name)) return name;
  throw new ImagesError('NAME_INVALID', `not a repository name [${(name ?? '').slice(0, 300)}]`, {
    hint: 'Names are lower-case words with . _ - between them, separated by single slashes, 255 characters at most.',
  });
}

/** Whether a digest was meant, by its colon. That decides which error is given. */
function isDigestLike(reference: string): boolean {
  return isDigest(reference) || reference.includes(':');
}

function tagName(tag: string): string {
  if (isTag(tag)) return tag;
  throw new ImagesError('TAG_INVALID', `not a tag [${tag.slice(0, 300)}]`, {
    hint: 'Tags are letters, digits, _ . and -, 128 characters at most, and do not begin with . or -.',
  });
}

function pageOf(query: URLSearchParams): Page {
  const n = query.get('n') || undefined;
  const last = query.get('last') || undefined;
  if (n !== undefined && !/^\d{1,15}$/.test(n)) {
    throw new ImagesError('PAGINATION_NUMBER_INVALID', `n is not a number of entries [${n.slice(0, 100)}]`);
  }
  return { ...(n !== undefined && { n: Number(n) }), ...(last !== undefined && { last }) };
}

function formatOf(query: URLSearchParams): { readonly json?: boolean } {
  return query.get('format') === 'json' ? { json: true } : {};
}

/** Validated, because the host becomes part of a path in the store. Errors: NAME_INVALID. */
function hostOf(query: URLSearchParams): { readonly host?: string } {
  const host = query.get('ns');
  if (!host) return {};
  if (isHostName(host)) return { host };
  throw new ImagesError('NAME_INVALID', `not a host [${host.slice(0, 300)}]`, {
    hint: 'ns is the host that the name is of, with its port: docker.io, quay.io:443.',
  });
}
