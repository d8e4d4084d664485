// Serves a registry with a policy of its own: a tag that is there stays what it is. A policy is a function from registry to registry.
//
//   node serve-with-policy.ts ./data 127.0.0.1:5000
import { ImagesError } from '@images-oci/images/oci';
import type { Registry } from '@images-oci/images/registry';
import { parseListenAddress, serve } from '@images-oci/images/server';
import { openEmbeddedStore } from '@images-oci/images/storage';

function withImmutableTags(registry: Registry): Registry {
  return {
    ...registry,
    async putManifest(repository, manifest, tags, options) {
      for (const tag of tags) {
        const there = await registry.statManifest(repository, tag, options);
        if (there && there.digest !== manifest.digest) {
          throw new ImagesError('DENIED', `tags do not move here [${repository}:${tag}]`, { hint: 'Push a new tag.' });
        }
      }
      await registry.putManifest(repository, manifest, tags, options);
    },
    async deleteTag(repository, tag) {
      throw new ImagesError('DENIED', `tags stay here [${repository}:${tag}]`);
    },
  };
}

const [data = 'data', listen = '127.0.0.1:5000'] = process.argv.slice(2);
const store = await openEmbeddedStore(data);
await using server = await serve({
  registry: withImmutableTags(store.registry),
  listen: [parseListenAddress(listen)],
  onEvent(event) {
    if (event.type === 'request') console.log(`${event.method} ${event.url} ${event.status}`);
  },
});
for (const { host, port } of server.addresses) console.log(`serving on ${host}:${port}`);

process.once('SIGTERM', () => server[Symbol.asyncDispose]());
await server.stopped;
