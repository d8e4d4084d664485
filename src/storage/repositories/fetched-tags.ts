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
  /** Whether the stripped tag is what this fetch has made it: it may be another host's, or somebody's. */
  readonly isTag: boolean;
}

interface Mark {
  readonly digest: Digest;
  /** Times of objects, in milliseconds since 1970. */
  readonly named: number;
  /** Absent if somebody else had the stripped tag. */
  readonly tagged?: number;
}

interface Place {
  readonly objects: Objects;
  readonly names: NameRecords;
}

/** Marks of tags that the proxy has fetched. */
export function fetchedTags(objects: Objects, names: NameRecords): FetchedTags {
  const place = { objects, names };
  return {
    ownerOf: async (name) => {
      const { host, path, tag } = name;
      const mark = await readMark(objects, name);
      const state = await stateOf(place, name, mark);
      if (state === 'fetched' && mark) return { is: 'fetched', digest: mark.digest };
      if (mark) await objects.delete([fetchedKey(host, path, tag)]);
      // What was pushed under the stripped name means this full name as well, as it would if nothing had been fetched.
      if (state === 'pushed-over') await names.delete(host, path, tag);
      const isThere = state === 'theirs' || (await isFoundOtherwise(place, name));
      return { is: isThere ? 'theirs' : 'absent' };
    },
    mayMove: async (path, tag) => (await tagOf(objects, path, tag)) === undefined || (await isOwnTag(place, path, tag)),
    note: async ({ host, path, tag }, digest, { isMoved }) => {
      const named = await timeOf(objects, nameKey(host, path, tag));
      if (named === undefined) return;
      const tagged = isMoved ? await timeOf(objects, tagLinkKey(path, tag)) : undefined;
      const mark = { digest, named, ...(tagged !== undefined && { tagged }) };
      await objects.put(fetchedKey(host, path, tag), Buffer.from(JSON.stringify(mark)), { volatile: true });
    },
  };
}

/** Those that are still the proxy's own, in byte order of their names. Changes nothing. */
export async function* listFetchedTags(place: Place): AsyncGenerator<FetchedTag> {
  const { objects } = place;
  for await (const { key, modified } of objects.list(FETCHED)) {
    const name = parseFetchedKey(key);
    const mark = name && (await readMark(objects, name));
    if (!name || !mark || (await stateOf(place, name, mark)) !== 'fetched') continue;
    yield { ...name, digest: mark.digest, since: modified, isTag: await isTagOf(objects, name, mark) };
  }
}

/** `undefined` if the tag is no longer the proxy's own. */
export async function fetchedTag(place: Place, name: UpstreamTag): Promise<{ readonly isTag: boolean } | undefined> {
  const mark = await readMark(place.objects, name);
  if (!mark || (await stateOf(place, name, mark)) !== 'fetched') return undefined;
  return { isTag: await isTagOf(place.objects, name, mark) };
}

export async function forgetFetchedTag({ objects }: Place, { host, path, tag }: UpstreamTag): Promise<void> {
  await objects.delete([fetchedKey(host, path, tag)]);
}

type State = 'fetched' | 'theirs' | 'pushed-over' | 'absent';

async function stateOf(place: Place, { host, path, tag }: UpstreamTag, mark: Mark | undefined): Promise<State> {
  const { objects, names } = place;
  const digest = await names.get(host, path, tag);
  if (digest === undefined) return 'absent';
  const isOwnName = mark?.digest === digest && mark.named === (await timeOf(objects, nameKey(host, path, tag)));
  if (!isOwnName) return 'theirs';
  return mark.tagged === undefined || (await isOwnTag(place, path, tag)) ? 'fetched' : 'pushed-over';
}

/** Whether the stripped tag is as the proxy has left it, for whatever host. */
async function isOwnTag({ objects, names }: Place, path: string, tag: string): Promise<boolean> {
  for (const { host } of await names.hostsOf(path, tag)) {
    const mark = await readMark(objects, { host, path, tag });
    if (mark && (await isTagOf(objects, { host, path, tag }, mark))) return true;
  }
  return false;
}

async function isTagOf(objects: Objects, { path, tag }: UpstreamTag, mark: Mark): Promise<boolean> {
  if (mark.tagged === undefined || (await tagOf(objects, path, tag)) !== mark.digest) return false;
  return (await timeOf(objects, tagLinkKey(path, tag))) === mark.tagged;
}

/** Whether a name without a record of its own means something that is here. */
async function isFoundOtherwise({ objects, names }: Place, { host, path, tag }: UpstreamTag): Promise<boolean> {
  for (const name of namedWithHost(path, host)) if (await tagOf(objects, name, tag)) return true;
  if (await hasHost(names, path, tag)) return false;
  for (const name of spellings(path)) if (await tagOf(objects, name, tag)) return true;
  return false;
}

async function timeOf(objects: Objects, key: string): Promise<number | undefined> {
  return (await objects.stat(key))?.modified.getTime();
}

async function tagOf(objects: Objects, path: string, tag: string): Promise<Digest | undefined> {
  return parseLink(await objects.get(tagLinkKey(path, tag)));
}

async function readMark(objects: Objects, { host, path, tag }: UpstreamTag): Promise<Mark | undefined> {
  const bytes = await objects.get(fetchedKey(host, path, tag));
  const fields = bytes && bytes.length > 0 ? recordIn(bytes, 'mark of what was fetched') : undefined;
  const { digest, named, tagged } = fields ?? {};
  if (typeof digest !== 'string' || !isDigest(digest) || typeof named !== 'number') return undefined;
  return { digest, named, ...(typeof tagged === 'number' && { tagged }) };
}
