// A policy: tags that match a pattern do not move once they are there. They can be deleted.
import { ImagesError } from '../../oci/errors.ts';
import type { Registry, RegistryReader } from '../contract.ts';
import { FORWARD, forwarding } from './forwarding.ts';
import { type ImageGlob, matchesImage } from './image-glob.ts';

/**
 * Refuses a push that would move such a tag to another digest (DENIED); the same digest again is no move. Pushes of one tag through this registry come one after
 * the other, so only the first of several sets it. `patterns` is asked at each push. `there` tells what a tag is, also to those who may not see it in `registry`.
 */
export function immutableTags(
  registry: Registry,
  patterns: () => Promise<readonly ImageGlob[]>,
  there: Pick<RegistryReader, 'statManifest'> = registry,
): Registry {
  const pushing = new Map<string, Promise<void>>();

  async function inTurn(name: string, push: () => Promise<void>): Promise<void> {
    const before = pushing.get(name);
    const mine = (before ?? Promise.resolve()).catch(() => undefined).then(push);
    pushing.set(name, mine);
    try {
      await mine;
    } finally {
      if (pushing.get(name) === mine) pushing.delete(name);
    }
  }

  return forwarding<Registry>(registry, {
    getManifest: FORWARD,
    statManifest: FORWARD,
    getBlob: FORWARD,
    statBlob: FORWARD,
    repositories: FORWARD,
    tags: FORWARD,
    referrers: FORWARD,
    partialBytes: FORWARD,
    putBlob: FORWARD,
    openUpload: FORWARD,
    mountBlob: FORWARD,
    deleteTag: FORWARD,
    deleteManifest: FORWARD,
    deleteBlob: FORWARD,
    putManifest: async (repository, manifest, tags, options) => {
      const all = await patterns();
      const guarded = tags.filter((tag) => all.some((glob) => matchesImage(glob, repository, tag)));
      const push = async () => {
        for (const tag of guarded) {
          const before = await there.statManifest(repository, tag, options);
          if (before && before.digest !== manifest.digest) {
            const name = `${repository}:${tag}`;
            // Who may push and not pull is not told what is there.
            const seen = await registry.statManifest(repository, tag, options);
            const is = seen?.digest === before.digest ? `, and is ${before.digest}` : '';
            throw new ImagesError('DENIED', `the tag is immutable${is} [${name}]`, {
              hint: `Push it under another tag, or remove this one first: images lreg_rm ${name}`,
            });
          }
        }
        await registry.putManifest(repository, manifest, tags, options);
      };
      await (guarded.length === 0 ? push() : inTurn(repository, push));
    },
  });
}
