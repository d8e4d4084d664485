// Manifests and tags over an object store: a manifest is a blob with a revision link; a tag is a link, which is moved last.
import { ImagesError } from '../../oci/errors.ts';
import { isTag } from '../../oci/reference.ts';
import type { Registry } from '../../registry/contract.ts';
import { revisionLinkKey, revisionsPrefix, tagLinkKey } from '../layout/registry-keys.ts';
import type { Store } from '../store.ts';
import { absent, checkRepository, readLink, repositoryExists, walkRepositories } from './links.ts';
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
    deleteTag: async (repository, tag) => {
      checkRepository(repository);
      const digest = isTag(tag) ? await readLink(objects, tagLinkKey(repository, tag)) : undefined;
      if (digest === undefined) throw await unknown(repository, tag);
      await history.losesTag(repository, digest);
      await tags.remove(repository, tag);
      await objects.sync([tagLinkKey(repository, tag)]);
    },
    deleteManifest: async (repository, digest) => {
      checkRepository(repository);
      const link = revisionLinkKey(repository, digest);
      if (!(await readLink(objects, link))) throw await unknown(repository, digest);
      const manifest = await find(repository, digest);
      const gone = [link];
      for await (const tag of tags.list(repository)) {
        const current = tagLinkKey(repository, tag);
        if ((await readLink(objects, current)) !== digest) continue;
        await tags.remove(repository, tag);
        gone.push(current);
      }
      if (manifest) await referrers.remove(repository, manifest);
      await history.forget(repository, [digest]);
      await objects.delete([link]);
      await objects.sync(gone);
    },
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
