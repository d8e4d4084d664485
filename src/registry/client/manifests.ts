// Reads manifests over HTTP. Bytes are trusted, not headers. If HEAD does not tell enough, one GET does.
import type { HttpAnswer } from '../../io/http/http.ts';
import { isTooLong, readUpTo } from '../../io/http/http-whole.ts';
import { isObject } from '../../oci/decode.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { type Digest, digestAlgorithm, digestOf, isDigest } from '../../oci/digest.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import {
  MAX_MANIFEST_SIZE,
  manifestDescriptor,
  manifestMediaType,
  type RawManifest,
  rawManifest,
} from '../../oci/manifest.ts';
import { DOCKER_SCHEMA1, isIndexType, isManifestType, MANIFEST_TYPES } from '../../oci/media-types.ts';
import type { ReadOptions, RegistryReader } from '../contract.ts';
import { behalfHeaders } from '../via-header.ts';
import { type Asked, badAnswer } from './answer-errors.ts';
import { contentCodings, uncoded } from './content-encoding.ts';
import type { EndpointHttp } from './endpoint-http.ts';
import type { EndpointRequest } from './endpoint-request.ts';
import { repositoryPath } from './paths.ts';
import { repositoryScope } from './scopes.ts';
import { FOUND, NOT_SERVED } from './statuses.ts';

export type ManifestReader = Pick<RegistryReader, 'getManifest' | 'statManifest'>;

