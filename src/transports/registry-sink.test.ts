import { describe, expect, it } from 'vitest';
import { digestOf } from '../oci/digest.ts';
import type { Bytes, Registry } from '../registry/contract.ts';
import { blobKey } from '../storage/layout.ts';
import { createMemoryObjectStore } from '../storage/memory-object-store.ts';
import { storedRegistry } from '../storage/stored-registry.ts';
import { registrySink } from './registry-sink.ts';

const bytes = Buffer.from('a layer');
const layer = { mediaType: 'application/octet-stream', digest: digestOf(bytes), size: bytes.length };
const name = { path: 'app', tag: '1' };

async function* content(): Bytes & AsyncGenerator<Uint8Array> {
  yield bytes;
}

describe('a registry as a sink', () => {
  it('lacks a blob that a disk cut short, and mends it', async () => {
    const objects = createMemoryObjectStore();
    const registry = storedRegistry(objects);
    const sink = registrySink(registry, { label: 'here', repository: ({ path }) => path, indexes: 'sparse' });
    await sink.putBlob(name, layer, async () => content());
    expect(await sink.missing(name, [layer])).toEqual(new Map());

    await objects.put(blobKey(layer.digest), bytes.subarray(0, 3));
    expect(await sink.missing(name, [layer])).toEqual(new Map([[layer.digest, 0]]));
    await sink.putBlob(name, layer, async () => content());
    expect(await registry.statBlob('app', layer.digest)).toMatchObject({ size: bytes.length });
  });

  it('tells the registry once what it knows to be lacking, and nothing where it has not asked', async () => {
    const registry = storedRegistry(createMemoryObjectStore());
    const told: (boolean | undefined)[] = [];
    const listening: Registry = {
      ...registry,
      putBlob: async (repository, blob, open, options) => {
        told.push(options?.lacking);
        await registry.putBlob(repository, blob, open, options);
      },
    };
    const sink = registrySink(listening, { label: 'here', repository: ({ path }) => path, indexes: 'sparse' });
    await sink.missing(name, [layer]);
    await sink.putBlob(name, layer, async () => content());
    await sink.putBlob(name, layer, async () => content());
    await sink.putBlob({ path: 'other' }, layer, async () => content());
    expect(told).toEqual([true, false, false]);
  });
});
