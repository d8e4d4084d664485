// Merges sorted streams into one: in byte order, without duplicates. Each stream is read at most one entry ahead of the consumer.

/** For texts whose UTF-16 order is byte order, as it is for names and tags. */
export function mergeSorted(streams: readonly AsyncIterable<string>[]): AsyncGenerator<string> {
  return mergeSortedBy((text) => text, streams);
}

/** For things sorted by such a text. If several have the same text, the first stream's is taken. */
export async function* mergeSortedBy<T>(
  textOf: (item: T) => string,
  streams: readonly AsyncIterable<T>[],
): AsyncGenerator<T> {
  const open = streams.map((stream) => stream[Symbol.asyncIterator]());
  try {
    const next = async (stream: AsyncIterator<T>): Promise<Head<T> | undefined> => {
      const { done, value } = await stream.next();
      return done ? undefined : { item: value, text: textOf(value) };
    };
    const heads = await Promise.all(open.map(next));
    for (;;) {
      const least = heads.reduce(
        (a, b) => (a === undefined || (b !== undefined && b.text < a.text) ? b : a),
        undefined,
      );
      if (least === undefined) return;
      yield least.item;
      for (const [at, head] of heads.entries()) {
        const stream = open[at];
        if (head?.text === least.text && stream) heads[at] = await next(stream);
      }
    }
  } finally {
    await Promise.all(open.map((stream) => stream.return?.()));
  }
}

interface Head<T> {
  readonly item: T;
  readonly text: string;
}
