// Layers in memory for tests: real archives, written by tar/writer. Their reads are counted.
import { gzipSync } from 'node:zlib';
import { digestOf } from '../../oci/digest.ts';
import type { TarHeader } from '../../tar/entry.ts';
import { writeTar } from '../../tar/writer.ts';
import type { Layer } from '../contract.ts';

export type TestEntry = Partial<TarHeader> & Pick<TarHeader, 'name'> & { readonly content?: string | Uint8Array };

export interface TestLayer extends Layer {
  /** How often the layer was opened, and how many bytes of its blob were read. */
  readonly reads: { opened: number; bytes: number };
  readonly archive: Uint8Array;
}

/** Without a type, a name that ends in `/` is a directory, and one with a linkname a symbolic link. */
export function header({ content = '', ...entry }: TestEntry): TarHeader {
  const directory = entry.name.endsWith('/');
  const type = entry.type ?? (directory ? 'directory' : entry.linkname ? 'symlink' : 'file');
  return {
    type,
    size: type === 'file' ? Buffer.from(content).length : 0,
    mode: directory ? 0o755 : 0o644,
    uid: 0,
    gid: 0,
    mtime: { seconds: 1_700_000_000, nanoseconds: 0 },
    linkname: '',
    device: { major: 0, minor: 0 },
    xattrs: new Map(),
    ...entry,
  };
}

export async function archiveOf(entries: readonly TestEntry[]): Promise<Uint8Array> {
  async function* all() {
    for (const entry of entries) yield { ...header(entry), body: bodyOf(entry.content ?? '') };
  }
  return Buffer.concat(await Array.fromAsync(writeTar(all())));
}

async function* bodyOf(content: string | Uint8Array): AsyncGenerator<Uint8Array> {
  if (content.length > 0) yield Buffer.from(content);
}

export async function layerOf(
  entries: readonly TestEntry[],
  options: { readonly gzip?: boolean } = {},
): Promise<TestLayer> {
  return layerOfArchive(await archiveOf(entries), options);
}

export function layerOfArchive(archive: Uint8Array, { gzip = false }: { readonly gzip?: boolean } = {}): TestLayer {
  const blob = gzip ? gzipSync(archive) : archive;
  const reads = { opened: 0, bytes: 0 };
  return {
    descriptor: { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: digestOf(blob), size: blob.length },
    diffId: digestOf(archive),
    reads,
    archive,
    async open() {
      reads.opened++;
      return chunks(blob, reads);
    },
  };
}

async function* chunks(blob: Uint8Array, reads: { bytes: number }): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < blob.length; at += 1000) {
    const chunk = blob.subarray(at, at + 1000);
    reads.bytes += chunk.length;
    yield chunk;
  }
}
