// One raw HTTP/1.1 connection: sends a prepared request, and reads the answer into memory that is used again.
import { connect } from 'node:net';

export interface Answer {
  readonly status: number;
  readonly location: string;
}

export interface Asked {
  readonly body?: readonly Buffer[];
  readonly isHead?: boolean;
  /** The status that is awaited; another one ends the run. */
  readonly expect: number;
}

export interface Connection {
  /** One request at a time. */
  ask(head: string, options: Asked): Promise<Answer>;
  asked(): number;
  moved(): number;
  close(): void;
}

const END_OF_HEAD = '\r\n\r\n';
const READ = 256 * 1024;

export function connectTo(port: number): Promise<Connection> {
  const { promise, resolve, reject } = Promise.withResolvers<Connection>();
  let requests = 0;
  let bytes = 0;
  let waiting:
    | (Asked & { readonly answered: (answer: Answer) => void; readonly failed: (error: Error) => void })
    | undefined;
  let head = '';
  /** Bytes of the body that are still to come; `undefined` while the head is read. */
  let left: number | undefined;
  let answer: Answer = { status: 0, location: '' };

  function take(chunk: Buffer): void {
    let at = 0;
    if (left === undefined) {
      head += chunk.toString('latin1', 0, Math.min(chunk.length, 4096));
      const end = head.indexOf(END_OF_HEAD);
      if (end < 0) return;
      at = end + END_OF_HEAD.length - (head.length - Math.min(chunk.length, 4096));
      const fields = head.slice(0, end);
      head = '';
      answer = { status: Number(fields.slice(9, 12)), location: /^location: (.*)$/im.exec(fields)?.[1]?.trim() ?? '' };
      left = waiting?.isHead ? 0 : Number(/^content-length: (\d+)/im.exec(fields)?.[1] ?? 0);
      if (answer.status === 100) throw new Error('100 Continue was not asked for');
    }
    bytes += chunk.length - at;
    left -= chunk.length - at;
    if (left > 0) return;
    left = undefined;
    const done = waiting;
    waiting = undefined;
    if (answer.status === done?.expect) done.answered(answer);
    else done?.failed(new Error(`status ${answer.status} instead of ${done.expect}`));
  }

  const socket = connect({
    port,
    host: '127.0.0.1',
    noDelay: true,
    onread: {
      buffer: Buffer.alloc(READ),
      callback: (count, buffer) => {
        take(Buffer.from(buffer.buffer, buffer.byteOffset, count));
        return true;
      },
    },
  });
  socket.once('error', (error) => {
    waiting?.failed(error);
    reject(error);
  });
  socket.once('close', () => waiting?.failed(new Error('the server closed the connection')));
  socket.once('connect', () =>
    resolve({
      ask: (request, options) =>
        new Promise((answered, failed) => {
          requests++;
          waiting = { ...options, answered, failed };
          if (!options.body) {
            socket.write(request, 'latin1');
            return;
          }
          void sendAll(request, options.body).catch(failed);
        }),
      asked: () => requests,
      moved: () => bytes,
      close: () => socket.destroy(),
    }),
  );

  async function sendAll(request: string, body: readonly Buffer[]): Promise<void> {
    socket.cork();
    socket.write(request, 'latin1');
    for (const [at, piece] of body.entries()) {
      bytes += piece.length;
      const written = new Promise<void>((done) => socket.write(piece, () => done()));
      if (at === 0) socket.uncork();
      if (body.length > 1) await written;
    }
  }
  return promise;
}
