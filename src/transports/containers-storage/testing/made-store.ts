// For tests: makes a store in memory from real layers, as `make` writes it, and copies of it with changes.
import { tmpdir } from 'node:os';
import { pipeOutput } from '../../../io/files/rewindable-output.ts';
import { addAll } from '../../../oci/add-all.ts';
import { decodeConfig } from '../../../oci/config.ts';
import { digestOf } from '../../../oci/digest.ts';
import { decodeManifest, type ImageManifest, rawManifest } from '../../../oci/manifest.ts';
import { OCI_CONFIG, OCI_MANIFEST } from '../../../oci/media-types.ts';
import { layerOf, type TestEntry, type TestLayer } from '../../../rootfs/testing/layers.ts';
import type { TarHeader } from '../../../tar/entry.ts';
import { readTar } from '../../../tar/reader.ts';
import { type TarInput, writeTar } from '../../../tar/writer.ts';
import type { ReadableImage } from '../../readable-image.ts';
import { type WriteStoreOptions, type WrittenStore, writeStore } from '../write-store.ts';

export interface TestImage {
  readonly names: readonly string[];
  readonly layers: readonly (readonly TestEntry[])[];
}

export async function imageToStore({
  names,
  layers,
}: TestImage): Promise<{ names: readonly string[]; image: ReadableImage }> {
  const made: TestLayer[] = await Promise.all(layers.map((entries) => layerOf(entries)));
  const config = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      created: '2024-01-02T03:04:05Z',
      rootfs: { type: 'layers', diff_ids: made.map(({ diffId }) => diffId) },
    }),
  );
  const fields = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: OCI_CONFIG, digest: digestOf(config), size: config.length },
    layers: made.map(({ descriptor }) => descriptor),
  };
  const raw = rawManifest(Buffer.from(JSON.stringify(fields)));
  const manifest = decodeManifest(raw) as ImageManifest;
  const image = {
    label: names[0] ?? 'image',
    root: raw,
    raw,
    manifest,
    config: decodeConfig(config),
    configBytes: config,
    layers: made,
  };
  return { names, image };
}

export interface MadeStore {
  readonly archive: Buffer;
  readonly written: WrittenStore;
}

export async function madeStore(
  images: readonly TestImage[],
  options: Partial<WriteStoreOptions> = {},
): Promise<MadeStore> {
  const chunks: Uint8Array[] = [];
  const output = pipeOutput(async (bytes) => {
    chunks.push(bytes);
  }, tmpdir());
  const all = await Promise.all(images.map(imageToStore));
  const written = await writeStore(all, output, { graphRoot: 'store', temporaryDirectory: tmpdir(), ...options });
  return { archive: Buffer.concat(chunks), written };
}

export type StoreEntry = TarHeader & { readonly content: Buffer };

/** Replaces each entry by the entries that `change` returns for it, or drops it. `more` is appended. */
export async function changed(
  archive: Buffer,
  change: (entry: StoreEntry) => readonly StoreEntry[],
  more: readonly StoreEntry[] = [],
): Promise<Buffer> {
  const entries: StoreEntry[] = [];
  for await (const { body, stored: _, records: __, position: ___, ...entry } of readTar(once(archive))) {
    addAll(entries, change({ ...entry, content: Buffer.concat(await Array.fromAsync(body)) }));
  }
  const inputs = [...entries, ...more].map(({ sparse: _, ...entry }): TarInput => {
    const size = entry.type === 'file' ? entry.content.length : 0;
    return { ...entry, size, body: once(entry.content) };
  });
  return Buffer.concat(await Array.fromAsync(writeTar(inputs)));
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}
