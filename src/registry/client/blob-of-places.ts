// A blob that may be had at several places: what one breaks off, the next goes on with; one whose bytes prove wrong is asked for it no more.
import type { Digest } from '../../oci/digest.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import type { BlobContent, BlobOptions } from '../contract.ts';
import { type OpenedBlob, selfVerifying } from './self-verifying.ts';

export interface Turn<Place> {
  readonly result: OpenedBlob;
  /** Who gave it. */
  readonly place: Place;
  /** Those after it. */
  readonly rest: readonly Place[];
}

export interface BlobOfPlaces<Place> {
  readonly digest: Digest;
  readonly options: BlobOptions;
  readonly places: readonly Place[];
  /** Opens it at the first of them that has it; fails as the last one does. */
  open(places: readonly Place[], options: BlobOptions): Promise<Turn<Place>>;
  /** Told of what went wrong at a place that has given bytes already. */
  onBroken(place: Place, error: ImagesError): void;
  /** Its bytes were wrong. True where the blob will be asked for elsewhere from now on. */
  spoil(place: Place, error: ImagesError): boolean;
}

/** Errors: those of the last place. */
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
    // Where several have given a part, each may be the one.
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

/** Errors: SIZE_INVALID where it is there in another length than the caller knows it to have. */
export async function requireLength(opened: OpenedBlob, { size }: BlobOptions): Promise<OpenedBlob> {
  const { descriptor, body, sender } = opened;
  if (size === undefined || descriptor.size === size) return opened;
  await body[Symbol.asyncIterator]().return?.();
  throw new ImagesError(
    'SIZE_INVALID',
    `${sender} has ${descriptor.size} bytes of a blob, expected ${size} [${descriptor.digest}]`,
  );
}
