// The body of a request as a stream: with backpressure, and aborted when the client falls silent. Relies on node:http.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Bytes } from '../io/streams/bytes.ts';
import { ImagesError } from '../oci/errors.ts';
import type { RequestBody } from './call.ts';
import { bodyLength, breakOff, checkEnd, limitSilence } from './either-http.ts';
import type { ServerLimits } from './limits.ts';
import { type Transfer, watchProgress } from './progress.ts';

export interface MessageBody extends RequestBody {
  /** Bytes read so far. */
  readonly received: () => number;
  /** Whether the client waits for `100 Continue`, which has not been sent. */
  readonly isHeldBack: () => boolean;
}

export interface MessageBodyOptions {
  readonly limits: Pick<ServerLimits, 'idle' | 'slow' | 'slowBytes'>;
  /** Called when the client disconnects, or is disconnected, before the end of its body. */
  readonly onBrokenOff: () => void;
  /** Called with the length of each piece. */
  readonly onReceived?: (bytes: number) => void;
}

export function messageBody(
  request: IncomingMessage,
  response: ServerResponse,
  { limits, onBrokenOff, onReceived }: MessageBodyOptions,
): MessageBody {
  let received = 0;
  let isHeldBack = request.headers.expect?.toLowerCase() === '100-continue';
  const read = async function* (): Bytes {
    if (isHeldBack) {
      isHeldBack = false;
      response.writeContinue();
    }
    // The time limit holds only while bytes are awaited: hashing and syncing a large blob may take longer than a client may be silent.
    limitSilence(request, limits.idle);
    const transfer: Transfer = {
      moved: () => received,
      waitsForClient: () => request.readableLength === 0,
      giveUp: () => breakOff(request),
    };
    using _watch = watchProgress(transfer, limits);
    try {
      // The connection is kept even if the body is not read to its end, so that the client gets the error.
      for await (const chunk of request.iterator({ destroyOnReturn: false })) {
        received += chunk.length;
        onReceived?.(chunk.length);
        yield chunk;
      }
      checkEnd(request);
    } catch (cause) {
      onBrokenOff();
      throw new ImagesError('BROKEN_OFF', `the client broke off after ${received} bytes`, { cause });
    } finally {
      limitSilence(request, 0);
    }
  };
  return {
    length: bodyLength(request),
    bytes: read(),
    breakOff: () => breakOff(request),
    received: () => received,
    isHeldBack: () => isHeldBack,
  };
}
