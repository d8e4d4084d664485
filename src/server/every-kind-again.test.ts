// Every kind of content that the specifications allow, deleted in another order than pushed, and pushed again.
import { describe, expect, it } from 'vitest';
import { blobDigests, expectThere, push, status } from './testing/contents-over-http.ts';
import { EVERY_KIND } from './testing/every-kind.ts';

/** What is large in one way is large in another: one look at it is enough. */
const SMALL = Object.entries(EVERY_KIND).filter(([name]) => !name.includes('MiB'));

describe.each(SMALL)('a repository with %s', (name, make) => {
  it('can be deleted blobs first, and pushed again', async () => {
    const content = make();
    const repository = await push(`${name} again`, content);
    for (const digest of blobDigests(content)) expect(await status(repository, 'DELETE', `blobs/${digest}`)).toBe(202);
    for (const { digest } of content.manifests) {
      expect(await status(repository, 'DELETE', `manifests/${digest}`)).toBe(202);
    }
    expect(await status(repository, 'HEAD', 'manifests/latest')).toBe(404);
    await push(`${name} again`, content);
    await expectThere(repository, content);
  });
});
