// NameCandidates for a name, with or without a host, in a registry whose repositories have no hosts. Relies on the recorded full names.
import { isDigest } from '../../oci/digest.ts';
import { canonicalHost, isRepositoryPath, tryParseReference } from '../../oci/reference.ts';
import type { NameRecords } from './full-names.ts';

export interface NameCandidate {
  readonly repository: string;
  readonly reference: string;
}

const LIBRARY = 'library/';

/** Where a name may be, best first. Most names are where they say, so the rest is worked out only if it is asked for. */
export interface NameCandidates<Candidate> {
  readonly first?: Candidate;
  readonly rest: () => AsyncIterable<Candidate> | Iterable<Candidate>;
}

/**
 * The candidates:
 * - for a tag with a host (`?ns=`): the digest that is recorded for the full name; a repository whose name contains the host; the name without
 *   the host, unless it is recorded for another host;
 * - for a tag without a host: the name as it is, so what was cached last; then, if it begins with a host, as above;
 * - for a digest: every repository that has it under the name, with or without host, because the content is the same.
 */
export function candidates(
  names: NameRecords,
  wanted: { readonly repository: string; readonly reference: string; readonly host?: string | undefined },
): NameCandidates<NameCandidate> {
  const { repository, reference, host } = wanted;
  const at = (name: string): NameCandidate => ({ repository: name, reference });
  if (isDigest(reference)) {
    return { first: at(repository), rest: () => otherRepositories(repository, host).map(at) };
  }
  if (host !== undefined) return { rest: () => candidatesAtHost(names, { host, path: repository, tag: reference }) };
  return { first: at(repository), rest: () => otherwiseSpelled(names, at(repository)) };
}

/** All repositories that may hold the content of a name. */
export function repositoryCandidates(repository: string, host: string | undefined): NameCandidates<string> {
  return { first: repository, rest: () => otherRepositories(repository, host) };
}

function otherRepositories(repository: string, host: string | undefined): readonly string[] {
  return repositories(repository, host).filter((name) => name !== repository);
}

async function* otherwiseSpelled(
  names: NameRecords,
  { repository, reference }: NameCandidate,
): AsyncGenerator<NameCandidate> {
  for (const name of spellings(repository)) if (name !== repository) yield { repository: name, reference };
  const full = tryParseReference(repository);
  if (full?.host !== undefined) yield* candidatesAtHost(names, { host: full.host, path: full.path, tag: reference });
}

async function* candidatesAtHost(
  names: NameRecords,
  { host, path, tag }: { readonly host: string; readonly path: string; readonly tag: string },
): AsyncGenerator<NameCandidate> {
  const digest = await names.get(host, path, tag);
  if (digest) for (const repository of repositories(path, host)) yield { repository, reference: digest };
  for (const repository of namedWithHost(path, host)) yield { repository, reference: tag };
  if (await hasHost(names, path, tag)) return;
  for (const repository of spellings(path)) yield { repository, reference: tag };
}

/** Whether a host is recorded for this path and tag. */
export async function hasHost(names: NameRecords, path: string, tag: string): Promise<boolean> {
  const found = await Promise.all(spellings(path).map((spelling) => names.hostsOf(spelling, tag)));
  return found.some((hosts) => hosts.length > 0);
}

/** All repositories that may hold the content of a name, the most likely first. `path` may itself begin with a host. */
export function repositories(path: string, host?: string): readonly string[] {
  const full = tryParseReference(path);
  const stripped = full?.host === undefined ? [] : spellings(full.path);
  return [...new Set([...spellings(path), ...(host === undefined ? [] : namedWithHost(path, host)), ...stripped])];
}

/** Names of repositories as `--include-host` makes them; none for a host with a port. */
export function namedWithHost(path: string, host: string): readonly string[] {
  return spellings(path)
    .map((spelling) => `${canonicalHost(host)}/${spelling}`)
    .filter(isRepositoryPath);
}

/** Official images of Docker Hub have two names: `alpine` and `library/alpine`, also after the host. The given one comes first. */
export function spellings(path: string): readonly string[] {
  const full = tryParseReference(path);
  if (full?.host !== undefined)
    return spellings(full.path).map((spelling) => path.slice(0, -full.path.length) + spelling);
  if (!path.includes('/')) return [path, LIBRARY + path];
  const rest = path.startsWith(LIBRARY) ? path.slice(LIBRARY.length) : '';
  return rest !== '' && !rest.includes('/') ? [path, rest] : [path];
}
