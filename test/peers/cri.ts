// The CRI of a containerd, as kubelet asks it: gRPC over a socket (kubernetes/cri-api, runtime/v1/api.proto), of which an image is pulled.
import { once } from 'node:events';
import { connect } from 'node:http2';
import { createConnection, type Socket } from 'node:net';

const PULL = '/runtime.v1.ImageService/PullImage';

/** Returns what the runtime calls the image. Throws with its message if it cannot pull it. */
export async function criPull(socket: string, image: string): Promise<string> {
  const session = connect('http://localhost', { createConnection: () => socketTo(socket) });
  try {
    const call = session.request({
      ':method': 'POST',
      ':path': PULL,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    let status: Record<string, unknown> = {};
    call.on('response', (headers) => Object.assign(status, headers));
    call.on('trailers', (headers) => {
      status = { ...status, ...headers };
    });
    call.end(message(field(1, field(1, Buffer.from(image)))));
    const chunks: Buffer[] = [];
    call.on('data', (chunk: Buffer) => chunks.push(chunk));
    await once(call, 'close');
    if (status['grpc-status'] !== '0' && status['grpc-status'] !== 0)
      throw new Error(decodeURIComponent(String(status['grpc-message'] ?? 'no answer')));
    // One message with one field of one byte of length: the reference.
    return Buffer.concat(chunks).subarray(7).toString();
  } finally {
    session.close();
  }
}

function socketTo(path: string): Socket {
  return createConnection(path);
}

/** A field of bytes (wire type 2). */
function field(number: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
}

/** Uncompressed, with its length. */
function message(bytes: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}
