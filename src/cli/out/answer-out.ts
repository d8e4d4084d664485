// Output of commands whose exit status is an answer: it stays one when nobody reads on (`images check IMAGE | head -1`).
import type { Context } from '../process/context.ts';

/** Waits for output; that its reader has gone is no failure. Errors: others of standard output. */
export async function whoeverReads(output: Promise<void>): Promise<void> {
  try {
    await output;
  } catch (error) {
    if (!isBrokenPipe(error)) throw error;
  }
}

export interface OutQueue {
  /** Does not wait. */
  add(text: string): void;
  /** Errors: the first one of standard output. */
  flushed(): Promise<void>;
}

/** Text from callbacks that nobody waits for. */
export function outQueue(context: Pick<Context, 'out'>): OutQueue {
  let failure: { readonly error: unknown } | undefined;
  let written = Promise.resolve();
  const write = async (text: string): Promise<void> => {
    if (!failure) await whoeverReads(context.out(text));
  };
  return {
    add(text) {
      written = written
        .then(() => write(text))
        .catch((error: unknown) => {
          failure ??= { error };
        });
    },
    async flushed() {
      await written;
      if (failure) throw failure.error;
    },
  };
}

/** Who reads our output has gone (`images lreg_ls | head -1`). */
export function isBrokenPipe(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | undefined)?.code === 'EPIPE';
}