export function manifestReader(http: EndpointHttp): ManifestReader {
  const get = async (repository: string, reference: string, options?: ReadOptions): Promise<RawManifest> => {
    const request = manifestRequest(http.host, 'GET', repository, { reference, ...options });
    const { asked } = request;
    const received = await http.read(request, async (answer) => ({
      answer,
      asked,
      bytes: await readManifest(answer, asked, reference),
    }));
    const raw = readAnswer(received, reference);
    const announced = announcedDigest(received.answer);
    if (isDigest(reference) || announced === undefined || raw.digest === announced) return raw;
    // If the registry has the manifest under the digest of these bytes, the bytes are right and what was said about them was wrong.
    if (await isKnown(repository, raw.digest, options)) return raw;
    throw announcesAnother(received, raw.digest);
  };

  const isKnown = async (repository: string, digest: Digest, options?: ReadOptions): Promise<boolean> => {
    try {
      await get(repository, digest, options);
      return true;
    } catch (error) {
      options?.signal?.throwIfAborted();
      if (isImagesError(error)) return false;
      throw error;
    }
  };

  return {
    getManifest: get,
    async statManifest(repository, reference, options) {
      const request = manifestRequest(http.host, 'HEAD', repository, { reference, ...options });
      const answer = await http.send({ ...request, expected: [...FOUND, ...NOT_SERVED] });
      answer.discard();
      const found = FOUND.includes(answer.status) ? describe(answer, reference) : undefined;
      if (found) return found;
      try {
        return manifestDescriptor(await get(repository, reference, options));
      } catch (error) {
        if (isImagesError(error, 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN')) return undefined;
        if (isImagesError(error) && error.status === 404) return undefined;
        throw error;
      }
    },
  };
}

interface Which extends ReadOptions {
  readonly reference: string;
}

function manifestRequest(
  host: string,
  method: 'GET' | 'HEAD',
  repository: string,
  { reference, host: ns, signal, ...behalf }: Which,
): EndpointRequest {
  const name = `${repository}${isDigest(reference) ? '@' : ':'}${reference}`;
  return {
    method,
    to: repositoryPath(repository, `manifests/${encodeURIComponent(reference).replace('%3A', ':')}`, { ns }),
    headers: { accept: MANIFEST_TYPES.join(', '), ...behalfHeaders(behalf) },
    repository,
    scopes: [repositoryScope(repository, 'pull')],
    asked: { what: `manifest ${host}/${name}`, unknown: 'MANIFEST_UNKNOWN' },
    expected: FOUND,
    signal,
  };
}

/** The descriptor that a HEAD tells, if it tells everything and is plausible; else `undefined`. */
function describe(answer: HttpAnswer, reference: string): Descriptor | undefined {
  const announced = announcedDigest(answer);
  const digest = isDigest(reference) ? reference : announced;
  const size = Number(answer.headers['content-length'] ?? Number.NaN);
  const mediaType = contentType(answer);
  if (!digest || !Number.isSafeInteger(size) || size === 0 || !isManifestType(mediaType)) return undefined;
  if (contentCodings(answer).length > 0) return undefined;
  if (announced && announced !== digest && digestAlgorithm(announced) === digestAlgorithm(digest)) return undefined;
  return { mediaType, digest, size };
}

/** Milliseconds for a manifest. Most have a few KiB. */
const MANIFEST_WITHIN = 120_000;

/** Reads at most the limit. Errors: MANIFEST_TOO_LARGE; BAD_ANSWER for a Content-Encoding that cannot be decoded; TIMEOUT, BROKEN_OFF. */
async function readManifest(answer: HttpAnswer, asked: Asked, reference: string): Promise<Uint8Array> {
  const size = Number(answer.headers['content-length'] ?? 0);
  if (size > MAX_MANIFEST_SIZE) {
    answer.discard();
    throw tooLarge(asked, size);
  }
  const { bytes, failure } = await readUpTo(answer, { bytes: MAX_MANIFEST_SIZE, within: MANIFEST_WITHIN });
  if (failure !== undefined) throw isTooLong(failure) ? tooLarge(asked, bytes.length + 1) : failure;
  if (contentCodings(answer).length === 0) return bytes;
  const wanted = (each: Uint8Array) =>
    isDigest(reference) ? digestOf(each, digestAlgorithm(reference)) === reference : ownMediaType(each) !== undefined;
  const plain = await uncoded(answer, bytes, { limit: MAX_MANIFEST_SIZE, wanted });
  if (wanted(plain)) return plain;
  const coding = answer.headers['content-encoding'];
  throw new ImagesError(
    'BAD_ANSWER',
    `${answer.url.host} sends ${asked.what} with Content-Encoding [${coding}], and neither these bytes nor the decoded ones are that manifest`,
    {
      hint: 'A proxy in front of the registry changes what it sends: set it up to leave manifests alone.',
    },
  );
}

interface Received {
  readonly answer: HttpAnswer;
  readonly asked: Asked;
  readonly bytes: Uint8Array;
}

function readAnswer(received: Received, reference: string): RawManifest {
  const { answer, asked, bytes } = received;
  const expected = isDigest(reference) ? reference : announcedDigest(answer);
  const raw = rawManifest(bytes, mediaTypeOf(received), expected && digestAlgorithm(expected));
  if (DOCKER_SCHEMA1.includes(raw.mediaType)) {
    throw new ImagesError('UNSUPPORTED', `${asked.what} is of Docker's schema 1`, {
      hint: 'Push the image again with a current tool: schema 1 has been obsolete since 2017.',
    });
  }
  if (isDigest(reference) && raw.digest !== reference) {
    const message = `${answer.url.host} sent another content for ${asked.what}: digest is ${raw.digest}, expected ${reference}`;
    throw new ImagesError('DIGEST_INVALID', message, {
      hint: 'The registry, or a proxy in front of it, holds a damaged copy.',
    });
  }
  return raw;
}

/**
 * The media type that the bytes state, which the digest covers, unlike Content-Type. If they state none, it is the Content-Type.
 * Errors: BAD_ANSWER for what is no manifest; MANIFEST_INVALID for an image that is sent as an index, or the reverse.
 */
function mediaTypeOf({ answer, asked, bytes }: Received): string {
  const served = contentType(answer);
  const own = ownMediaType(bytes);
  if (!isManifestType(served) && !DOCKER_SCHEMA1.includes(served)) {
    if (own !== undefined) return own;
    throw badAnswer(answer, asked, Buffer.from(bytes.subarray(0, 1024)).toString('utf8'));
  }
  if (own === undefined || own === served) return served;
  if (!isManifestType(own)) return DOCKER_SCHEMA1.includes(own) ? own : served;
  if (isIndexType(own) === isIndexType(served)) return own;
  throw new ImagesError('MANIFEST_INVALID', `${answer.url.host} sends ${asked.what} as ${served}, and it is ${own}`, {
    hint: 'An image that could be read as an index, or the reverse, is refused (CVE-2021-41190): the registry, or a proxy in front of it, sets the wrong Content-Type.',
  });
}

/** Returns `undefined` for what is no manifest. */
function ownMediaType(bytes: Uint8Array): string | undefined {
  try {
    const fields: unknown = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
    return isObject(fields) ? manifestMediaType(fields) : undefined;
  } catch {
    // Malformed: the decoder will report it.
    return undefined;
  }
}

function announcesAnother({ answer, asked }: Received, digest: Digest): ImagesError {
  const announced = announcedDigest(answer);
  return new ImagesError(
    'DIGEST_INVALID',
    `${answer.url.host} announces ${announced} for ${asked.what}, and sends ${digest}`,
    { hint: 'One of the two is wrong there: push the image again, or ask for it by the digest that is right.' },
  );
}

function contentType(answer: HttpAnswer): string {
  return (answer.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

function announcedDigest(answer: HttpAnswer): Digest | undefined {
  const header = answer.headers['docker-content-digest'];
  return isDigest(header) ? header : undefined;
}

function tooLarge(asked: Asked, size: number): ImagesError {
  return new ImagesError('MANIFEST_TOO_LARGE', `${asked.what} has more than ${MAX_MANIFEST_SIZE} bytes [${size}]`);
}
