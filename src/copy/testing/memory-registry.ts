// A whole registry in memory: the product's own, over the object store in memory.
import type { Registry } from '../../registry/contract.ts';
import { memoryStore } from '../../storage/drivers/staged-store.ts';
import { storedRegistry } from '../../storage/repositories/stored-registry.ts';
import type { ImageSink } from '../../transports/contract.ts';
import { registrySink } from '../../transports/registry-sink.ts';

export function memoryRegistry(): Registry {
  return storedRegistry(memoryStore());
}

/** A sink that puts an image under its path. */
export function sinkInto(registry: Registry, indexes: 'sparse' | 'complete' = 'sparse'): ImageSink {
  return registrySink(registry, { label: 'the destination', repository: (name) => name.path, indexes });
}
