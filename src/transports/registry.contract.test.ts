import { opener } from '../../test/contract/content.ts';
import { imageSinkContract } from '../../test/contract/image-sink-contract.ts';
import { imageSourceContract } from '../../test/contract/image-source-contract.ts';
import { indexContent } from '../../test/contract/placed-content.ts';
import { blobKey } from '../storage/layout.ts';
import { createMemoryObjectStore } from '../storage/memory-object-store.ts';
import { storedRegistry } from '../storage/stored-registry.ts';
import { registrySink } from './registry-sink.ts';
import { registrySource } from './registry-source.ts';

imageSourceContract('a registry', indexContent('registry'), async (content) => {
  const objects = createMemoryObjectStore();
  const registry = storedRegistry(objects);
  const { name, root, children, referrers, attached, blobs } = content;
  for (const { descriptor, bytes } of blobs) await registry.putBlob(name.path, descriptor, opener(bytes));
  for (const manifest of [...children, ...referrers]) await registry.putManifest(name.path, manifest, []);
  for (const { tag, manifest } of attached) await registry.putManifest(name.path, manifest, [tag]);
  await registry.putManifest(name.path, root, [name.tag ?? '']);
  return {
    source: registrySource(registry, name),
    damage: async ({ descriptor, bytes }) => {
      await objects.put(blobKey(descriptor.digest), Buffer.from(bytes).fill(1, 0, 1));
    },
    async [Symbol.asyncDispose]() {},
  };
});

imageSinkContract('a registry', async () => {
  const registry = storedRegistry(createMemoryObjectStore());
  return {
    sink: registrySink(registry, { label: 'here', repository: ({ path }) => path, indexes: 'sparse' }),
    read: async (name) => registrySource(registry, name),
    async [Symbol.asyncDispose]() {},
  };
});
