// Looks a name up in a registry whose repositories have no hosts: asks its candidates (name-lookup.ts) until one is there.
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import type { ReadOptions, Registry } from '../contract.ts';
import { type NameCandidates, repositories } from './name-lookup.ts';

/** What is asked for, and what is said if no candidate has it. */
export interface WantedName {
  readonly repository: string;
  readonly host: string | undefined;
  readonly code: 'MANIFEST_UNKNOWN' | 'BLOB_UNKNOWN';
  readonly none: string;
}

/** What the first candidate that is there gives. Errors: `code` with the message `none`, or NAME_UNKNOWN if there is no such repository either. */
export async function firstOf<Candidate, T>(
  registry: Registry,
  candidates: NameCandidates<Candidate>,
  { ask, repository, host, code, none }: WantedName & { ask(candidate: Candidate): Promise<T> },
): Promise<T> {
  let repositoryUnknown: ImagesError | undefined;
  const missed = (error: unknown) => {
    if (!isImagesError(error, code, 'NAME_UNKNOWN')) throw error;
    if (error.code === 'NAME_UNKNOWN') repositoryUnknown ??= error;
  };
  if (candidates.first !== undefined) {
    try {
      return await ask(candidates.first);
    } catch (error) {
      missed(error);
    }
  }
  for await (const candidate of candidates.rest()) {
    try {
      return await ask(candidate);
    } catch (error) {
      missed(error);
    }
  }
  if (repositoryUnknown && !(await exists(registry, repository, host))) throw repositoryUnknown;
  throw new ImagesError(code, none);
}

/** The description of the first candidate that is there. Returns `undefined` if none is. */
export async function firstFound<Candidate, T>(
  { first, rest }: NameCandidates<Candidate>,
  stat: (candidate: Candidate) => Promise<T | undefined>,
): Promise<T | undefined> {
  const found = first === undefined ? undefined : await stat(first);
  if (found) return found;
  for await (const candidate of rest()) {
    const later = await stat(candidate);
    if (later) return later;
  }
  return undefined;
}

/** Whether there is any repository that the name may mean. */
async function exists(registry: Registry, repository: string, host: string | undefined): Promise<boolean> {
  for (const name of repositories(repository, host)) if (await isRepository(registry, name)) return true;
  return false;
}

async function isRepository(registry: Registry, name: string): Promise<boolean> {
  try {
    for await (const _ of registry.tags(name)) break;
    return true;
  } catch (error) {
    if (isImagesError(error, 'NAME_UNKNOWN')) return false;
    throw error;
  }
}

/** A candidate's name says all: the host goes no further. */
export function withoutHost<T extends ReadOptions>(
  options: T | undefined,
): { host: string | undefined; inner: Omit<T, 'host'> } {
  const { host, ...inner } = options ?? ({} as T);
  return { host, inner };
}
