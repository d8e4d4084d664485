// A blob that several places may have. If a transfer breaks off at one, the next continues it. A place whose bytes were wrong is not asked for this blob again.
import type { Digest } from '../../oci/digest.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import type { BlobContent, BlobOptions } from '../contract.ts';
import { type OpenedBlob, selfVerifying } from './self-verifying.ts';

export interface Turn<Place> {
  readonly result: OpenedBlob;
  /** The place that answered. */
  readonly place: Place;
  /** The places after it. */
  readonly rest: readonly Place[];
}

export interface BlobOfPlaces<Place> {
  readonly digest: Digest;
  readonly options: BlobOptions;
  readonly places: readonly Place[];
  /** Opens the blob at the first place that has it; fails with the error of the last one. */
  open(places: readonly Place[], options: BlobOptions): Promise<Turn<Place>>;
  /** Called when a place fails after it has sent bytes. */
  onBroken(place: Place, error: ImagesError): void;
  /** Called when the bytes of a place were wrong. Returns whether other places will be asked for the blob from now on. */
  spoil(place: Place, error: ImagesError): boolean;
}

/** Opens the blob. Errors: those of the last place. */
export async function blobOfPlaces<Place>(blob: BlobOfPlaces<Place>): Promise<BlobContent> {
  const { digest, options } = blob;
  const from = options.from ?? 0;
  const first = await blob.open(blob.places, options);
  const { descriptor } = first.result;
  const turns = [first];

  async function* body(): AsyncGenerator<Uint8Array> {
    let turn = first;
    for (let at = from; ; ) {
      try {
        for await (const chunk of turn.result.body) {
          at += chunk.length;
          yield chunk;
        }
        return;
      } catch (error) {
        options.signal?.throwIfAborted();
        if (turn.rest.length === 0 || !isImagesError(error)) throw error;
        blob.onBroken(turn.place, error);
        turn = await blob.open(turn.rest, { ...options, from: at, size: descriptor.size });
        turns.push(turn);
      }
    }
  }

  const provedWrong = (error: ImagesError): boolean => {
    // If several places sent parts, the wrong bytes may be from any of them.
    const outcomes = turns.map(({ place, result }) => {
      const otherwise = result.provedWrong?.(error) ?? false;
      return otherwise || blob.spoil(place, error);
    });
    return outcomes.includes(true);
  };
  return selfVerifying(
    { descriptor: { ...descriptor, digest }, body: body(), sender: first.result.sender, provedWrong },
    options,
  );
}

/** Errors: SIZE_INVALID if the size is not the one that the caller expects. */
export async function requireLength(opened: OpenedBlob, { size }: BlobOptions): Promise<OpenedBlob> {
  const { descriptor, body, sender } = opened;
  if (size === undefined || descriptor.size === size) return opened;
  await body[Symbol.asyncIterator]().return?.();
  throw new ImagesError(
    'SIZE_INVALID',
    `${sender} has ${descriptor.size} bytes of a blob, expected ${size} [${descriptor.digest}]`,
  );
}
