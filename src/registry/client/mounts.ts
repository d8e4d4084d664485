// Mounts over HTTP: a blob that another repository of the registry has becomes this one's, without its bytes (distribution specification 1.1, "Mounting a blob
// from another repository"). They only spare work: whatever a registry says to one leaves pushing, and one that it does not do costs a look at the source.
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
  /** The upload of that blob which the registry began instead of a mount: told once. */
  begun(repository: string, digest: Digest): UploadLocation | undefined;
}

/** One that lets so many attempts in a row hang is asked no more. */
const PATIENCE = 3;

/** `within`: milliseconds for a mount, with a look at its source and the tokens for both. */
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
        // docker-registry mounts what it remembers, also where garbage collection has removed it meanwhile; and then it says for good that it is there.
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
