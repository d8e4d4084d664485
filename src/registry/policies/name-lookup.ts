// Where a name, with or without a host, may be found in a registry whose repositories have no hosts. Relies on the recorded full names.
import { isDigest } from '../../oci/digest.ts';
import { canonicalHost, isRepositoryPath, tryParseReference } from '../../oci/reference.ts';
import type { NameRecords } from './full-names.ts';

export interface NameCandidate {
  readonly repository: string;
  readonly reference: string;
}

const LIBRARY = 'library/';

/**
 * The places to look at, best first:
 * - a tag asked for at a host (`?ns=`): the digest recorded for the full name; a repository that is named with the host; the name without
 *   host, unless some host is recorded for it (then it is that one's);
 * - a tag without a host: the name as it is, so what was cached last; then, where it begins with a host, as above;
 * - a digest: wherever the name, with or without host, has it, as the content is the same.
 */
export async function* places(
  names: NameRecords,
  wanted: { readonly repository: string; readonly reference: string; readonly host?: string | undefined },
): AsyncGenerator<NameCandidate> {
  const { repository, reference, host } = wanted;
  if (isDigest(reference)) {
    for (const name of repositories(repository, host)) yield { repository: name, reference };
  } else if (host !== undefined) {
    yield* placesAtHost(names, { host, path: repository, tag: reference });
  } else {
    for (const name of spellings(repository)) yield { repository: name, reference };
    const full = tryParseReference(repository);
    if (full?.host !== undefined) yield* placesAtHost(names, { host: full.host, path: full.path, tag: reference });
  }
}

async function* placesAtHost(
  names: NameRecords,
  { host, path, tag }: { readonly host: string; readonly path: string; readonly tag: string },
): AsyncGenerator<NameCandidate> {
  const digest = await names.get(host, path, tag);
  if (digest) for (const repository of repositories(path, host)) yield { repository, reference: digest };
  for (const repository of namedWithHost(path, host)) yield { repository, reference: tag };
  if (await hasHost(names, path, tag)) return;
  for (const repository of spellings(path)) yield { repository, reference: tag };
}

/** Whether some host is recorded for the name without host. */
export async function hasHost(names: NameRecords, path: string, tag: string): Promise<boolean> {
  const found = await Promise.all(spellings(path).map((spelling) => names.hostsOf(spelling, tag)));
  return found.some((hosts) => hosts.length > 0);
}

/** All repositories that may hold a name's content, the likeliest first; `path` may begin with a host itself. */
export function repositories(path: string, host?: string): readonly string[] {
  const full = tryParseReference(path);
  const stripped = full?.host === undefined ? [] : spellings(full.path);
  return [...new Set([...spellings(path), ...(host === undefined ? [] : namedWithHost(path, host)), ...stripped])];
}

/** Repositories as `--include-host` makes them. A host with a port is none. */
export function namedWithHost(path: string, host: string): readonly string[] {
  return spellings(path)
    .map((spelling) => `${canonicalHost(host)}/${spelling}`)
    .filter(isRepositoryPath);
}

/** Docker Hub's official images have two names: `alpine` and `library/alpine`, also behind their host. The given one comes first. */
export function spellings(path: string): readonly string[] {
  const full = tryParseReference(path);
  if (full?.host !== undefined)
    return spellings(full.path).map((spelling) => path.slice(0, -full.path.length) + spelling);
  if (!path.includes('/')) return [path, LIBRARY + path];
  const rest = path.startsWith(LIBRARY) ? path.slice(LIBRARY.length) : '';
  return rest !== '' && !rest.includes('/') ? [path, rest] : [path];
}
