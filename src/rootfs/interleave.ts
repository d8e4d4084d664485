// Several streams written into one, whoever is ready first; none is interrupted in the middle of what must stay together.
import type { Bytes } from '../registry/contract.ts';

export interface Piece {
  readonly chunks: readonly Uint8Array[];
  /** Another stream's piece may follow. */
  readonly whole: boolean;
}

interface Running {
  readonly iterator: AsyncIterator<Piece>;
  next: Promise<Turn>;
}

interface Turn {
  readonly running: Running;
  readonly result: IteratorResult<Piece, unknown>;
}

/** Opens at most `most` at a time. All are closed when it ends, whatever the reason. */
export async function* interleaved(
  streams: readonly (() => AsyncIterable<Piece>)[],
  most: number,
): Bytes & AsyncGenerator<Uint8Array> {
  const waiting = [...streams];
  const running = new Set<Running>();
  const begin = (): void => {
    const open = waiting.shift();
    if (!open) return;
    const iterator = open()[Symbol.asyncIterator]();
    const stream: Running = { iterator, next: Promise.reject(new Error('not begun')) };
    stream.next.catch(() => {});
    ask(stream);
    running.add(stream);
  };
  try {
    while (running.size < most && waiting.length > 0) begin();
    let turn = running.size > 0 ? await firstReady(running) : undefined;
    while (turn) {
      const { running: stream, result } = turn;
      if (result.done) {
        running.delete(stream);
        begin();
        turn = running.size > 0 ? await firstReady(running) : undefined;
        continue;
      }
      // The next piece is on its way while this one is written.
      ask(stream);
      yield* result.value.chunks;
      turn = result.value.whole ? await firstReady(running) : await stream.next;
    }
  } finally {
    await Promise.allSettled([...running].map(({ iterator }) => iterator.return?.()));
  }
}

function ask(stream: Running): void {
  stream.next = stream.iterator.next().then((result) => ({ running: stream, result }));
  // A failure is met when it is this stream's turn.
  stream.next.catch(() => {});
}

function firstReady(running: ReadonlySet<Running>): Promise<Turn> {
  return Promise.race([...running].map(({ next }) => next));
}
