// Reads an archive once and computes an id of its content: names, owners, modes, links, attributes and file contents, but no times. The `tar` script packs
// files that it has just made, so their times change even if nothing else does.
import { decompressed } from '../../io/compression/decompress.ts';
import type { Bytes } from '../../io/streams/bytes.ts';
import { digester } from '../../oci/digest.ts';
import type { TarEntry } from '../../tar/entry.ts';
import { encodeName } from '../../tar/names.ts';
import { readTar } from '../../tar/reader.ts';

export interface ScannedArchive {
  readonly id: string;
  readonly entries: number;
}

/** Errors: TAR_INVALID, COMPRESSION_INVALID. */
export async function scanArchive(bytes: Bytes): Promise<ScannedArchive> {
  const hash = digester('sha256');
  let entries = 0;
  for await (const entry of readTar(decompressed(bytes), { tail: () => {} })) {
    entries++;
    hash.update(descriptionOf(entry));
    for await (const chunk of entry.stored) hash.update(chunk);
  }
  return { id: hash.digest('hex'), entries };
}

function descriptionOf(entry: Omit<TarEntry, 'body' | 'stored' | 'position' | 'records'>): Uint8Array {
  const { name, type, size, mode, uid, gid, linkname, device, xattrs, sparse } = entry;
  const attributes = [...xattrs].map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
  const rest = JSON.stringify([type, size, mode, uid, gid, device, attributes, sparse ?? 0]);
  return Buffer.concat([encodeName(name), SEPARATOR, encodeName(linkname), SEPARATOR, Buffer.from(rest)]);
}

const SEPARATOR = Buffer.alloc(1);
