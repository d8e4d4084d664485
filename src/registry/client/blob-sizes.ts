// How large a blob is: HEAD says so, or else the answer to a GET of its first byte.
import type { Digest } from '../../oci/digest.ts';
import type { ReadOptions } from '../contract.ts';
import { wholeSize } from './blob-body.ts';
import { blobRequest, rangeHeader } from './blob-requests.ts';
import { contentCodings } from './content-encoding.ts';
import type { EndpointHttp } from './endpoint-http.ts';
import { NOT_SERVED } from './statuses.ts';

/** Returns `undefined` for a blob that is not there, or if nothing tells its size. */
export type BlobSize = (repository: string, digest: Digest, options?: ReadOptions) => Promise<number | undefined>;

export function blobSizes(http: EndpointHttp): BlobSize {
  /** A 404 for HEAD is believed: it is the usual answer before a blob is pushed, and if it is wrong, the blob is only pushed once more. */
  const stat: BlobSize = async (repository, digest, options) => {
    const request = blobRequest(http.host, 'HEAD', repository, { digest, ...options });
    const answer = await http.send({ ...request, expected: [...request.expected, ...NOT_SERVED] });
    answer.discard();
    if (answer.status === 404) return undefined;
    const isOk = request.expected.includes(answer.status) && contentCodings(answer).length === 0;
    const size = isOk ? Number(answer.headers['content-length'] ?? 0) : 0;
    return Number.isSafeInteger(size) && size > 0 ? size : look(repository, digest, options);
  };

  /** Gets the first byte: such an answer also tells the size of the whole blob. Returns `undefined` if nothing tells it. */
  const look: BlobSize = async (repository, digest, options) => {
    const request = blobRequest(http.host, 'GET', repository, { digest, ...options });
    const headers = { ...request.headers, ...rangeHeader(0, 1) };
    const answer = await http.send({ ...request, headers, expected: [...request.expected, 404, 416] });
    answer.discard();
    const size = answer.status === 404 || contentCodings(answer).length > 0 ? undefined : wholeSize(answer);
    return Number.isSafeInteger(size) ? size : undefined;
  };

  return stat;
}
