// The CRI of a containerd, as kubelet asks it: gRPC over a socket (kubernetes/cri-api, runtime/v1/api.proto), of which an image is pulled.
import { once } from 'node:events';
import { connect } from 'node:http2';
import { createConnection, type Socket } from 'node:net';

const SERVICE = '/runtime.v1.ImageService';

export interface CriImage {
  readonly id: string;
  readonly tags: readonly string[];
  readonly digests: readonly string[];
  /** containerd 1.6 has no such field. */
  readonly pinned: boolean;
}

/** Returns what the runtime calls the image. Throws with its message if it cannot pull it. */
export async function criPull(socket: string, image: string): Promise<string> {
  // One message with one field of one byte of length: the reference.
  return (await criCall(socket, 'PullImage', image)).subarray(7).toString();
}

/** What kubelet is told of an image; `undefined` if the runtime would have to pull it. */
export async function criImage(socket: string, image: string): Promise<CriImage | undefined> {
  const found = fieldsOf((await criCall(socket, 'ImageStatus', image)).subarray(5)).find(([number]) => number === 1);
  if (!found || typeof found[1] === 'number') return undefined;
  const fields = fieldsOf(found[1]);
  const texts = (number: number) => fields.flatMap(([at, value]) => (at === number ? [String(value)] : []));
  return {
    id: texts(1)[0] ?? '',
    tags: texts(2),
    digests: texts(3),
    pinned: fields.some(([number, value]) => number === 8 && value === 1),
  };
}

/** A call whose request is an image's specification. */
async function criCall(socket: string, method: string, image: string): Promise<Buffer> {
  const session = connect('http://localhost', { createConnection: () => socketTo(socket) });
  try {
    const call = session.request({
      ':method': 'POST',
      ':path': `${SERVICE}/${method}`,
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
    return Buffer.concat(chunks);
  } finally {
    session.close();
  }
}

function socketTo(path: string): Socket {
  return createConnection(path);
}

/** A field of bytes (wire type 2). */
function field(number: number, bytes: Uint8Array): Buffer {
  const length = bytes.length < 0x80 ? [bytes.length] : [(bytes.length & 0x7f) | 0x80, bytes.length >> 7];
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), bytes]);
}

/** The fields of a message: numbers, or bytes. */
function fieldsOf(bytes: Buffer): readonly (readonly [number, number | Buffer])[] {
  const fields: (readonly [number, number | Buffer])[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const value = varint();
    if ((tag & 7) === 2) at += value;
    fields.push([tag >> 3, (tag & 7) === 2 ? bytes.subarray(at - value, at) : value]);
  }
  return fields;
}

/** Uncompressed, with its length. */
function message(bytes: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}
