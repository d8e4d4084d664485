// `lreg_cache`, and the second half of `lreg_preload`: copies images from their hosts to the private registry in one plan.

import type { CopyImage, FailedImage } from '../../copy/copy-plan.ts';
import type { OnCopyEvent } from '../../copy/events.ts';
import { copyRun } from '../../copy/run.ts';
import { isImagesError } from '../../oci/errors.ts';
import { machinePlatform } from '../../oci/machine-platform.ts';
import type { PlatformChoice } from '../../oci/platform.ts';
import { type FullReference, formatReference } from '../../oci/reference.ts';
import { registrySource } from '../../transports/registry-source.ts';
import { type PrivateRegistry, privateSink } from '../private-registry/private-registry.ts';
import type { ImageHosts } from '../private-registry/registry-clients.ts';
import { alsoDebugged, callOptions, type TaskCall, type TaskEvents } from '../settings.ts';
import { expectedOf, type TransferResult } from '../transfer/transfer-result.ts';

export interface CacheOptions {
  /** Absent: the machine's platform. */
  readonly platforms?: PlatformChoice;
  readonly referrers?: boolean;
  /** Checks everything again, including what the registry already has. */
  readonly force?: boolean;
  /** Lists failures in the result. Without it the first failure is thrown. */
  readonly keepGoing?: boolean;
  /** Plans, but copies nothing. */
  readonly dryRun?: boolean;
  readonly onEvent?: OnCopyEvent;
}

export interface CacheEnds {
  readonly registry: PrivateRegistry;
  readonly hosts: ImageHosts;
  readonly settings: TaskCall & TaskEvents;
}

/** Errors: those of the hosts and of the registry; PLATFORM_UNKNOWN. */
export async function cacheImages(
  names: readonly FullReference[],
  { registry, hosts, settings }: CacheEnds,
  options: CacheOptions = {},
): Promise<TransferResult> {
  await using sink = await privateSink(registry);
  const { images, refused } = withSources(names, hosts, options);
  const onEvent = alsoDebugged('copy', settings, options.onEvent);
  const run = copyRun(sink, {
    keepGoing: options.keepGoing ?? false,
    ...(onEvent && { onEvent }),
    ...callOptions(settings),
  });
  const plan = await run.plan(images, {
    platforms: options.platforms ?? [machinePlatform()],
    platformsNamed: options.platforms !== undefined,
    referrers: options.referrers ?? false,
    force: options.force ?? false,
  });
  const planned = plan.images.map(({ image }) => image);
  if (options.dryRun)
    return { dryRun: true, planned, copied: [], ...expectedOf(plan), failed: [...refused, ...plan.failed] };
  const { copied, failed, requests, fetched, alreadyThere } = await run.execute(plan);
  return { dryRun: false, planned, copied, failed: [...refused, ...failed], requests, fetched, alreadyThere };
}

interface Sources {
  readonly images: readonly CopyImage[];
  readonly refused: readonly FailedImage[];
}

/** With `keepGoing`, an image that cannot have a source is listed as a failure. */
function withSources(names: readonly FullReference[], hosts: ImageHosts, { keepGoing }: CacheOptions): Sources {
  const images: CopyImage[] = [];
  const refused: FailedImage[] = [];
  for (const name of names) {
    try {
      images.push({ name, source: registrySource(hosts.registryOf(name), name) });
    } catch (error) {
      if (!keepGoing || !isImagesError(error)) throw error;
      refused.push({ name, image: formatReference(name), error });
    }
  }
  return { images, refused };
}
