// bcrypt in a thread of its own: some 130 ms for a password, in which the thread that serves would answer nobody. The thread runs this same file, as source or
// bundled (the bundler keeps it in a file of its own), so it imports nothing but node:worker_threads at the top.
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

/** One question at a time is answered, in the order of asking. */
export interface BcryptThread extends Disposable {
  /** Whether this is the password of a hash. Rejects if the thread ends meanwhile; the next question starts another. */
  compare(password: string, hash: string): Promise<boolean>;
}

interface Question {
  readonly id: number;
  readonly password: string;
  readonly hash: string;
}

interface Answer {
  readonly id: number;
  readonly isRight: boolean;
}

interface Waiting {
  readonly resolve: (isRight: boolean) => void;
  readonly reject: (error: Error) => void;
}

/** Threads of others (of a test runner, say) load this file too. */
const ROLE = 'images: bcrypt';

if (!isMainThread && workerData?.role === ROLE) void answerQuestions();

/** The thread starts at once: later its file may have been replaced by that of a newer program. It does not keep the process alive unless somebody waits. */
export function startBcryptThread(): BcryptThread {
  let worker: Worker | undefined;
  let asked = 0;
  const waiting = new Map<number, Waiting>();

  const settle = (id: number, how: (one: Waiting) => void): void => {
    const one = waiting.get(id);
    waiting.delete(id);
    if (waiting.size === 0) worker?.unref();
    if (one) how(one);
  };
  const start = (): Worker => {
    const started = new Worker(new URL(import.meta.url), { workerData: { role: ROLE } });
    const ended = (error: Error): void => {
      if (worker !== started) return;
      worker = undefined;
      for (const id of [...waiting.keys()]) settle(id, ({ reject }) => reject(error));
    };
    started.on('message', ({ id, isRight }: Answer) => settle(id, ({ resolve }) => resolve(isRight)));
    started.on('error', (cause) => ended(new Error('the thread for passwords has failed', { cause })));
    started.on('exit', () => ended(new Error('the thread for passwords has ended')));
    started.unref();
    return started;
  };

  worker = start();
  return {
    compare: (password, hash) =>
      new Promise((resolve, reject) => {
        worker ??= start();
        const question: Question = { id: asked++, password, hash };
        waiting.set(question.id, { resolve, reject });
        worker.ref();
        worker.postMessage(question);
      }),
    [Symbol.dispose]: () => {
      const last = worker;
      worker = undefined;
      for (const id of [...waiting.keys()])
        settle(id, ({ reject }) => reject(new Error('passwords are no longer checked')));
      void last?.terminate();
    },
  };
}

async function answerQuestions(): Promise<void> {
  const port = parentPort;
  // Questions wait in the port until there is a listener.
  const { compareSync } = await import('bcryptjs');
  port?.on('message', ({ id, password, hash }: Question) => {
    const answer: Answer = { id, isRight: compareSync(password, hash) };
    port.postMessage(answer);
  });
}
