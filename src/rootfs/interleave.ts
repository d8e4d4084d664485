// Interleaves several streams in one output, without splitting what must stay together. Each stream is read ahead, so that all progress while a long piece
// of one is written. The order depends only on how much each has delivered, never on which is ready: equal streams give equal bytes.
import type { Bytes } from '../io/streams/bytes.ts';

export interface Piece {
  readonly chunks: readonly Uint8Array[];
  /** Whether a piece of another stream may follow. This must not depend on how the stream was divided into chunks. */
  readonly whole: boolean;
}

export interface InterleaveOptions {
  /** The most streams that are open at a time. */
  readonly most: number;
  /** How far each stream is read ahead, in bytes. */
  readonly ahead: number;
}

interface Running {
  readonly iterator: AsyncIterator<Piece>;
  readonly pieces: Piece[];
  /** Bytes in `pieces`. */
  held: number;
  /** Bytes delivered, possibly adjusted. The stream with the least is next. */
  given: number;
  filling: boolean;
  ended: boolean;
  failure?: { readonly error: unknown };
}

/** Closes all streams when it ends, for whatever reason. */
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
    const given = behind(running)?.given ?? 0;
    const iterator = waiting.shift()?.()[Symbol.asyncIterator]();
    if (iterator) running.add({ iterator, pieces: [], held: 0, given, filling: false, ended: false });
  };
  const give = (stream: Running, piece: Piece): void => {
    const size = sizeOf(piece);
    stream.held -= size;
    stream.given += size;
    // After a long piece of one stream, the others get turns only for what they have read ahead; otherwise the long one would afterwards be read alone.
    for (const other of running) other.given = Math.max(other.given, stream.given - ahead);
  };

  try {
    let midway: Running | undefined;
    for (;;) {
      while (running.size < most && waiting.length > 0) begin();
      for (const stream of running) void fill(stream);
      const turn = midway ?? behind(running);
      if (!turn) return;
      const piece = turn.pieces.shift();
      if (piece) {
        give(turn, piece);
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

/** The stream that has delivered least; of equals, the one that started first. */
function behind(running: ReadonlySet<Running>): Running | undefined {
  let last: Running | undefined;
  for (const stream of running) if (!last || stream.given < last.given) last = stream;
  return last;
}

function sizeOf({ chunks }: Piece): number {
  return chunks.reduce((sum, { length }) => sum + length, 0);
}
