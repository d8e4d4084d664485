// Manifests and tags over an object store: a manifest is a blob with a revision link; a tag is a link, which is moved last.
import { ImagesError } from '../../oci/errors.ts';
import type { Registry } from '../../registry/contract.ts';
import { revisionsPrefix } from '../layout/registry-keys.ts';
import type { Store } from '../store.ts';
import { absent, checkRepository, repositoryExists, walkRepositories } from './links.ts';
import { manifestHistory } from './manifest-history.ts';
import { storedManifestWriter } from './put-manifest.ts';
import { storedManifestReader } from './read-manifest.ts';
import { referrersIndex } from './stored-referrers.ts';
import { tagLinks } from './tag-links.ts';

export type StoredManifests = Pick<
  Registry,
  | 'getManifest'
  | 'statManifest'
  | 'putManifest'
  | 'deleteTag'
  | 'deleteManifest'
  | 'repositories'
  | 'tags'
  | 'referrers'
>;

export function storedManifests(store: Store, statBlob: Registry['statBlob']): StoredManifests {
  const { objects, blobs } = store;
  const history = manifestHistory(objects);
  const tags = tagLinks(objects, history);
  const { find, stat, isDamaged } = storedManifestReader(blobs, tags);
  const referrers = referrersIndex(objects, find);

  // A repository exists while it has a manifest. Blobs alone are being uploaded, or are left for garbage collection.
  const repositories = (after?: string) =>
    walkRepositories(objects, (repository) => objects.any(revisionsPrefix(repository)), after);

  function unknown(repository: string, tagOrDigest: string): Promise<ImagesError> {
    const error = new ImagesError('MANIFEST_UNKNOWN', `no such manifest in ${repository} [${tagOrDigest}]`);
    return absent(objects, repository, error);
  }

  /** Loaded when something is deleted: most commands only read. */
  async function deletions() {
    const { storedDeletions } = await import('./stored-deletions.ts');
    return storedDeletions({ store, tags, history, referrers, find, unknown });
  }

  return {
    getManifest: async (repository, tagOrDigest) => {
      const manifest = await find(repository, tagOrDigest);
      if (!manifest) throw await unknown(repository, tagOrDigest);
      return manifest;
    },
    statManifest: async (repository, tagOrDigest, { whole = false } = {}) => {
      const found = await stat(repository, tagOrDigest);
      return found && whole && (await isDamaged(repository, found.digest)) ? undefined : found;
    },
    putManifest: storedManifestWriter({ store, tags, referrers, history, statBlob, repositories }),
    deleteTag: async (repository, tag) => await (await deletions()).deleteTag(repository, tag),
    deleteManifest: async (repository, digest) => await (await deletions()).deleteManifest(repository, digest),
    repositories,
    tags: async function* (repository, after, { unwanted } = {}) {
      checkRepository(repository);
      if (!(await repositoryExists(objects, repository))) {
        throw new ImagesError('NAME_UNKNOWN', `no such repository [${repository}]`);
      }
      yield* tags.list(repository, after, unwanted);
    },
    referrers: (repository, subject, artifactType, { after } = {}) => {
      checkRepository(repository);
      return referrers.list(repository, subject, { artifactType, after });
    },
  };
}
