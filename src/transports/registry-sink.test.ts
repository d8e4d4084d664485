import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../../test/peers/temporary.ts';
import type { Bytes, OpenContent } from '../io/streams/bytes.ts';
import { digestOf } from '../oci/digest.ts';
import type { Registry } from '../registry/contract.ts';
import { memoryStore } from '../storage/drivers/staged-store.ts';
import { blobKey } from '../storage/layout/registry-keys.ts';
import { storedRegistry } from '../storage/repositories/stored-registry.ts';
import { mountSources } from './mount-sources.ts';
import { registrySink } from './registry-sink.ts';

const bytes = Buffer.from('a layer');
const layer = { mediaType: 'application/octet-stream', digest: digestOf(bytes), size: bytes.length };
const name = { path: 'app', tag: '1' };

async function* one(chunk: Uint8Array): Bytes & AsyncGenerator<Uint8Array> {
  yield chunk;
}

describe('a registry as a sink', () => {
  it('lacks a blob that was truncated, and repairs it', async () => {
    const store = memoryStore();
    const registry = storedRegistry(store);
    const sink = registrySink(registry, { label: 'here', repository: ({ path }) => path, indexes: 'sparse' });
    await sink.putBlob(name, layer, async () => one(bytes));
    expect(await sink.missing(name, [layer])).toEqual(new Map());

    await store.objects.put(blobKey(layer.digest), bytes.subarray(0, 3));
    expect(await sink.missing(name, [layer])).toEqual(new Map([[layer.digest, 0]]));
    await sink.putBlob(name, layer, async () => one(bytes));
    expect(await registry.statBlob('app', layer.digest)).toMatchObject({ size: bytes.length });
  });

  describe('that knows where blobs of its registry are', () => {
    const large = Buffer.alloc(100_000, 'large');
    const blob = { ...layer, digest: digestOf(large), size: large.length };
    const content: OpenContent = async () => one(large);

    /** A registry in which `base` has the blob. `asked` lists the requested mounts. */
    async function known(mount: () => boolean) {
      const registry = storedRegistry(memoryStore());
      await registry.putBlob('base', blob, content);
      const asked: (string | undefined)[] = [];
      const watched: Registry = {
        ...registry,
        async mountBlob(repository, digest, from) {
          asked.push(from);
          return mount() && (await registry.mountBlob(repository, digest, from));
        },
      };
      const cache = await temporaryDirectory('transports');
      const sink = (besides?: string) =>
        registrySink(watched, {
          label: 'here',
          repository: ({ path }) => path,
          indexes: 'complete',
          mountSources: mountSources({
            directory: cache.path,
            host: 'here:5000',
            ...(besides !== undefined && { besides }),
          }),
        });
      /** Puts the blob in a separate run. */
      const put = async (path: string, open: OpenContent, besides?: string): Promise<void> => {
        await using opened = sink(besides);
        await opened.putBlob({ path }, blob, open);
      };
      return { asked, sink, put, registry, [Symbol.asyncDispose]: () => cache[Symbol.asyncDispose]() };
    }

    const never: OpenContent = async () => {
      throw new Error('its bytes are asked for');
    };

    it('mounts from where it put the blob in an earlier run, and asks for no bytes', async () => {
      await using setting = await known(() => true);
      await setting.put('first', content);
      await setting.put('second', never);
      expect(setting.asked).toEqual(['first']);
      expect(await setting.registry.statBlob('second', blob.digest)).toMatchObject({ size: blob.size });
    });

    it('mounts from the repository that the image comes from', async () => {
      await using setting = await known(() => true);
      await setting.put('app', never, 'base');
      expect(setting.asked).toEqual(['base']);
    });

    it('puts what is not there any more, and does not ask there again', async () => {
      await using setting = await known(() => false);
      await setting.put('first', content);
      await setting.put('second', content);
      await setting.put('second', content);
      expect(setting.asked).toEqual(['first']);
      expect(await setting.registry.statBlob('second', blob.digest)).toMatchObject({ size: blob.size });
    });

    it('says from where it has mounted the blob, or could not', async () => {
      for (const mounts of [true, false]) {
        await using setting = await known(() => mounts);
        await using sink = setting.sink('base');
        const told: unknown[] = [];
        const onMount = (...mount: readonly unknown[]) => void told.push(mount);
        await sink.putBlob({ path: 'app' }, blob, content, { onMount });
        expect(told).toEqual([['base', mounts]]);
      }
    });

    it('tries only one of several repositories, because a second attempt would cost a request', async () => {
      await using setting = await known(() => false);
      await setting.put('first', content);
      await setting.put('second', content, 'base');
      expect(setting.asked).toEqual(['base']);
    });

    it('does not try a mount again that has failed', async () => {
      await using setting = await known(() => false);
      await using sink = setting.sink('base');
      expect(await sink.mountBlob({ path: 'app' }, blob, { path: 'elsewhere' })).toBe(false);
      await sink.putBlob({ path: 'app' }, blob, content);
      expect(setting.asked).toEqual(['elsewhere']);
    });

    it('sends small blobs, because that costs no more than a mount', async () => {
      await using setting = await known(() => true);
      await setting.sink('base').putBlob({ path: 'app' }, layer, async () => one(bytes));
      expect(setting.asked).toEqual([]);
    });
  });
});
