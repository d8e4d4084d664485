// The requests for a blob, or a part of it (distribution specification 1.1, "Pulling Blobs").
import type { Digest } from '../../oci/digest.ts';
import type { BlobOptions } from '../contract.ts';
import { behalfHeaders } from '../via-header.ts';
import type { EndpointRequest } from './endpoint-request.ts';
import { repositoryPath } from './paths.ts';
import { repositoryScope } from './scopes.ts';
import { FOUND } from './statuses.ts';

export interface WhichBlob extends BlobOptions {
  readonly digest: Digest;
}

export function blobRequest(
  host: string,
  method: 'GET' | 'HEAD',
  repository: string,
  { digest, host: ns, signal, ...behalf }: WhichBlob,
): EndpointRequest {
  return {
    method,
    to: repositoryPath(repository, `blobs/${digest}`, { ns }),
    headers: { accept: '*/*', ...behalfHeaders(behalf) },
    repository,
    scopes: [repositoryScope(repository, 'pull')],
    asked: { what: `blob ${host}/${repository}@${digest}`, unknown: 'BLOB_UNKNOWN' },
    expected: [...FOUND, 206],
    signal,
  };
}

export function rangeHeader(from: number, to: number | undefined): Readonly<Record<string, string>> {
  if (from === 0 && to === undefined) return {};
  return { range: `bytes=${from}-${to === undefined ? '' : to - 1}` };
}
