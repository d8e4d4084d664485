// Every kind of content that the specifications allow, over HTTP and a store in memory: pushed, listed, pulled, deleted, in the order of the official
// conformance suite (distribution-spec, `conformance/`).
import { describe, expect, it } from 'vitest';
import { blobDigests, expectThere, push, rootOf, status } from './testing/contents-over-http.ts';
import { EVERY_KIND } from './testing/every-kind.ts';

describe.each(Object.entries(EVERY_KIND))('a repository with %s', (name, make) => {
  it('can be pushed, listed, pulled and deleted', async () => {
    const content = make();
    const repository = await push(name, content);
    await expectThere(repository, content);
    const root = rootOf(content);
    expect(await status(repository, 'DELETE', 'manifests/latest')).toBe(202);
    expect(await status(repository, 'HEAD', 'manifests/latest')).toBe(404);
    for (const { digest } of [...content.manifests].reverse()) {
      expect(await status(repository, 'HEAD', `manifests/${digest}`)).toBe(200);
      expect(await status(repository, 'DELETE', `manifests/${digest}`)).toBe(202);
      expect(await status(repository, 'HEAD', `manifests/${digest}`)).toBe(404);
    }
    for (const digest of blobDigests(content)) {
      expect(await status(repository, 'DELETE', `blobs/${digest}`)).toBe(202);
      expect(await status(repository, 'HEAD', `blobs/${digest}`)).toBe(404);
    }
    expect(await status(repository, 'GET', `manifests/${root.digest}`)).toBe(404);
  });
});
