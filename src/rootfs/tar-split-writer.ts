// Writes tar-split (github.com/vbatts/tar-split) while a layer is unpacked: gzipped lines of JSON from which the exact archive can be
// restored. Relies on zlib's threads: the writer waits only if they cannot keep up.
import { once } from 'node:events';
import { createGzip } from 'node:zlib';
import { encodeName, isEscaped } from '../tar/names.ts';

export interface TarSplitWriter {
  /** Bytes of the archive that are in no unpacked file. */
  raw(bytes: Uint8Array): void;
  /** An entry, after its header. With content (`crc` is its CRC-64): the next `size` bytes of the archive are in the file of that name. */
  file(name: string, content?: { readonly size: number; readonly crc: Uint8Array }): void;
  /** Resolves when more can be taken without buffering; `undefined` if that is now. */
  ready(): Promise<void> | undefined;
  /** Resolves when everything has been written. */
  end(): Promise<void>;
  /** Cancels; nothing more is written. */
  abandon(): void;
}

/** In characters. Each piece that is passed to zlib has a fixed cost. */
const BATCH = 1 << 17;
/** Bytes in one entry, which readers hold in memory. A multiple of three, so that base64 needs no padding in between. */
const SEGMENT = 48 * 1024;

/** `out` gets the compressed bytes. Equal archives give equal bytes, with the same version of zlib. */
export function tarSplitWriter(out: (chunk: Uint8Array) => void): TarSplitWriter {
  // As fast as possible, like the tools that use such stores.
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
