// The tags of a name in a registry whose repositories have no hosts: those of all candidates, merged as they come.
import { mergeSorted } from '../../io/streams/merge-sorted.ts';
import { isImagesError } from '../../oci/errors.ts';
import { tryParseReference } from '../../oci/reference.ts';
import type { ReadOptions, Registry } from '../contract.ts';
import { withoutHost } from './candidate-lookup.ts';
import type { NameRecords } from './full-names.ts';
import { namedWithHost, spellings } from './name-lookup.ts';

export interface TagsWanted {
  readonly repository: string;
  readonly after: string;
  readonly options: ReadOptions | undefined;
}

/** Streams of tags from all repositories that the name may mean, each in byte order after `after`; read lazily. Errors: NAME_UNKNOWN if there is none. */
export async function* tagsOfCandidates(
  registry: Registry,
  names: NameRecords,
  { repository, after, options }: TagsWanted,
): AsyncGenerator<string> {
  const { host, inner } = withoutHost(options);
  const full = host === undefined ? tryParseReference(repository) : { host, path: repository };
  let isKnown = false;
  const know = () => {
    isKnown = true;
  };
  const tags = (name: string, unwanted: ReadonlySet<string> = new Set()) =>
    without(unwanted, whereKnown(registry.tags(name, after, { ...inner, unwanted }), know));
  const streams = host === undefined ? spellings(repository).map((name) => tags(name)) : [];
  if (full?.host !== undefined) {
    const { path, host: asked } = full;
    if ((await names.tags(asked, path)).length > 0) know();
    // A tag that is recorded for some host belongs to that host only.
    const recorded = await Promise.all(spellings(path).map((spelling) => names.tagsOfAnyHost(spelling)));
    const ofHosts = new Set(recorded.flatMap((some) => [...some]));
    streams.push(
      recordedTags(names, { host: asked, path, after }),
      ...namedWithHost(path, asked).map((name) => tags(name)),
      ...spellings(path).map((name) => tags(name, ofHosts)),
    );
  }
  yield* mergeSorted(streams);
  if (!isKnown) yield* registry.tags(repository, after, inner);
}

/** Calls `known` if the repository exists; a repository that does not has no tags. */
async function* whereKnown(tags: AsyncIterable<string>, known: () => void): AsyncGenerator<string> {
  try {
    for await (const tag of tags) {
      known();
      yield tag;
    }
    known();
  } catch (error) {
    if (!isImagesError(error, 'NAME_UNKNOWN')) throw error;
  }
}

async function* recordedTags(
  names: NameRecords,
  { host, path, after }: { readonly host: string; readonly path: string; readonly after: string },
): AsyncGenerator<string> {
  for (const tag of await names.tags(host, path)) if (tag > after && (await names.get(host, path, tag))) yield tag;
}

async function* without(unwanted: ReadonlySet<string>, tags: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const tag of tags) if (!unwanted.has(tag)) yield tag;
}
