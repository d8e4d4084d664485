// Who reads our output has gone (`images lreg_ls | head -1`).

export function isBrokenPipe(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | undefined)?.code === 'EPIPE';
}
