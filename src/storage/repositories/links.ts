// The links that record what a repository has. Relies on layout.
import { type Digest, isDigest } from '../../oci/digest.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import { isRepositoryPath, isTag } from '../../oci/reference.ts';
import { linkBytes, parseLink, REPOSITORIES, repositoryPrefix } from '../layout/registry-keys.ts';
import type { Objects } from '../objects.ts';

/** The digest in a link; `undefined` for a missing or garbled one. */
export async function readLink(objects: Objects, key: string): Promise<Digest | undefined> {
  return parseLink(objects.kept?.(key) ?? (await objects.get(key)));
}

/** Writes a link whose name determines its content, unless it is there and valid. */
export async function ensureLink(objects: Objects, key: string, digest: Digest): Promise<void> {
  if (await objects.put(key, linkBytes(digest), { ifAbsent: true })) return;
  if ((await readLink(objects, key)) !== digest) await objects.put(key, linkBytes(digest));
}

/** The same, and sets the link's time to now. A process that cannot write to the store can still push what is there. */
export async function renewLink(objects: Objects, key: string, digest: Digest): Promise<void> {
  if (await objects.put(key, linkBytes(digest), { ifAbsent: true })) return;
  try {
    // A removal may come in between, so the content is looked at last.
    await objects.touch(key);
  } catch (error) {
    if (!isImagesError(error, 'READ_ONLY', 'NO_ACCESS')) throw error;
  }
  if ((await readLink(objects, key)) !== digest) await objects.put(key, linkBytes(digest));
}

/**
 * The digests below a prefix whose keys go on with `ALGORITHM/HEX`, in byte order. No object is looked at: where a folder stands for each digest, it may be
 * empty, after a kill.
 */
export async function* digestsBelow(objects: Objects, prefix: string): AsyncGenerator<Digest> {
  for (const algorithm of await objects.children(prefix)) {
    if (!algorithm.endsWith('/')) continue;
    for (const hex of await objects.children(`${prefix}${algorithm}`)) {
      const digest = `${algorithm.slice(0, -1)}:${hex.endsWith('/') ? hex.slice(0, -1) : hex}`;
      if (isDigest(digest)) yield digest;
    }
  }
}

export function checkRepository(repository: string): void {
  if (isRepositoryPath(repository)) return;
  throw new ImagesError('NAME_INVALID', `not a repository name [${repository}]`, {
    hint: 'A repository is lower-case letters, digits and single . _ - between them, in parts separated by /.',
  });
}

export function checkTag(tag: string): void {
  if (!isTag(tag)) throw new ImagesError('TAG_INVALID', `not a tag [${tag}]`);
}

/** Whether the repository has ever been written to. */
export async function repositoryExists(objects: Objects, repository: string): Promise<boolean> {
  if (!isRepositoryPath(repository)) return false;
  const folders = await objects.children(repositoryPrefix(repository));
  return folders.some((folder) => folder === '_layers/' || folder === '_manifests/');
}

/** The error to throw for something absent: NAME_UNKNOWN if the repository does not exist, else the one given. */
export async function absent(objects: Objects, repository: string, error: ImagesError): Promise<ImagesError> {
  if (await repositoryExists(objects, repository)) return error;
  return new ImagesError('NAME_UNKNOWN', `no such repository [${repository}]`);
}

/** Names of repositories for which `holds` is true, in byte order, after `after`. */
export async function* walkRepositories(
  objects: Objects,
  holds: (repository: string) => Promise<boolean>,
  after = '',
): AsyncGenerator<string> {
  yield* walk('');

  async function* walk(prefix: string): AsyncGenerator<string> {
    const folders = (await objects.children(`${REPOSITORIES}${prefix}`)).filter(
      // What sorts before `after` is left out here: a page must not cost what is on the pages before it.
      (name) => isFolder(name) && (`${prefix}${name}` > after || after.startsWith(`${prefix}${name}`)),
    );
    // `a` and the names below `a/` are two steps, because `a-b` sorts between them.
    const steps = folders.flatMap((folder) => [folder.slice(0, -1), folder]).sort((a, b) => (a < b ? -1 : 1));
    for (const step of steps) {
      const name = `${prefix}${step}`;
      if (name.endsWith('/')) {
        if (name > after || after.startsWith(name)) yield* walk(name);
      } else if (name > after && isRepositoryPath(name) && (await holds(name))) {
        yield name;
      }
    }
  }
}

/** Whether it is a folder of repositories: the names of other folders begin with `_`. */
function isFolder(name: string): boolean {
  return name.endsWith('/') && !name.startsWith('_') && name.length > 1;
}
