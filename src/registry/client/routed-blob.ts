// A blob that several routes may have. If a transfer breaks off at one, the next continues it. A route whose bytes were wrong is not asked for this blob again.
import type { Digest } from '../../oci/digest.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import type { BlobContent, BlobOptions } from '../contract.ts';
import { type OpenedBlob, selfVerifying } from './self-verifying.ts';

export interface Turn<Route> {
  readonly result: OpenedBlob;
  /** The route that answered. */
  readonly route: Route;
  /** The routes after it. */
  readonly rest: readonly Route[];
}

export interface RoutedBlob<Route> {
  readonly digest: Digest;
  readonly options: BlobOptions;
  readonly routes: readonly Route[];
  /** Opens the blob at the first route that has it; fails with the error of the last one. */
  open(routes: readonly Route[], options: BlobOptions): Promise<Turn<Route>>;
  /** Called when a route fails after it has sent bytes. */
  onBroken(route: Route, error: ImagesError): void;
  /** Called when the bytes of a route were wrong. Returns whether other routes will be asked for the blob from now on. */
  spoil(route: Route, error: ImagesError): boolean;
}

/** Opens the blob. Errors: those of the last route. */
export async function routedBlob<Route>(blob: RoutedBlob<Route>): Promise<BlobContent> {
  const { digest, options } = blob;
  const from = options.from ?? 0;
  const first = await blob.open(blob.routes, options);
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
        blob.onBroken(turn.route, error);
        turn = await blob.open(turn.rest, { ...options, from: at, size: descriptor.size });
        turns.push(turn);
      }
    }
  }

  const provedWrong = (error: ImagesError): boolean => {
    // If several routes sent parts, the wrong bytes may be from any of them.
    const outcomes = turns.map(({ route, result }) => {
      const otherwise = result.provedWrong?.(error) ?? false;
      return otherwise || blob.spoil(route, error);
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
