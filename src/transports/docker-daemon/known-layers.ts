// The layers that a Docker daemon has. When it loads an archive, it does not open a layer file if it has a layer with the same content on the same layers. This
// holds only for Docker's own store: containerd's, and podman behind Docker's API, need all files.
import { createLimiter } from '../../io/concurrency/limiter.ts';
import type { CallOptions } from '../../io/streams/bytes.ts';
import type { Digest } from '../../oci/digest.ts';
import { chainIds } from '../chain-ids.ts';
import type { DockerDaemon } from './daemon.ts';

/** Identifies a layer together with all those below it: `ChainID` of the OCI image specification, config.md. */
export type ChainId = Digest;

const AT_A_TIME = 8;
/** With more images, asking for each would take longer than sending most layers. */
const MOST_IMAGES = 2000;

/** The chainIDs of all layers of the daemon. Errors: the daemon's. */
export async function knownLayers(daemon: DockerDaemon, options: CallOptions = {}): Promise<ReadonlySet<ChainId>> {
  const { server } = await daemon.ping(options);
  if (!server.startsWith('Docker/') || (await daemon.usesContainerdStore(options))) return new Set();
  const images = (await daemon.listImages(options)).slice(0, MOST_IMAGES);
  const details = await createLimiter(AT_A_TIME).map(images, ({ id }) => daemon.inspectImage(id, options));
  return new Set(details.flatMap((image) => (image ? chainIds(image.diffIds) : [])));
}
