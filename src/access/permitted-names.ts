// A policy: full names of what the current asker may not pull are treated as absent (see permitted.ts).
import { FORWARD, forwarding } from '../registry/policies/forwarding.ts';
import type { NameRecords } from '../registry/policies/full-names.ts';
import { spellings } from '../registry/policies/name-lookup.ts';
import { requireAsking } from './current-asker.ts';
import type { MayDo } from './permitted.ts';

/** A record tells what the repository holds that has the name without the host, so it is seen by those who may pull that. */
export function permittedNames(names: NameRecords, mayDo: MayDo): NameRecords {
  const may = (path: string): boolean => {
    const asking = requireAsking();
    if (asking.isServer || spellings(path).some((repository) => mayDo(asking.asker, 'pull', repository))) return true;
    asking.refused ??= { repository: path, action: 'pull' };
    return false;
  };
  return forwarding<NameRecords>(names, {
    get: async (host, path, tag) => (may(path) ? await names.get(host, path, tag) : undefined),
    hostsOf: async (path, tag) => (may(path) ? await names.hostsOf(path, tag) : []),
    tags: async (host, path) => (may(path) ? await names.tags(host, path) : []),
    tagsOfAnyHost: async (path) => (may(path) ? await names.tagsOfAnyHost(path) : new Set()),
    ofPath: async function* (path) {
      if (may(path)) yield* names.ofPath(path);
    },
    all: async function* () {
      for await (const record of names.all()) if (may(record.path)) yield record;
    },
    // Follow a push or a deletion that was allowed.
    set: FORWARD,
    delete: FORWARD,
  });
}
