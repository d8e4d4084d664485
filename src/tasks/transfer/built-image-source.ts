// An image that was built here, as a source: for `mkimage --upload` and for every command that takes the name of an image.
import type { Digest } from '../../oci/digest.ts';
import { formatReference, type Reference } from '../../oci/reference.ts';
import { builtImages } from '../../storage/builds/built-images.ts';
import { storedIndex } from '../../storage/builds/layer-indexes.ts';
import type { EmbeddedStore } from '../../storage/embedded-store.ts';
import type { ImageSource } from '../../transports/contract.ts';
import { registrySource } from '../../transports/registry-source.ts';

export interface BuiltImageSource extends AsyncDisposable {
  readonly source: ImageSource;
  readonly name: Reference;
  readonly indexOf: (digest: Digest) => ReturnType<typeof storedIndex>;
}

/** Returns `undefined` if no image of this name was built. */
export async function builtImageSource(name: Reference, store: EmbeddedStore): Promise<BuiltImageSource | undefined> {
  const images = builtImages(store);
  const digest = name.digest ? undefined : await images.find(name);
  if (!digest) return undefined;
  const source = registrySource(images.reader, { path: name.path, digest }, { label: formatReference(name) });
  return {
    source,
    name,
    indexOf: (layer) => storedIndex(store.objects, layer),
    async [Symbol.asyncDispose]() {},
  };
}
