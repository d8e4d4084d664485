// Reading manifests over HTTP: one request each, verified against the digest that was asked for or announced.
import type { HttpAnswer } from '../../io/http.ts';
import { isObject } from '../../oci/decode.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { type Digest, digestAlgorithm, isDigest } from '../../oci/digest.ts';
import { ImagesError } from '../../oci/errors.ts';
import {
  MAX_MANIFEST_SIZE,
  manifestDescriptor,
  manifestMediaType,
  type RawManifest,
  rawManifest,
} from '../../oci/manifest.ts';
import { DOCKER_SCHEMA1, isManifestType, MANIFEST_TYPES } from '../../oci/media-types.ts';
import type { ReadOptions, RegistryReader } from '../contract.ts';
import { type Asked, badAnswer } from './answer-errors.ts';
import type { EndpointHttp, EndpointRequest } from './endpoint-http.ts';
import { repositoryPath } from './paths.ts';
import { repositoryScope } from './scopes.ts';

export type ManifestReader = Pick<RegistryReader, 'getManifest' | 'statManifest'>;

export function manifestReader(http: EndpointHttp): ManifestReader {
  const get = async (repository: string, reference: string, options?: ReadOptions): Promise<RawManifest> => {
    const request = manifestRequest(http.host, 'GET', repository, { reference, ...options });
    const answer = await http.send(request);
    const bytes = await readManifest(answer, request.asked);
    return readAnswer(answer, { asked: request.asked, bytes, reference });
  };
  return {
    getManifest: get,
    async statManifest(repository, reference, options) {
      const request = manifestRequest(http.host, 'HEAD', repository, { reference, ...options });
      const answer = await http.send({ ...request, expected: [200, 404, 405] });
      answer.discard();
      if (answer.status === 404) return undefined;
      const found = answer.status === 200 ? describe(answer, reference) : undefined;
      return found ?? manifestDescriptor(await get(repository, reference, options));
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
  { reference, host: ns, signal }: Which,
): EndpointRequest {
  const name = `${repository}${isDigest(reference) ? '@' : ':'}${reference}`;
  return {
    method,
    to: repositoryPath(repository, `manifests/${encodeURIComponent(reference).replace('%3A', ':')}`, { ns }),
    headers: { accept: MANIFEST_TYPES.join(', ') },
    repository,
    scopes: [repositoryScope(repository, 'pull')],
    asked: { what: `manifest ${host}/${name}`, unknown: 'MANIFEST_UNKNOWN' },
    expected: [200],
    signal,
  };
}

/** What a HEAD says, where it says all. */
function describe(answer: HttpAnswer, reference: string): Descriptor | undefined {
  const digest = isDigest(reference) ? reference : announcedDigest(answer);
  const size = Number(answer.headers['content-length'] ?? Number.NaN);
  const mediaType = contentType(answer);
  if (!digest || !Number.isSafeInteger(size) || !isManifestType(mediaType)) return undefined;
  return { mediaType, digest, size };
}

/** Errors: MANIFEST_TOO_LARGE, before more than the limit is held. */
async function readManifest(answer: HttpAnswer, asked: Asked): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = Number(answer.headers['content-length'] ?? 0);
  if (size > MAX_MANIFEST_SIZE) {
    answer.discard();
    throw tooLarge(asked, size);
  }
  size = 0;
  for await (const chunk of answer.body) {
    size += chunk.length;
    if (size > MAX_MANIFEST_SIZE) throw tooLarge(asked, size);
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
}

interface Received {
  readonly asked: Asked;
  readonly bytes: Uint8Array;
  readonly reference: string;
}

function readAnswer(answer: HttpAnswer, { asked, bytes, reference }: Received): RawManifest {
  const announced = announcedDigest(answer);
  const expected = isDigest(reference) ? reference : announced;
  const raw = rawManifest(bytes, servedType(answer, asked, bytes), expected && digestAlgorithm(expected));
  if (DOCKER_SCHEMA1.includes(raw.mediaType)) {
    throw new ImagesError('UNSUPPORTED', `${asked.what} is of Docker's schema 1`, {
      hint: 'Push the image again with a current tool: schema 1 has been obsolete since 2017.',
    });
  }
  if (expected && raw.digest !== expected) {
    const message = `${answer.url.host} sent another content for ${asked.what}: digest is ${raw.digest}, expected ${expected}`;
    throw new ImagesError('DIGEST_INVALID', message, {
      hint: 'The registry, or a proxy in front of it, holds a damaged copy.',
    });
  }
  return raw;
}

/** The Content-Type where it is a manifest's, else what the bytes say of themselves. Errors: BAD_ANSWER for what is no manifest. */
function servedType(answer: HttpAnswer, asked: Asked, bytes: Uint8Array): string {
  const served = contentType(answer);
  if (isManifestType(served) || DOCKER_SCHEMA1.includes(served)) return served;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  try {
    const fields: unknown = JSON.parse(text);
    if (isObject(fields)) return manifestMediaType(fields);
  } catch {
    // Whatever is wrong with it, the answer is not a manifest: said below, with what came.
  }
  throw badAnswer(answer, asked, text);
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
