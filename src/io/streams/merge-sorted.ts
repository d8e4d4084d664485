// Sorted streams as one: in byte order, each text once. No stream is read further than the reader of the result has come, but for one entry.

/** Of texts whose UTF-16 order is byte order, as names and tags are. */
export function mergeSorted(streams: readonly AsyncIterable<string>[]): AsyncGenerator<string> {
  return mergeSortedBy((text) => text, streams);
}

/** Of things in the order of such texts; of several with the same text, that of the first stream. */
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
