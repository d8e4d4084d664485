// Builds archives by hand, for what no available program writes.

export interface RawBlock {
  readonly name?: string | Uint8Array;
  readonly typeflag?: string;
  /** The size in the header; by default the length of the content. */
  readonly size?: number;
  readonly content?: string | Uint8Array;
  /** Bytes to overwrite, by their offsets in the header. */
  readonly patch?: Readonly<Record<number, string | Uint8Array>>;
  readonly magic?: 'ustar\x0000' | 'ustar  \0' | '';
  /** Sums signed bytes for the checksum, as old programs did. */
  readonly isSumSigned?: boolean;
}

export function rawArchive(...blocks: readonly RawBlock[]): Buffer {
  return Buffer.concat([...blocks.map(rawEntry), Buffer.alloc(1024)]);
}

export function rawEntry(block: RawBlock): Buffer {
  const content = Buffer.from(block.content ?? '');
  const { name = 'name', typeflag = '0', size = content.length, magic = 'ustar\x0000' } = block;
  const header = Buffer.alloc(512);
  header.set(Buffer.from(name).subarray(0, 100));
  header.write('0000644\x000000000\x000000000\0', 100, 'latin1');
  header.write(`${size.toString(8).padStart(11, '0')}\x0000000000000\0`, 124, 'latin1');
  header.write(`${' '.repeat(8)}${typeflag}`, 148, 'latin1');
  header.write(magic, 257, 'latin1');
  for (const [at, bytes] of Object.entries(block.patch ?? {})) {
    header.set(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes, Number(at));
  }
  let sum = 0;
  for (const byte of header) sum += block.isSumSigned && byte > 127 ? byte - 256 : byte;
  if (!(148 in (block.patch ?? {}))) header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return Buffer.concat([header, content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}

/** The content of a pax header with these records. */
export function paxContent(records: readonly (readonly [string, string | Uint8Array])[]): Buffer {
  return Buffer.concat(
    records.map(([key, value]) => {
      const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from('\n')]);
      const guess = rest.length + String(rest.length).length;
      const length = rest.length + String(guess).length;
      return Buffer.concat([Buffer.from(String(length)), rest]);
    }),
  );
}
