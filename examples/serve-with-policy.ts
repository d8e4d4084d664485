// Serves a registry with a policy of its own: a tag that is there stays what it is. A policy is a function from registry to registry.
//
//   node serve-with-policy.ts ./data 127.0.0.1:5000
import { ImagesError } from '@images-oci/images/oci';
import { FORWARD, forwarding, type Registry } from '@images-oci/images/registry';
import { parseListenAddress, serve } from '@images-oci/images/server';
import { openEmbeddedStore } from '@images-oci/images/storage';

function withImmutableTags(registry: Registry): Registry {
  // Every method is named: the compiler refuses a policy that forgets one which the contract gets later.
  return forwarding<Registry>(registry, {
    getManifest: FORWARD,
    statManifest: FORWARD,
    getBlob: FORWARD,
    statBlob: FORWARD,
    putBlob: FORWARD,
    openUpload: FORWARD,
    mountBlob: FORWARD,
    deleteBlob: FORWARD,
    repositories: FORWARD,
    tags: FORWARD,
    referrers: FORWARD,
    partialBytes: FORWARD,
    async putManifest(repository, manifest, tags, options) {
      for (const tag of tags) {
        const there = await registry.statManifest(repository, tag, options);
        if (there && there.digest !== manifest.digest) throw moves(repository, tag);
      }
      await registry.putManifest(repository, manifest, tags, options);
    },
    async deleteTag(repository, tag) {
      throw moves(repository, tag);
    },
    async deleteManifest(repository, digest) {
      throw moves(repository, digest);
    },
  });
}

function moves(repository: string, tag: string): ImagesError {
  return new ImagesError('DENIED', `tags stay what they are [${repository}:${tag}]`, { hint: 'Push a new tag.' });
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
