// tar-split (github.com/vbatts/tar-split) as it is written while a layer is unpacked: gzipped lines of JSON, from which the exact archive can be put
// together again. Relies on zlib's threads: who writes waits only where they do not keep up.
import { once } from 'node:events';
import { createGzip } from 'node:zlib';
import { encodeName, isEscaped } from '../tar/names.ts';

export interface TarSplitWriter {
  /** Bytes of the archive that are in no file of the unpacked layer. */
  raw(bytes: Uint8Array): void;
  /** An entry of the archive, its header before. With content, of which `crc` is the CRC-64: the archive's next `size` bytes are in the file of that name. */
  file(name: string, content?: { readonly size: number; readonly crc: Uint8Array }): void;
  /** Resolves when more can be taken without holding it; `undefined` where it can be at once. */
  ready(): Promise<void> | undefined;
  /** All has been written. */
  end(): Promise<void>;
  /** Nothing more is wanted. */
  abandon(): void;
}

/** In characters; each piece handed to zlib costs the same, however small. */
const BATCH = 1 << 17;
/** Bytes in one entry: who reads holds it whole. A multiple of three, so that base64 needs no padding in between. */
const SEGMENT = 48 * 1024;

/** `out` is given the compressed bytes. What is written for equal archives is equal, with one version of zlib. */
export function tarSplitWriter(out: (chunk: Uint8Array) => void): TarSplitWriter {
  // As fast as possible, like the tools that own such stores.
  const gzip = createGzip({ level: 1, chunkSize: 1 << 16 });
  gzip.on('data', out);
  let position = 0;
  let lines = '';
  let raws: Uint8Array[] = [];
  let rawLength = 0;
  let isFull = false;

  const send = (): void => {
    if (lines === '') return;
    isFull = !gzip.write(lines);
    lines = '';
  };
  const segment = (bytes: Uint8Array): void => {
    lines += `{"type":2,"payload":"${base64(bytes)}","position":${position++}}\n`;
    if (lines.length >= BATCH) send();
  };
  const flushRaw = (): void => {
    if (rawLength === 0) return;
    const bytes = raws.length === 1 ? (raws[0] as Uint8Array) : Buffer.concat(raws, rawLength);
    [raws, rawLength] = [[], 0];
    for (let at = 0; at < bytes.length; at += SEGMENT) segment(bytes.subarray(at, at + SEGMENT));
  };

  return {
    raw(bytes) {
      if (bytes.length === 0) return;
      raws.push(bytes);
      rawLength += bytes.length;
      if (rawLength >= SEGMENT) flushRaw();
    },
    file(name, content) {
      flushRaw();
      const named = isEscaped(name) ? `"name_raw":"${base64(encodeName(name))}"` : `"name":${JSON.stringify(name)}`;
      const held = content ? `,"size":${content.size},"payload":"${base64(content.crc)}"` : ',"payload":null';
      lines += `{"type":1,${named}${held},"position":${position++}}\n`;
      if (lines.length >= BATCH) send();
    },
    ready() {
      if (!isFull) return undefined;
      return once(gzip, 'drain').then(() => {
        isFull = false;
      });
    },
    async end() {
      flushRaw();
      segment(new Uint8Array());
      send();
      gzip.end();
      await once(gzip, 'end');
    },
    abandon() {
      gzip.destroy();
    },
  };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
}
