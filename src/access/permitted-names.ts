// A policy: full names of what the current asker may not pull are treated as absent (see permitted.ts).
import { FORWARD, forwarding } from '../registry/policies/forwarding.ts';
import type { NameRecords } from '../registry/policies/full-names.ts';
import { repositories } from '../registry/policies/name-lookup.ts';
import { requireAsking } from './current-asker.ts';
import type { MayDo } from './permitted.ts';

/** A record tells what a repository holds, so it is seen by those who may pull one of the repositories that its name may mean. */
export function permittedNames(names: NameRecords, mayDo: MayDo): NameRecords {
  const may = (path: string, host?: string): boolean => {
    const asking = requireAsking();
    const all = repositories(path, host);
    if (asking.isServer || all.some((repository) => mayDo(asking.asker, 'pull', repository))) return true;
    asking.refused ??= { repository: path, action: 'pull' };
    return false;
  };
  return forwarding<NameRecords>(names, {
    get: async (host, path, tag) => (may(path, host) ? await names.get(host, path, tag) : undefined),
    hostsOf: async (path, tag) => (may(path) ? await names.hostsOf(path, tag) : []),
    tags: async (host, path) => (may(path, host) ? await names.tags(host, path) : []),
    tagsOfAnyHost: async (path) => (may(path) ? await names.tagsOfAnyHost(path) : new Set()),
    ofPath: async function* (path) {
      if (may(path)) yield* names.ofPath(path);
    },
    all: async function* () {
      for await (const record of names.all()) if (may(record.path, record.host)) yield record;
    },
    // Follow a push or a deletion that was allowed.
    set: FORWARD,
    delete: FORWARD,
  });
}
