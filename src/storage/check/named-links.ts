// Links whose key determines their content: so a garbled one is found, and can be written anew.
import { type Digest, isDigest } from '../../oci/digest.ts';
import { parseLink } from '../layout/registry-keys.ts';
import type { Look } from './look.ts';

export interface NamedLink {
  readonly key: string;
  /** The digest in the link's key. */
  readonly digest: Digest;
  /** Whether the link's content is the same digest. */
  readonly isRight: boolean;
  readonly modified: Date;
}

/** The links below `prefix`. The key of each determines its content. */
export async function* linksBelow(look: Look, prefix: string): AsyncGenerator<NamedLink> {
  for await (const { key, modified } of look.store.objects.list(prefix)) {
    const [algorithm, hex, link] = key.slice(prefix.length).split('/');
    const digest = `${algorithm}:${hex}`;
    if (!isDigest(digest) || link !== 'link') continue;
    await look.step();
    const isRight = parseLink(await look.store.objects.get(key)) === digest;
    yield { key, digest, isRight, modified };
  }
}
