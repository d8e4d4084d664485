// When a tag was last pushed and pulled: for listings, and for rules that go by age.
import type { Digest } from '../../oci/digest.ts';
import { parseLink, tagLinkKey } from '../layout/registry-keys.ts';
import type { Objects } from '../objects.ts';
import { type Pulls, pullsOf } from './pull-records.ts';

export interface TagUse {
  readonly digest: Digest;
  /** When the tag came to mean this digest, or was last pushed with it again. */
  readonly pushed: Date;
  /** Pulls of the manifest in this repository, by any of its names. Absent if none are recorded. */
  readonly pulls?: Pulls;
  /** The later of the last push and the last pull. */
  readonly used: Date;
}

/** `undefined` if there is no such tag. */
export async function tagUse(objects: Objects, repository: string, tag: string): Promise<TagUse | undefined> {
  const key = tagLinkKey(repository, tag);
  const digest = parseLink(await objects.get(key));
  const pushed = digest && (await objects.stat(key))?.modified;
  if (digest === undefined || !pushed) return undefined;
  const pulls = await pullsOf(objects, repository, digest);
  return { digest, pushed, ...(pulls && { pulls }), used: pulls && pulls.last > pushed ? pulls.last : pushed };
}
