// Several streams written into one, whoever has most to give first; none is interrupted in the middle of what must stay together. Each is read ahead, so that
// all go on while a long piece of one is written.
import type { Bytes } from '../registry/contract.ts';

export interface Piece {
  readonly chunks: readonly Uint8Array[];
  /** Another stream's piece may follow. */
  readonly whole: boolean;
}

export interface InterleaveOptions {
  /** Streams that are open at a time. */
  readonly most: number;
  /** What is read of each ahead of its turn, in bytes. */
  readonly ahead: number;
}

interface Running {
  readonly iterator: AsyncIterator<Piece>;
  readonly pieces: Piece[];
  /** Bytes of `pieces`. */
  held: number;
  filling: boolean;
  ended: boolean;
  failure?: { readonly error: unknown };
}

/** All are closed when it ends, whatever the reason. */
export async function* interleaved(
  streams: readonly (() => AsyncIterable<Piece>)[],
  { most, ahead }: InterleaveOptions,
): Bytes & AsyncGenerator<Uint8Array> {
  const waiting = [...streams];
  const running = new Set<Running>();
  let news = Promise.withResolvers<void>();

  const fill = async (stream: Running): Promise<void> => {
    if (stream.filling) return;
    stream.filling = true;
    try {
      while (!stream.ended && stream.held < ahead) {
        const { done, value } = await stream.iterator.next();
        if (done) stream.ended = true;
        else {
          stream.pieces.push(value);
          stream.held += sizeOf(value);
        }
        news.resolve();
      }
    } catch (error) {
      stream.ended = true;
      stream.failure = { error };
      news.resolve();
    }
    stream.filling = false;
  };
  const begin = (): void => {
    const iterator = waiting.shift()?.()[Symbol.asyncIterator]();
    if (iterator) running.add({ iterator, pieces: [], held: 0, filling: false, ended: false });
  };

  try {
    let midway: Running | undefined;
    for (;;) {
      while (running.size < most && waiting.length > 0) begin();
      for (const stream of running) void fill(stream);
      const turn = midway ?? fullest(running);
      if (!turn) return;
      const piece = turn.pieces.shift();
      if (piece) {
        turn.held -= sizeOf(piece);
        midway = piece.whole ? undefined : turn;
        yield* piece.chunks;
      } else if (turn.failure) {
        throw turn.failure.error;
      } else if (turn.ended) {
        midway = undefined;
        running.delete(turn);
      } else {
        await news.promise;
        news = Promise.withResolvers();
      }
    }
  } finally {
    await Promise.allSettled([...running].map(({ iterator }) => iterator.return?.()));
  }
}

/** One that has ended counts before one that has nothing yet. */
function fullest(running: ReadonlySet<Running>): Running | undefined {
  let best: Running | undefined;
  for (const stream of running) {
    if (!best || stream.held > best.held || (stream.held === best.held && stream.ended)) best = stream;
  }
  return best;
}

function sizeOf({ chunks }: Piece): number {
  return chunks.reduce((sum, { length }) => sum + length, 0);
}
