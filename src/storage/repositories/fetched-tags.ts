// Which tags the proxy has fetched. The mark of one holds the times of the record of its full name and of the stripped tag as the proxy has left them: whoever
// pushes or caches the image changes one of them, and the tag is theirs from then on, without having to know of marks.
import { type Digest, isDigest } from '../../oci/digest.ts';
import type { NameRecords } from '../../registry/policies/full-names.ts';
import { hasHost, namedWithHost, spellings } from '../../registry/policies/name-lookup.ts';
import type { FetchedTags, UpstreamTag } from '../../registry/pull-through/contract.ts';
import { nameKey } from '../layout/image-keys.ts';
import { FETCHED, fetchedKey, parseFetchedKey } from '../layout/proxy-keys.ts';
import { parseLink, tagLinkKey } from '../layout/registry-keys.ts';
import type { Objects } from '../objects.ts';
import { recordIn } from './pull-records.ts';

export interface FetchedTag extends UpstreamTag {
  readonly digest: Digest;
  /** When it was fetched. */
  readonly since: Date;
  /** Whether the stripped tag is the proxy's own, too. */
  readonly isTag: boolean;
}

interface Mark {
  readonly digest: Digest;
  /** Times of files, in milliseconds since 1970. */
  readonly named: number;
  /** Absent if somebody else had the stripped tag. */
  readonly tagged?: number;
}

/** Marks of tags that the proxy has fetched. */
export function fetchedTags(objects: Objects, names: NameRecords): FetchedTags {
  const timeOf = async (key: string) => (await objects.stat(key))?.modified.getTime();
  const tagOf = async (path: string, tag: string) => parseLink(await objects.get(tagLinkKey(path, tag)));

  /** Whether the stripped tag is as the proxy has left it, for whatever host. */
  async function isOwnTag(path: string, tag: string): Promise<boolean> {
    const [digest, time] = [await tagOf(path, tag), await timeOf(tagLinkKey(path, tag))];
    for (const { host } of await names.hostsOf(path, tag)) {
      const mark = await readMark(objects, { host, path, tag });
      if (mark?.tagged !== undefined && mark.tagged === time && mark.digest === digest) return true;
    }
    return false;
  }

  /** Whether a name without a record of its own means something that is here. */
  async function isFoundOtherwise({ host, path, tag }: UpstreamTag): Promise<boolean> {
    for (const name of namedWithHost(path, host)) if (await tagOf(name, tag)) return true;
    if (await hasHost(names, path, tag)) return false;
    for (const name of spellings(path)) if (await tagOf(name, tag)) return true;
    return false;
  }

  return {
    ownerOf: async (name) => {
      const { host, path, tag } = name;
      const digest = await names.get(host, path, tag);
      const mark = await readMark(objects, name);
      if (digest === undefined) {
        if (mark) await objects.delete([fetchedKey(host, path, tag)]);
        return { is: (await isFoundOtherwise(name)) ? 'theirs' : 'absent' };
      }
      const isOwnName = mark?.digest === digest && mark.named === (await timeOf(nameKey(host, path, tag)));
      if (!isOwnName) {
        if (mark) await objects.delete([fetchedKey(host, path, tag)]);
        return { is: 'theirs' };
      }
      if (mark.tagged === undefined || (await isOwnTag(path, tag))) return { is: 'fetched', digest };
      // What was pushed under the stripped name means this full name as well, as it would if nothing had been fetched.
      await objects.delete([fetchedKey(host, path, tag)]);
      await names.delete(host, path, tag);
      return { is: (await tagOf(path, tag)) ? 'theirs' : 'absent' };
    },
    mayMove: async (path, tag) => (await tagOf(path, tag)) === undefined || (await isOwnTag(path, tag)),
    note: async ({ host, path, tag }, digest, { isMoved }) => {
      const named = await timeOf(nameKey(host, path, tag));
      if (named === undefined) return;
      const tagged = isMoved ? await timeOf(tagLinkKey(path, tag)) : undefined;
      const mark = { digest, named, ...(tagged !== undefined && { tagged }), since: new Date().toISOString() };
      await objects.put(fetchedKey(host, path, tag), Buffer.from(JSON.stringify(mark)), { volatile: true });
    },
  };
}

/** All of them, with those that have become somebody's since; in byte order of their names. */
export async function* allFetchedTags(objects: Objects): AsyncGenerator<FetchedTag> {
  for await (const { key, modified } of objects.list(FETCHED)) {
    const name = parseFetchedKey(key);
    const mark = name && (await readMark(objects, name));
    if (mark) yield { ...name, digest: mark.digest, since: modified, isTag: mark.tagged !== undefined };
  }
}

async function readMark(objects: Objects, { host, path, tag }: UpstreamTag): Promise<Mark | undefined> {
  const bytes = await objects.get(fetchedKey(host, path, tag));
  const fields = bytes && bytes.length > 0 ? recordIn(bytes, 'mark of what was fetched') : undefined;
  const { digest, named, tagged } = fields ?? {};
  if (typeof digest !== 'string' || !isDigest(digest) || typeof named !== 'number') return undefined;
  return { digest, named, ...(typeof tagged === 'number' && { tagged }) };
}
