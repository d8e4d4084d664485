// An image that nobody else has: a node that gets it has it from the private registry.
import { randomBytes } from 'node:crypto';
import { oneChunk } from '../../io/streams/one-chunk.ts';
import { digestOf } from '../../oci/digest.ts';
import { isImagesError } from '../../oci/errors.ts';
import { machinePlatform } from '../../oci/machine-platform.ts';
import { rawManifest } from '../../oci/manifest.ts';
import { OCI_CONFIG, OCI_LAYER, OCI_MANIFEST } from '../../oci/media-types.ts';
import { wholeSeconds } from '../../tar/time.ts';
import { writeTar } from '../../tar/writer.ts';
import type { PrivateRegistry } from '../private-registry/private-registry.ts';
import { removeImage } from '../private-registry/remove-image.ts';
import type { Settings } from '../settings.ts';

export interface TestImage extends AsyncDisposable {
  /** `node-check/…:1`, without a host: none is recorded, so it is found under each. */
  readonly name: string;
}

/** Disposing removes it, also when the signal has ended the work; if the registry deletes nothing, a note says that it stays. Errors: those of a push. */
export async function putTestImage(registry: PrivateRegistry, settings: Settings): Promise<TestImage> {
  const id = randomBytes(8).toString('hex');
  const repository = `node-check/${id}`;
  const layer = Buffer.concat(await Array.fromAsync(writeTar([fileOf(id)])));
  const { os, architecture } = machinePlatform();
  const config = Buffer.from(
    JSON.stringify({ os, architecture, config: {}, rootfs: { type: 'layers', diff_ids: [digestOf(layer)] } }),
  );
  const described = (mediaType: string, bytes: Uint8Array) => ({
    mediaType,
    digest: digestOf(bytes),
    size: bytes.length,
  });
  const blobs = [
    [described(OCI_CONFIG, config), config],
    [described(OCI_LAYER, layer), layer],
  ] as const;
  for (const [blob, bytes] of blobs)
    await registry.registry.putBlob(repository, blob, async (from) => oneChunk(bytes.subarray(from)));
  const [[first], [second]] = blobs;
  const manifest = { schemaVersion: 2, mediaType: OCI_MANIFEST, config: first, layers: [second] };
  await registry.registry.putManifest(repository, rawManifest(Buffer.from(JSON.stringify(manifest))), ['1']);
  return {
    name: `${repository}:1`,
    [Symbol.asyncDispose]: () => removed(repository, registry, settings),
  };
}

async function removed(path: string, registry: PrivateRegistry, { onNote }: Settings): Promise<void> {
  try {
    await removeImage({ path, tag: '1' }, registry, {});
  } catch (error) {
    if (!isImagesError(error)) throw error;
    onNote?.(`The image of the test pulls stays in the private registry [${path}]: ${error.message}.`);
  }
}

function fileOf(id: string) {
  const bytes = Buffer.from(`${id}\n`);
  return {
    name: 'node-check',
    type: 'file',
    size: bytes.length,
    mode: 0o644,
    uid: 0,
    gid: 0,
    mtime: wholeSeconds(1),
    linkname: '',
    device: { major: 0, minor: 0 },
    xattrs: new Map<string, Uint8Array>(),
    body: oneChunk(bytes),
  } as const;
}
