// The message of a caught error, for the text of a warning.

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
