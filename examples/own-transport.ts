// A transport of one's own: `file:PATH` is an image of one layer, which holds this file. It can be copied to any location, and looked into.
//
//   node own-transport.ts file:./hello.txt oci:layout:hello
import { readFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { basename } from 'node:path';
import { digestOf, machinePlatform, OCI_CONFIG, OCI_LAYER, OCI_MANIFEST, rawManifest } from '@images-oci/images/oci';
import { plainHeader, writeTar } from '@images-oci/images/tar';
import { copyImage, type Settings } from '@images-oci/images/tasks';
import type { ImageSource, Transport } from '@images-oci/images/transports';

async function imageOf(path: string): Promise<ImageSource> {
  const content = await readFile(path);
  const header = plainHeader({ name: basename(path), type: 'file', mode: 0o644, size: content.length });
  const layer = await blob(OCI_LAYER, writeTar([{ ...header, body: once(content) }]));
  const rootfs = { type: 'layers', diff_ids: [layer.digest] };
  const config = await blob(OCI_CONFIG, once(json({ ...machinePlatform(), rootfs })));
  const described = [config, layer].map(({ bytes: _, ...descriptor }) => descriptor);
  const fields = { schemaVersion: 2, mediaType: OCI_MANIFEST, config: described[0], layers: described.slice(1) };
  const root = rawManifest(json(fields));
  return {
    label: `file:${path}`,
    host: '',
    root: async () => root,
    manifest: async () => root,
    blob: async ({ digest }, from) => once((digest === layer.digest ? layer : config).bytes.subarray(from)),
    async *referrers() {},
    statTag: async () => undefined,
    async [Symbol.asyncDispose]() {},
  };
}

async function blob(mediaType: string, stream: AsyncIterable<Uint8Array>) {
  const bytes = Buffer.concat(await Array.fromAsync(stream));
  return { mediaType, digest: digestOf(bytes), size: bytes.length, bytes };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

const file: Transport = { name: 'file', openSource: async (path) => ({ source: await imageOf(path) }) };

const [from = '', to = ''] = process.argv.slice(2);
const world: Settings = {
  env: process.env,
  home: homedir(),
  uid: process.getuid?.() ?? 0,
  temporaryDirectory: tmpdir(),
};
const { copied } = await copyImage({ from, to }, { ...world, transports: [file] });
for (const { digest } of copied) console.log(digest);
