// What a copy will do, as data: which images, which blobs, from where.
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { ImagesError } from '../oci/errors.ts';
import type { PlatformChoice } from '../oci/platform.ts';
import type { Reference } from '../oci/reference.ts';
import type { ImageSource } from '../transports/contract.ts';
import type { OnCopyEvent } from './events.ts';
import type { Concurrency } from './limits.ts';
import type { ImageGraph } from './walk-image.ts';

export interface CopyImage {
  /** The name of the image at the destination. */
  readonly name: Reference;
  /** The name of the image in messages, if `name` means nothing to people. */
  readonly label?: string;
  readonly source: ImageSource;
}

/** What of each image is copied, and how thoroughly the destination is checked. */
export interface PlanChoices {
  readonly platforms: PlatformChoice;
  /** Whether the user named the platforms: then an image without an index that is for none of them is refused. */
  readonly platformsNamed?: boolean;
  /** Whether signatures and other referrers are copied, too. */
  readonly referrers?: boolean;
  /** Whether the destination is asked for every manifest and blob, also below manifests that it has. */
  readonly force?: boolean;
}

export interface PlanOptions extends PlanChoices {
  /** Images that fail are listed in the plan. If false, the first failure ends planning. */
  readonly keepGoing?: boolean;
  readonly concurrency?: Concurrency;
  readonly signal?: AbortSignal;
  readonly onEvent?: OnCopyEvent;
}

export interface PlannedImage extends CopyImage, ImageGraph {
  /** The name as text. */
  readonly image: string;
  /** Blobs that the destination lacks under this name, the largest first. */
  readonly lacking: readonly Descriptor[];
}

export interface PlannedBlob {
  readonly blob: Descriptor;
  /** Bytes of the blob that the destination has. Equal to its size if the blob only needs a link. */
  readonly present: number;
  /** The name of another image of this run that has the blob at the destination: it is mounted from there. */
  readonly from?: Reference;
}

export interface FailedImage {
  readonly image: string;
  readonly name: Reference;
  readonly error: ImagesError;
}

export interface CopyPlan {
  readonly images: readonly PlannedImage[];
  readonly failed: readonly FailedImage[];
  /** Each blob that at least one image lacks, once. */
  readonly blobs: ReadonlyMap<Digest, PlannedBlob>;
  /** Configs that planning has read and that are not fetched again. */
  readonly configs: ReadonlyMap<Digest, Uint8Array>;
  /** Bytes to fetch. */
  readonly bytes: number;
  /** Bytes of the images' blobs that the destination has. */
  readonly alreadyThere: number;
  /** Requests to sources: those made for planning, and one for each other blob to fetch. */
  readonly requests: number;
  /** The part of `requests` that is made already. */
  readonly requestsMade: number;
}
