import { tmpdir } from 'node:os';
import { opener } from '../../test/contract/content.ts';
import { imageSinkContract } from '../../test/contract/image-sink-contract.ts';
import { imageSourceContract } from '../../test/contract/image-source-contract.ts';
import { indexContent, type NamedContent } from '../../test/contract/named-content.ts';
import { registryClients } from '../registry/client/registry-clients.ts';
import type { Registry } from '../registry/contract.ts';
import { serve } from '../server/listen.ts';
import { memoryStore } from '../storage/drivers/staged-store.ts';
import { blobKey } from '../storage/layout/registry-keys.ts';
import type { Objects } from '../storage/objects.ts';
import { storedRegistry } from '../storage/repositories/stored-registry.ts';
import { registrySink } from './registry-sink.ts';
import { registrySource } from './registry-source.ts';

interface Opened extends AsyncDisposable {
  readonly registry: Registry;
  readonly objects: Objects;
}

async function inProcess(): Promise<Opened> {
  const store = memoryStore();
  return { objects: store.objects, registry: storedRegistry(store), async [Symbol.asyncDispose]() {} };
}

async function overHttp(): Promise<Opened> {
  const store = memoryStore();
  const listen = [{ host: '127.0.0.1', port: 0 }];
  const server = await serve({ registry: storedRegistry(store), listen, grace: 0 });
  const clients = registryClients({ temporaryDirectory: tmpdir() });
  return {
    objects: store.objects,
    registry: clients.forHost(`127.0.0.1:${server.addresses[0]?.port}`),
    async [Symbol.asyncDispose]() {
      await clients[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

async function push(registry: Registry, content: NamedContent): Promise<void> {
  const { name, root, children, referrers, attached, blobs } = content;
  for (const { descriptor, bytes } of blobs) await registry.putBlob(name.path, descriptor, opener(bytes));
  for (const manifest of [...children, ...referrers]) await registry.putManifest(name.path, manifest, []);
  for (const { tag, manifest } of attached) await registry.putManifest(name.path, manifest, [tag]);
  await registry.putManifest(name.path, root, [name.tag ?? '']);
}

for (const [name, open] of [
  ['a registry in process', inProcess],
  ['a registry by HTTP', overHttp],
] as const) {
  imageSourceContract(name, indexContent('registry'), async (content) => {
    const opened = await open();
    await push(opened.registry, content);
    return {
      source: registrySource(opened.registry, content.name),
      damage: async ({ descriptor, bytes }) => {
        await opened.objects.put(blobKey(descriptor.digest), Buffer.from(bytes).fill(1, 0, 1));
      },
      [Symbol.asyncDispose]: opened[Symbol.asyncDispose],
    };
  });

  imageSinkContract(
    name,
    async () => {
      const opened = await open();
      return {
        sink: registrySink(opened.registry, { label: 'here', repository: ({ path }) => path, indexes: 'sparse' }),
        read: async (reference) => registrySource(opened.registry, reference),
        [Symbol.asyncDispose]: opened[Symbol.asyncDispose],
      };
    },
    { keepsParts: open === inProcess, sharesPuts: open === inProcess },
  );
}
