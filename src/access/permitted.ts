// A policy: what the current asker may do with a registry. It lies below the names with hosts, so rules are about the repositories that there are, and no
// spelling of a name leads around them.

import type { CallOptions } from '../io/streams/bytes.ts';
import type { Digest } from '../oci/digest.ts';
import { ImagesError } from '../oci/errors.ts';
import { isRepositoryPath } from '../oci/reference.ts';
import type { Registry } from '../registry/contract.ts';
import { forwarding } from '../registry/policies/forwarding.ts';
import { repositories } from '../registry/policies/name-lookup.ts';
import type { Action, Asker } from './contract.ts';
import { requireAsking } from './current-asker.ts';

/** Without a repository: whether it may be done with all of them. */
export type MayDo = (asker: Asker, action: Action, repository?: string) => boolean;

/**
 * What may not be pulled is treated as absent, whether it is there or not, and noted in the request (`Asking.refused`); the server then answers as for a refusal.
 * Writes are refused: UNAUTHORIZED if nobody has logged in, else DENIED. Calls outside of requests are refused too.
 */
export function permitted(registry: Registry, mayDo: MayDo): Registry {
  const may = (action: Action, repository: string): boolean => {
    const asking = requireAsking();
    if (asking.isServer || mayDo(asking.asker, action, repository)) return true;
    asking.refused ??= { repository, action };
    return false;
  };
  const require = (action: Action, repository: string): void => {
    if (!may(action, repository)) throw refusalOf(requireAsking().asker, action, repository);
  };
  /** Whether the asker finds the blob in `from`, in any of its spellings; who may pull everything finds it anywhere. */
  const isReadable = async (digest: Digest, from: string | undefined, options?: CallOptions): Promise<boolean> => {
    const { asker, isServer = false } = requireAsking();
    if (isServer || mayDo(asker, 'pull')) return true;
    const readable = from === undefined ? [] : repositories(from).filter((name) => mayDo(asker, 'pull', name));
    for (const name of readable.filter(isRepositoryPath)) {
      if (await registry.statBlob(name, digest, options)) return true;
    }
    return false;
  };
  const absent = (repository: string) => new ImagesError('NAME_UNKNOWN', `no such repository [${repository}]`);

  return forwarding<Registry>(registry, {
    getManifest: async (repository, reference, options) => {
      if (!may('pull', repository)) throw absent(repository);
      return await registry.getManifest(repository, reference, options);
    },
    statManifest: async (repository, reference, options) =>
      may('pull', repository) ? await registry.statManifest(repository, reference, options) : undefined,
    getBlob: async (repository, digest, options) => {
      if (!may('pull', repository)) throw absent(repository);
      return await registry.getBlob(repository, digest, options);
    },
    statBlob: async (repository, digest, options) =>
      mayDo(requireAsking().asker, 'push', repository) || may('pull', repository)
        ? await registry.statBlob(repository, digest, options)
        : undefined,
    tags: async function* (repository, after, options) {
      if (!may('pull', repository)) throw absent(repository);
      yield* registry.tags(repository, after, options);
    },
    referrers: async function* (repository, subject, artifactType, options) {
      if (may('pull', repository)) yield* registry.referrers(repository, subject, artifactType, options);
    },
    repositories: async function* (after, options) {
      const { asker } = requireAsking();
      const lister: Asker = asker.listed ? { ...asker, scopes: asker.listed } : asker;
      for await (const repository of registry.repositories(after, options)) {
        if (mayDo(asker, 'pull', repository) || mayDo(lister, 'pull', repository)) yield repository;
      }
    },
    putBlob: async (repository, ...rest) => {
      require('push', repository);
      await registry.putBlob(repository, ...rest);
    },
    openUpload: async (repository, ...rest) => {
      require('push', repository);
      return await registry.openUpload(repository, ...rest);
    },
    mountBlob: async (repository, digest, from, options) => {
      require('push', repository);
      // A digest alone opens nothing: the bytes are asked for unless the asker may read them where they are. A store links what it has, whatever `from` is.
      if (!(await isReadable(digest, from, options))) return false;
      return await registry.mountBlob(repository, digest, from, options);
    },
    putManifest: async (repository, ...rest) => {
      require('push', repository);
      await registry.putManifest(repository, ...rest);
    },
    deleteTag: async (repository, ...rest) => {
      require('delete', repository);
      await registry.deleteTag(repository, ...rest);
    },
    deleteManifest: async (repository, ...rest) => {
      require('delete', repository);
      await registry.deleteManifest(repository, ...rest);
    },
    deleteBlob: async (repository, ...rest) => {
      require('delete', repository);
      await registry.deleteBlob(repository, ...rest);
    },
    partialBytes: async () => 0,
  });
}

export const LOG_IN = 'Log in: docker login, podman login or `images login`.';

/** UNAUTHORIZED if logging in may help, else DENIED. */
export function refusalOf(asker: Asker, action: Action, repository: string): ImagesError {
  if (asker.via === 'nobody') {
    return new ImagesError('UNAUTHORIZED', `${action} needs a login [${repository}]`, {
      hint: LOG_IN,
    });
  }
  if (asker.via === 'owner') {
    return new ImagesError('DENIED', `the registry is read-only, also for its owner [${repository}]`, {
      hint: 'Only commands that use the store itself can write to it: name its directory with --data=DIR.',
    });
  }
  const who = asker.user ?? asker.token ?? 'this token';
  return new ImagesError('DENIED', `${who} may not ${action} there [${repository}]`);
}
