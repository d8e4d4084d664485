// Hashes files in threads of their own, on several processors. A thread runs this same file, as source or bundled (the bundler keeps it in a file of its own), so
// it imports nothing but node:worker_threads.
import type { Hash } from 'node:crypto';
import { isMainThread, type MessagePort, parentPort, Worker, workerData } from 'node:worker_threads';

export interface FileHasher {
  /**
   * The file's hash in hexadecimal. Waits for a free thread. `pace` is called with the number of bytes each time some have been hashed, and the thread goes on once what it returns
   * has resolved. Errors: those of the file system, with their codes; EISDIR for what is no regular file; those of `pace`.
   */
  hash(path: string, algorithm: string, pace?: (bytes: number) => Promise<void> | undefined): Promise<string>;
}

type Question = { readonly path: string; readonly algorithm: string } | 'on' | 'stop';
type Answer =
  | { readonly bytes: number; readonly hex?: string }
  | { readonly failure: { readonly message: string; readonly code: string | undefined } };

/** Threads of others (of a test runner, say) load this file too. */
const ROLE = 'images: hash';
/** More would read from a disk at so many places at once. */
const MOST_THREADS = 4;
/** In bytes, hashed between two calls of `pace`. */
const SLICE = 4 * 1024 * 1024;
/** In bytes: fits into the cache of a processor. */
const BUFFER = 256 * 1024;
/** In milliseconds: threads without work end after this. */
const IDLE_MS = 2000;

if (!isMainThread && workerData?.role === ROLE && parentPort) answerQuestions(parentPort);

/** Threads start when there is work for them. They do not keep the process alive. */
export function fileHasher(threads = threadsHere(), start: () => Thread = startThread): FileHasher {
  const free: Thread[] = [];
  const waiting: PromiseWithResolvers<Thread>[] = [];
  let running = 0;
  let idle: NodeJS.Timeout | undefined;

  function taken(): Thread | Promise<Thread> {
    for (let thread = free.pop(); thread; thread = free.pop()) {
      if (!thread.isOver()) return thread;
      running -= 1;
    }
    if (running < threads) return started();
    const turn = Promise.withResolvers<Thread>();
    waiting.push(turn);
    return turn.promise;
  }

  function started(): Thread {
    const thread = start();
    running += 1;
    return thread;
  }

  /** If no thread can be started, those that wait have the others; without any, they would wait for ever. */
  function replace(): void {
    try {
      const thread = started();
      waiting.shift()?.resolve(thread);
    } catch (error) {
      if (running === 0) for (const turn of waiting.splice(0)) turn.reject(error);
    }
  }

  function given(thread: Thread): void {
    if (thread.isOver()) {
      running -= 1;
      if (waiting.length > 0) replace();
      return;
    }
    const next = waiting.shift();
    if (next) {
      next.resolve(thread);
      return;
    }
    free.push(thread);
    clearTimeout(idle);
    idle = setTimeout(endIdle, IDLE_MS).unref();
  }

  function endIdle(): void {
    running -= free.length;
    for (const thread of free.splice(0)) thread.end();
  }

  return {
    hash: async (path, algorithm, pace) => {
      const thread = await taken();
      try {
        for (let answer = await thread.ask({ path, algorithm }); ; answer = await thread.ask('on')) {
          if ('failure' in answer) throw failureFrom(answer.failure);
          await goingOn(pace?.(answer.bytes), thread);
          if (answer.hex !== undefined) return answer.hex;
        }
      } finally {
        given(thread);
      }
    },
  };
}

function threadsHere(): number {
  return Math.min(process.getBuiltinModule('node:os').availableParallelism(), MOST_THREADS);
}

async function goingOn(wait: Promise<void> | undefined, thread: Thread): Promise<void> {
  try {
    await wait;
  } catch (error) {
    thread.tell('stop');
    throw error;
  }
}

function failureFrom({ message, code }: { readonly message: string; readonly code: string | undefined }): Error {
  return Object.assign(new Error(message), code === undefined ? {} : { code });
}

interface Thread {
  ask(question: Question): Promise<Answer>;
  tell(question: Question): void;
  isOver(): boolean;
  end(): void;
}

function startThread(): Thread {
  const worker = new Worker(new URL(import.meta.url), { workerData: { role: ROLE } });
  let waiting: PromiseWithResolvers<Answer> | undefined;
  let over: Error | undefined;
  const ended = (error: Error): void => {
    over ??= error;
    waiting?.reject(over);
  };
  worker.on('message', (answer: Answer) => waiting?.resolve(answer));
  worker.on('error', (cause) => ended(new Error('a thread that hashes files has failed', { cause })));
  worker.on('exit', () => ended(new Error('a thread that hashes files has ended')));
  worker.unref();
  return {
    ask: async (question) => {
      if (over) throw over;
      waiting = Promise.withResolvers();
      // The process lives on as long as somebody waits.
      worker.ref();
      worker.postMessage(question);
      try {
        return await waiting.promise;
      } finally {
        worker.unref();
      }
    },
    tell: (question) => worker.postMessage(question),
    isOver: () => over !== undefined,
    end: () => void worker.terminate(),
  };
}

interface Work {
  readonly file: number;
  readonly hash: Hash;
}

function answerQuestions(port: MessagePort): void {
  const { closeSync, constants, fstatSync, openSync, readSync } = process.getBuiltinModule('node:fs');
  const { createHash } = process.getBuiltinModule('node:crypto');
  const buffer = Buffer.allocUnsafeSlow(BUFFER);
  let work: Work | undefined;

  function close(): void {
    if (work) closeSync(work.file);
    work = undefined;
  }

  function begin(path: string, algorithm: string): Work {
    // Without O_NONBLOCK, opening a pipe would wait for a writer.
    const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    work = { file, hash: createHash(algorithm) };
    if (!fstatSync(file).isFile()) throw Object.assign(new Error('not a file'), { code: 'EISDIR' });
    return work;
  }

  function slice({ file, hash }: Work): Answer {
    let bytes = 0;
    while (bytes < SLICE) {
      const count = readSync(file, buffer, 0, BUFFER, null);
      if (count === 0) {
        close();
        return { bytes, hex: hash.digest('hex') };
      }
      hash.update(buffer.subarray(0, count));
      bytes += count;
    }
    return { bytes };
  }

  function answer(question: Exclude<Question, 'stop'>): Answer {
    try {
      const begun = question === 'on' ? work : begin(question.path, question.algorithm);
      if (!begun) throw new Error('there is no file to go on with');
      return slice(begun);
    } catch (error) {
      close();
      const { message, code } = error as NodeJS.ErrnoException;
      return { failure: { message, code } };
    }
  }

  port.on('message', (question: Question) => {
    if (question === 'stop') close();
    else port.postMessage(answer(question));
  });
}
