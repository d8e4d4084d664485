// Layers that emit events when they are read.
import type { OnCopyEvent } from '../../copy/events.ts';
import { tapped } from '../../io/streams/verify.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Layer } from '../../rootfs/contract.ts';

/** For a run whose plan has been emitted already. */
export function watchedLayers(layers: readonly Layer[], onEvent: OnCopyEvent | undefined): readonly Layer[] {
  if (!onEvent) return layers;
  return layers.map((layer) => {
    const { digest, size } = layer.descriptor;
    const open: Layer['open'] = async (call) => {
      const body = await layer.open(call);
      onEvent({ type: 'blob', digest, size, from: 0 });
      let bytes = 0;
      return tapped(body, (chunk) => {
        bytes += chunk.length;
        onEvent({ type: 'progress', digest, bytes });
      });
    };
    return { ...layer, open };
  });
}

/** For a run without a plan: the total grows with each layer that is opened. A layer that is read again counts again. */
export function plannedLayers(layers: readonly Layer[], onEvent: OnCopyEvent | undefined): readonly Layer[] {
  if (!onEvent) return layers;
  const planned = new Map<Digest, number>();
  return watchedLayers(layers, (event) => {
    if (event.type === 'blob') {
      planned.set(event.digest, event.size);
      const bytes = [...planned.values()].reduce((sum, one) => sum + one, 0);
      onEvent({ type: 'plan', images: 1, blobs: planned.size, bytes, alreadyThere: 0 });
    }
    onEvent(event);
  });
}
