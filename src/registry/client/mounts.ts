// Mounts over HTTP: a blob of another repository of the same registry is linked, without sending its bytes (distribution specification 1.1, "Mounting a blob
// from another repository"). Best effort: whatever the answer, pushing remains possible. A mount that fails costs one extra request to the source.
import type { HttpAnswer } from '../../io/http/http.ts';
import type { Digest } from '../../oci/digest.ts';
import { isImagesError } from '../../oci/errors.ts';
import type { RegistryWriter } from '../contract.ts';
import type { BlobReader } from './blobs.ts';
import type { EndpointHttp } from './endpoint-http.ts';
import { repositoryPath } from './paths.ts';
import { mergeScopes, repositoryScope } from './scopes.ts';
import { DONE } from './statuses.ts';
import { locationOf, type UploadLocation } from './uploads.ts';

export interface Mounter extends Pick<RegistryWriter, 'mountBlob'> {
  /** The upload that the registry started instead of mounting this blob. Returned once. */
  begun(repository: string, digest: Digest): UploadLocation | undefined;
}

/** After so many timeouts in a row the registry is not asked for mounts any more. */
const PATIENCE = 3;

/** `within`: milliseconds for a mount, including the check of its source and the tokens for both. */
export function mounter(http: EndpointHttp, canBeRead: BlobReader['canBeRead'], within: number): Mounter {
  const uploads = new Map<string, UploadLocation>();
  let hung = 0;
  return {
    begun(repository, digest) {
      const key = `${repository}@${digest}`;
      const location = uploads.get(key);
      uploads.delete(key);
      return location;
    },
    async mountBlob(repository, digest, from, { signal } = {}) {
      if (hung >= PATIENCE) return false;
      const late = AbortSignal.timeout(within);
      const bounded = signal ? AbortSignal.any([signal, late]) : late;
      try {
        // docker-registry mounts what it has in its cache, even if garbage collection has removed the blob, and from then on claims to have it.
        if (from !== undefined && !(await canBeRead(from, digest, bounded))) return false;
        const answer = await ask(http, { repository, digest, from, signal: bounded });
        hung = 0;
        if (answer.status === 201) return true;
        if (answer.status !== 202 && (await canBeRead(repository, digest, bounded))) return true;
        if (answer.headers.location !== undefined) uploads.set(`${repository}@${digest}`, locationOf(answer));
      } catch (error) {
        signal?.throwIfAborted();
        hung = late.aborted ? hung + 1 : 0;
        if (!late.aborted && !isImagesError(error)) throw error;
      }
      return false;
    },
  };
}

interface MountRequest {
  readonly repository: string;
  readonly digest: Digest;
  readonly from: string | undefined;
  readonly signal: AbortSignal;
}

async function ask(http: EndpointHttp, { repository, digest, from, signal }: MountRequest): Promise<HttpAnswer> {
  const scopes = [repositoryScope(repository, 'pull', 'push'), ...(from ? [repositoryScope(from, 'pull')] : [])];
  const answer = await http.send({
    method: 'POST',
    to: repositoryPath(repository, 'blobs/uploads/', { mount: digest, from }),
    headers: { 'content-length': '0' },
    repository,
    scopes: mergeScopes(scopes),
    asked: { what: `mount of ${digest} in ${http.host}/${repository}`, unknown: 'NAME_UNKNOWN' },
    expected: DONE,
    once: true,
    signal,
  });
  answer.discard();
  return answer;
}
