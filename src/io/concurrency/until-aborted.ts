// Waiting for shared work: when one caller is aborted, the work goes on for the others.

/** The result of the work. Errors: those of the work; the signal's reason, as soon as it fires. */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  // If this caller is aborted, nobody else may await the work: its rejection must not count as unhandled.
  work.catch(() => {});
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const give = () => reject(signal.reason);
  signal.addEventListener('abort', give, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', give);
  }
}
