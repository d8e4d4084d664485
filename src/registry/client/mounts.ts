// Mounts over HTTP: a blob that another repository of the registry has becomes this one's, without its bytes (distribution specification 1.1, "Mounting a blob
// from another repository"). They only spare work: whatever a registry says to one leaves pushing, and an attempt in vain costs pushing nothing.
import type { HttpAnswer } from '../../io/http.ts';
import type { Digest } from '../../oci/digest.ts';
import { isImagesError } from '../../oci/errors.ts';
import type { RegistryWriter } from '../contract.ts';
import type { BlobReader } from './blobs.ts';
import type { EndpointHttp } from './endpoint-http.ts';
import { repositoryPath } from './paths.ts';
import { mergeScopes, repositoryScope } from './scopes.ts';
import { type Location, locationOf } from './uploads.ts';

export interface Mounter extends Pick<RegistryWriter, 'mountBlob'> {
  /** What an attempt in vain left for pushing that blob: told once. */
  left(repository: string, digest: Digest): LeftByMount;
}

export interface LeftByMount {
  /** The upload that the registry began instead. */
  readonly session?: Location;
  /** The registry says that the blob is there, and cannot hand it out. */
  readonly unreadable?: boolean;
}

/** One that lets so many attempts in a row hang is asked no more. */
const PATIENCE = 3;

/** `within`: milliseconds for a mount and a look at what it gave, the token for it included. */
export function mounter(http: EndpointHttp, canBeRead: BlobReader['canBeRead'], within: number): Mounter {
  const lefts = new Map<string, LeftByMount>();
  let hung = 0;
  return {
    left(repository, digest) {
      const key = `${repository}@${digest}`;
      const left = lefts.get(key);
      lefts.delete(key);
      return left ?? {};
    },
    async mountBlob(repository, digest, from, { signal } = {}) {
      if (hung >= PATIENCE) return false;
      const late = AbortSignal.timeout(within);
      const bounded = signal ? AbortSignal.any([signal, late]) : late;
      const key = `${repository}@${digest}`;
      try {
        const answer = await ask(http, { repository, digest, from, signal: bounded });
        if (answer.status === 201) {
          // docker-registry mounts what it remembers, also where garbage collection has removed it meanwhile, and remembers that it has mounted it.
          lefts.set(key, { unreadable: true });
          if (await canBeRead(repository, digest, bounded)) {
            lefts.delete(key);
            return true;
          }
        } else if (answer.headers.location !== undefined) {
          lefts.set(key, { session: locationOf(answer) });
        }
        hung = 0;
      } catch (error) {
        signal?.throwIfAborted();
        if (late.aborted) hung++;
        else if (!isImagesError(error)) throw error;
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
    expected: [201, 202],
    once: true,
    signal,
  });
  answer.discard();
  return answer;
}
