// The archive of one `docker load` while it is written. Files are written one after the other, each completely, as fast as the daemon reads them.
import { createLimiter } from '../../io/concurrency/limiter.ts';
import type { Bytes, CallOptions } from '../../io/streams/bytes.ts';
import { ImagesError } from '../../oci/errors.ts';
import { padding } from '../../tar/writer.ts';
import { archiveHeader, END } from '../archive/archive-format.ts';
import type { DockerDaemon } from './daemon.ts';

export interface LoadStream {
  /** Whether a file is being written. */
  readonly busy: boolean;
  /**
   * Writes a file of `size` bytes. If its body fails, the rest is filled with zeros: no manifest will name the file, and the other files stay valid. Errors:
   * the body's; the daemon's if it stopped reading.
   */
  add(path: string, size: number, body: () => Promise<Bytes>): Promise<void>;
  /** Ends the archive, and waits until the daemon has loaded it. Errors: the daemon's. */
  finish(): Promise<void>;
  /** Breaks the request off. The daemon then loads nothing. */
  abort(): Promise<void>;
}

const ZEROS = new Uint8Array(256 * 1024);

/** Begins the request at once. It must be ended with `finish` or `abort`. */
export function loadStream(daemon: DockerDaemon, options: CallOptions = {}): LoadStream {
  const channel = createChannel();
  const abort = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, abort.signal]) : abort.signal;
  const loading = daemon.load(channel.read(), { signal }).finally(channel.close);
  loading.catch(() => {});
  const turn = createLimiter(1);
  let waiting = 0;

  const send = async (bytes: Uint8Array): Promise<void> => {
    if (bytes.length === 0 || (await channel.write(bytes))) return;
    await loading;
    throw new ImagesError('BROKEN_OFF', `the Docker daemon took only a part of the archive [${daemon.address}]`);
  };

  const write = async (path: string, size: number, open: () => Promise<Bytes>): Promise<void> => {
    // Opened before the header is written: a body that cannot be opened leaves no entry.
    const body = await open();
    await send(archiveHeader(path, size));
    let left = size;
    try {
      for await (const chunk of body) {
        if (chunk.length > left) throw new ImagesError('SIZE_INVALID', `more than ${size} bytes came [${path}]`);
        await send(chunk);
        left -= chunk.length;
      }
      if (left > 0) throw new ImagesError('SIZE_INVALID', `${left} of ${size} bytes did not come [${path}]`);
    } finally {
      while (left > 0 && channel.open()) {
        const zeros = ZEROS.subarray(0, left);
        await channel.write(zeros);
        left -= zeros.length;
      }
      await channel.write(padding(size));
    }
  };

  return {
    get busy() {
      return waiting > 0;
    },
    async add(path, size, body) {
      waiting++;
      try {
        await turn(() => write(path, size, body), signal);
      } finally {
        waiting--;
      }
    },
    async finish() {
      await turn(() => send(END));
      channel.end();
      await loading;
    },
    async abort() {
      abort.abort(new ImagesError('ABORTED', 'the archive was not finished'));
      await loading.catch(() => {});
    },
  };
}

interface Channel {
  /** Waits until the reader wants more. Returns false if the reader has gone. */
  write(bytes: Uint8Array): Promise<boolean>;
  open(): boolean;
  end(): void;
  close(): void;
  read(): AsyncGenerator<Uint8Array>;
}

/** Passes one chunk at a time from a writer to a reader. */
function createChannel(): Channel {
  let chunk: Uint8Array | undefined;
  let ended = false;
  let gone = false;
  let wakeReader = () => {};
  let wakeWriter = () => {};
  const close = () => {
    gone = true;
    chunk = undefined;
    wakeWriter();
  };
  return {
    open: () => !gone && !ended,
    async write(bytes) {
      if (gone || ended) return false;
      chunk = bytes;
      wakeReader();
      while (chunk !== undefined && !gone) {
        await new Promise<void>((resolve) => {
          wakeWriter = resolve;
        });
      }
      return !gone;
    },
    end() {
      ended = true;
      wakeReader();
    },
    close,
    async *read() {
      try {
        for (;;) {
          if (chunk !== undefined) {
            const bytes: Uint8Array = chunk;
            chunk = undefined;
            wakeWriter();
            yield bytes;
          } else if (ended) return;
          else {
            await new Promise<void>((resolve) => {
              wakeReader = resolve;
            });
          }
        }
      } finally {
        close();
      }
    },
  };
}
