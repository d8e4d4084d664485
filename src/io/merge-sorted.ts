// Sorted streams as one: in byte order, each text once. No stream is read further than the reader of the result has come, but for one entry.

/** Of texts whose UTF-16 order is byte order, as names and tags are. */
export async function* mergeSorted(streams: readonly AsyncIterable<string>[]): AsyncGenerator<string> {
  const open = streams.map((stream) => stream[Symbol.asyncIterator]());
  try {
    const heads = await Promise.all(open.map(nextOf));
    for (;;) {
      const least = heads.reduce((a, b) => (a === undefined || (b !== undefined && b < a) ? b : a), undefined);
      if (least === undefined) return;
      yield least;
      for (const [at, head] of heads.entries()) {
        const stream = open[at];
        if (head === least && stream) heads[at] = await nextOf(stream);
      }
    }
  } finally {
    await Promise.all(open.map((stream) => stream.return?.()));
  }
}

async function nextOf(stream: AsyncIterator<string>): Promise<string | undefined> {
  const { done, value } = await stream.next();
  return done ? undefined : value;
}
