// What a caught error says, for a warning's text.

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
