// The layers that a Docker daemon has: it does not open a layer file of an archive that it loads where it has a layer of the same content over the same
// layers. Only so in Docker's own store: containerd's, and podman behind Docker's API, want all files.
import { createLimiter } from '../../io/concurrency/limiter.ts';
import type { CallOptions } from '../../io/streams/bytes.ts';
import { type Digest, digestOf } from '../../oci/digest.ts';
import type { DockerDaemon } from './daemon.ts';

/** A layer with all those below it: `ChainID` of the OCI image specification, config.md. */
export type ChainId = Digest;

const AT_A_TIME = 8;
/** Asking more of them would take longer than most layers. */
const MOST_IMAGES = 2000;

/** Of each layer from the base up. */
export function chainIds(diffIds: readonly Digest[]): readonly ChainId[] {
  const chain: ChainId[] = [];
  for (const diffId of diffIds) {
    const below = chain.at(-1);
    chain.push(below === undefined ? diffId : digestOf(Buffer.from(`${below} ${diffId}`)));
  }
  return chain;
}

/** Errors: the daemon's. */
export async function knownLayers(daemon: DockerDaemon, options: CallOptions = {}): Promise<ReadonlySet<ChainId>> {
  const { server } = await daemon.ping(options);
  if (!server.startsWith('Docker/') || (await daemon.usesContainerdStore(options))) return new Set();
  const images = (await daemon.listImages(options)).slice(0, MOST_IMAGES);
  const details = await createLimiter(AT_A_TIME).map(images, ({ id }) => daemon.inspectImage(id, options));
  return new Set(details.flatMap((image) => (image ? chainIds(image.diffIds) : [])));
}
