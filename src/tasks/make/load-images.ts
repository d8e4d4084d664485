// `load` as one use case: what the items are, which nodes there are, and the images on them.
import { checkArguments, objectWith } from '../../oci/arguments.ts';
import { OPTIONS, SETTINGS, TEXTS } from '../arguments.ts';
import type { Settings } from '../settings.ts';
import type { LoadEvents, LoadedNode } from './load-nodes.ts';
import { type MakeItemOptions, type MakeRequest, makeItems } from './make-items.ts';

export interface LoadRequest extends MakeRequest {
  /** The name of a kind cluster, or the k3s of this machine; with `directory`, its data directory, of which k3s itself is not asked. */
  readonly cluster:
    | { readonly type: 'kind'; readonly name: string }
    | { readonly type: 'k3s'; readonly directory?: string };
}

export interface LoadOptions extends MakeItemOptions, LoadEvents {}

/**
 * Finds and builds what the items name, and puts it into a cluster that runs: for the platform of each node, and only what the node has not got. A node that fails
 * is in the result. Errors: those of `makeItems`; USAGE, NOT_RUNNING (no such cluster), NO_ACCESS (k3s needs root), PLATFORM_UNKNOWN, those of the transports.
 */
export async function loadImages(
  request: LoadRequest,
  settings: Settings,
  options: LoadOptions = {},
): Promise<readonly LoadedNode[]> {
  checkArguments({
    request: [request, objectWith({ items: TEXTS, imagesOf: TEXTS, cluster: objectWith({}) })],
    settings: [settings, SETTINGS],
    options: [options, OPTIONS],
  });
  const { cluster } = request;
  if (cluster.type === 'kind') {
    const { kindNodes } = await import('./kind-nodes.ts');
    const { loadNodes } = await import('./load-nodes.ts');
    // The cluster first: building what the items name may take long.
    const nodes = await kindNodes(cluster.name, settings);
    return await loadNodes(await makeItems(request, settings, options), nodes, settings, options);
  }
  const { loadK3s } = await import('./load-k3s.ts');
  return await loadK3s(await makeItems(request, settings, options), cluster.directory, settings, options);
}
