// Output of commands whose exit status is an answer: the status stays correct if the reader stops reading (`images check IMAGE | head -1`).
import type { Context } from '../process/context.ts';

/** Waits for output, and ignores EPIPE. Errors: others of standard output. */
export async function whoeverReads(output: Promise<void>): Promise<void> {
  try {
    await output;
  } catch (error) {
    if (!isBrokenPipe(error)) throw error;
  }
}

export interface OutQueue {
  /** Queues text, and returns at once. */
  add(text: string): void;
  /** Errors: the first error of standard output. */
  flushed(): Promise<void>;
}

/** Queues output of callbacks that are not awaited. */
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

/** Whether the reader of stdout has gone (`images lreg_ls | head -1`). */
export function isBrokenPipe(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | undefined)?.code === 'EPIPE';
}
