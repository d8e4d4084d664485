// Errors of `await using`, where closing fails after a failure.

export interface TwoErrors extends Error {
  /** The later one: of closing. */
  readonly error: unknown;
  /** The earlier one. */
  readonly suppressed: unknown;
}

/** Whether it is a SuppressedError. Node 22 has no such class: there, the bundle makes an Error with these fields. */
export function isSuppressedError(error: unknown): error is TwoErrors {
  return error instanceof Error && error.name === 'SuppressedError' && 'error' in error && 'suppressed' in error;
}
