// Pushes and deletes manifests and tags over HTTP (distribution specification 1.1, "Pushing Manifests", "Deleting Manifests").
import type { CallOptions } from '../../io/streams/bytes.ts';
import { digestAlgorithm, isDigest } from '../../oci/digest.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import type { RawManifest } from '../../oci/manifest.ts';
import { isTag } from '../../oci/reference.ts';
import type { DeleteOptions, RegistryWriter } from '../contract.ts';
import type { EndpointHttp } from './endpoint-http.ts';
import type { ManifestReader } from './manifests.ts';
import { repositoryPath } from './paths.ts';
import { referrersRecorder } from './referrers-tag.ts';
import { remove } from './remove.ts';
import { repositoryScope } from './scopes.ts';
import { DONE } from './statuses.ts';

export type ManifestWriter = Pick<RegistryWriter, 'putManifest' | 'deleteTag' | 'deleteManifest'>;

export function manifestWriter(http: EndpointHttp, manifests: ManifestReader): ManifestWriter {
  const requireStored = storedCheck(http.host, manifests);
  const put = async (repository: string, reference: string, manifest: RawManifest, { signal }: CallOptions) => {
    const answer = await http.send({
      method: 'PUT',
      to: repositoryPath(repository, `manifests/${reference}`),
      headers: { 'content-type': manifest.mediaType, 'content-length': String(manifest.size) },
      body: manifest.bytes,
      repository,
      scopes: [repositoryScope(repository, 'pull', 'push')],
      asked: {
        what: `manifest ${http.host}/${repository}${reference === manifest.digest ? '@' : ':'}${reference}`,
        unknown: 'NAME_UNKNOWN',
        invalid: 'MANIFEST_INVALID',
      },
      expected: DONE,
      signal,
    });
    answer.discard();
    const stored = answer.headers['docker-content-digest'];
    // A digest by another algorithm proves nothing: it may be of the same bytes.
    const saysSo =
      isDigest(stored) && (stored === manifest.digest || digestAlgorithm(stored) !== digestAlgorithm(manifest.digest));
    const call = signal && { signal };
    if (answer.status !== 201) await requireStored(repository, reference, manifest, call);
    // A client that may push but not pull cannot check.
    else if (!saysSo) await requireStored(repository, reference, manifest, call).catch(unlessRefused);
    return answer.headers['oci-subject'] !== undefined;
  };

  const recordReferrer = referrersRecorder(manifests, put);

  return {
    async putManifest(repository, manifest, tags, options = {}) {
      const bad = tags.find((tag) => !isTag(tag));
      if (bad !== undefined) throw new ImagesError('TAG_INVALID', `not a tag [${bad}]`);
      // PUT by tag stores the manifest under its sha256 digest as well.
      const alone = tags.length === 0 || digestAlgorithm(manifest.digest) !== 'sha256';
      let keepsReferrers = false;
      for (const reference of alone ? [manifest.digest, ...tags] : tags) {
        keepsReferrers = (await put(repository, reference, manifest, options)) || keepsReferrers;
      }
      // The header says that the registry maintains referrers itself.
      if (!keepsReferrers) await recordReferrer(repository, manifest, options);
    },
    deleteTag: (repository, tag, options) => removeTag(http, { repository, tag }, options),
    async deleteManifest(repository, digest, { signal, unneeded } = {}) {
      const to = repositoryPath(repository, `manifests/${digest}`);
      const what = `manifest ${http.host}/${repository}@${digest}`;
      await remove(http, { to, repository, asked: { what, unknown: 'MANIFEST_UNKNOWN' }, signal, unneeded });
    },
  };
}

type StoredCheck = (
  repository: string,
  reference: string,
  manifest: RawManifest,
  options: CallOptions | undefined,
) => Promise<void>;

/**
 * Reads the manifest back if the answer does not name the digest of what was stored. If it does, that is believed: a check after each image would
 * cost every user a request, and fail where reads lag behind writes.
 */
function storedCheck(host: string, manifests: ManifestReader): StoredCheck {
  return async (repository, reference, manifest, options) => {
    const where = `${host}/${repository}`;
    const { digest } = await manifests.getManifest(repository, reference, options).catch((error: unknown) => {
      if (!isImagesError(error, 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN')) throw error;
      throw new ImagesError('BAD_ANSWER', `${where} said that it took the manifest, and has none [${reference}]`, {
        hint: 'Try again; if it stays so, the registry, or a proxy in front of it, loses what it is sent.',
        cause: error,
      });
    });
    if (digest !== manifest.digest) {
      throw new ImagesError('BAD_ANSWER', `${where} has ${digest} where ${manifest.digest} was put [${reference}]`, {
        hint: 'Something else puts images there at the same time, or the registry keeps others than it is sent.',
      });
    }
  };
}

async function removeTag(
  http: EndpointHttp,
  { repository, tag }: { readonly repository: string; readonly tag: string },
  { signal, unneeded }: DeleteOptions = {},
): Promise<void> {
  const to = repositoryPath(repository, `manifests/${encodeURIComponent(tag)}`);
  const what = `tag ${http.host}/${repository}:${tag}`;
  const asked = { what, unknown: 'MANIFEST_UNKNOWN', invalid: 'UNSUPPORTED' } as const;
  try {
    await remove(http, { to, repository, asked, signal, unneeded });
  } catch (error) {
    // Distribution before version 3 parses the tag as a digest and calls it malformed.
    if (!isImagesError(error, 'UNSUPPORTED', 'DIGEST_INVALID', 'TAG_INVALID')) throw error;
    throw new ImagesError('UNSUPPORTED', `${http.host} cannot remove a tag alone [${repository}:${tag}]`, {
      hint: 'Remove the manifest by its digest: all its tags go with it.',
      cause: error,
      ...(error.status !== undefined && { status: error.status }),
    });
  }
}

function unlessRefused(error: unknown): void {
  if (!isImagesError(error, 'UNAUTHORIZED', 'DENIED')) throw error;
}
