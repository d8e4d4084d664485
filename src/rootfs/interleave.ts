// Several streams written into one, in turns; none is interrupted in the middle of what must stay together. Each is read ahead, so that all go on while a long
// piece of one is written. Whose turn it is depends on how much each has given, never on which is ready: the same streams always give the same bytes.
import type { Bytes } from '../io/streams/bytes.ts';

export interface Piece {
  readonly chunks: readonly Uint8Array[];
  /** Another stream's piece may follow. Where that is must not depend on how a stream happens to be divided. */
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
  /** Bytes, or as many as it is taken to have given: who has given least is next. */
  given: number;
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
    const given = behind(running)?.given ?? 0;
    const iterator = waiting.shift()?.()[Symbol.asyncIterator]();
    if (iterator) running.add({ iterator, pieces: [], held: 0, given, filling: false, ended: false });
  };
  const give = (stream: Running, piece: Piece): void => {
    const size = sizeOf(piece);
    stream.held -= size;
    stream.given += size;
    // After a long piece of one the others have their turns for as long as what was read ahead of them lasts, or it would be read alone after that.
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

/** Of equals the one that was begun first. */
function behind(running: ReadonlySet<Running>): Running | undefined {
  let last: Running | undefined;
  for (const stream of running) if (!last || stream.given < last.given) last = stream;
  return last;
}

function sizeOf({ chunks }: Piece): number {
  return chunks.reduce((sum, { length }) => sum + length, 0);
}
