// An OCI layout of one image with many files in one layer: what memory must not grow with. Its contents hardly compress.
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { compressed } from '../src/io/compression/compress.ts';
import type { TarHeader } from '../src/tar/entry.ts';
import { writeTar } from '../src/tar/writer.ts';
import { randomBytes } from '../test/fixtures/random.ts';

const TYPE = 'application/vnd.oci.image';
const PER_DIRECTORY = 100;

/** Returns the directory; the image is called `1`. */
export async function manyFiles(
  directory: string,
  size: { readonly files: number; readonly bytes: number },
): Promise<string> {
  const blobs = join(directory, 'blobs/sha256');
  await mkdir(blobs, { recursive: true });
  const [plain, packed] = [hashing(), hashing()];
  const layer = packed.through(compressed(plain.through(writeTar(entries(size))), { kind: 'gzip', level: 1 }));
  await pipeline(layer, createWriteStream(join(directory, 'layer')));
  const digest = packed.digest();
  await rename(join(directory, 'layer'), join(blobs, digest.slice(7)));
  const put = async (mediaType: string, value: unknown) => {
    const bytes = Buffer.from(JSON.stringify(value));
    const hex = createHash('sha256').update(bytes).digest('hex');
    await writeFile(join(blobs, hex), bytes);
    return { mediaType, digest: `sha256:${hex}`, size: bytes.length };
  };
  const rootfs = { type: 'layers', diff_ids: [plain.digest()] };
  const config = await put(`${TYPE}.config.v1+json`, { architecture: 'amd64', os: 'linux', config: {}, rootfs });
  const layers = [{ mediaType: `${TYPE}.layer.v1.tar+gzip`, digest, size: packed.size() }];
  const mediaType = `${TYPE}.manifest.v1+json`;
  const manifest = await put(mediaType, { schemaVersion: 2, mediaType, config, layers });
  const annotations = { 'org.opencontainers.image.ref.name': '1' };
  await writeFile(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  await writeFile(
    join(directory, 'index.json'),
    JSON.stringify({ schemaVersion: 2, manifests: [{ ...manifest, annotations }] }),
  );
  return directory;
}

type Entry = TarHeader & { readonly body?: AsyncIterable<Uint8Array> };

async function* entries({ files, bytes }: { readonly files: number; readonly bytes: number }): AsyncGenerator<Entry> {
  const content = randomBytes('many files', bytes);
  const shared = {
    uid: 0,
    gid: 0,
    mtime: { seconds: 1_700_000_000, nanoseconds: 0 },
    linkname: '',
    device: { major: 0, minor: 0 },
    xattrs: new Map<string, Uint8Array>(),
  };
  for (let file = 0; file < files; file++) {
    const directory = `usr/lib/packages/package-${Math.floor(file / PER_DIRECTORY)}/`;
    if (file % PER_DIRECTORY === 0) yield { ...shared, name: directory, type: 'directory', mode: 0o755, size: 0 };
    const own = Buffer.from(content);
    own.writeUInt32LE(file);
    yield { ...shared, name: `${directory}module-${file}.js`, type: 'file', mode: 0o644, size: bytes, body: once(own) };
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function hashing() {
  const hash = createHash('sha256');
  let size = 0;
  return {
    async *through(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      for await (const chunk of bytes) {
        hash.update(chunk);
        size += chunk.length;
        yield chunk;
      }
    },
    digest: () => `sha256:${hash.digest('hex')}`,
    size: () => size,
  };
}
