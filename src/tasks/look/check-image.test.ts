import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { nestedLayout } from '../../../test/contract/named-content.ts';
import { tar } from '../../../test/fixtures/tar.ts';
import { temporaryDirectory } from '../../../test/peers/temporary.ts';
import { agreeingConfig, hasFileSystem } from '../../oci/agreement.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { digestOf } from '../../oci/digest.ts';
import { decodeManifest, type ImageManifest, rawManifest } from '../../oci/manifest.ts';
import { OCI_CONFIG, OCI_LAYER, OCI_MANIFEST } from '../../oci/media-types.ts';
import type { ImageSource } from '../../transports/contract.ts';
import { ociSource } from '../../transports/layout/layout-source.ts';
import type { Settings } from '../settings.ts';
import { checkSource } from './check-image.ts';

it('what indexes name again and again is checked once', async () => {
  await using directory = await temporaryDirectory('nested');
  await mkdir(join(directory.path, 'blobs/sha256'), { recursive: true });
  for (const { name, data } of nestedLayout(60)) await writeFile(join(directory.path, name), data);
  await using source = ociSource({ path: directory.path });
  const checked = await checkSource({ source }, {} as Settings);
  expect(checked.filter(({ what }) => what === 'index')).toHaveLength(60);
  expect(checked.filter(({ what }) => what === 'manifest')).toHaveLength(1);
});

describe('an image with a layer that is none of files', () => {
  const WASM = 'application/vnd.wasm.content.layer.v1+wasm';
  const part = (mediaType: string, bytes: Uint8Array) => {
    const descriptor: Descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length };
    return { descriptor, bytes };
  };
  const files = part(OCI_LAYER, tar([{ name: 'file', data: 'text' }]));
  const wasm = part(WASM, Buffer.from('\0asm'));

  it.each([
    ['counted by neither', [wasm, files], [files.descriptor.digest], true],
    ['counted', [wasm, files], [wasm.descriptor.digest, files.descriptor.digest], true],
    ['and one too many', [wasm, files], [wasm, files, files].map(({ descriptor }) => descriptor.digest), false],
    ['alone: an artifact', [wasm], [files.descriptor.digest, wasm.descriptor.digest], true],
  ] as const)('%s is right for check as it is for a copy', async (_, layers, diffIds, isRight) => {
    const config = part(
      OCI_CONFIG,
      Buffer.from(
        JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: diffIds } }),
      ),
    );
    const descriptors = layers.map(({ descriptor }) => descriptor);
    const raw = rawManifest(
      Buffer.from(
        JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config: config.descriptor, layers: descriptors }),
      ),
    );
    const blobs = new Map([config, ...layers].map(({ descriptor, bytes }) => [descriptor.digest, bytes]));
    const source: ImageSource = {
      label: 'memory',
      host: '',
      root: async () => raw,
      manifest: async () => raw,
      blob: async ({ digest }) =>
        (async function* () {
          yield blobs.get(digest) ?? new Uint8Array();
        })(),
      async *referrers() {},
      statTag: async () => undefined,
      async [Symbol.asyncDispose]() {},
    };
    const parts = await checkSource({ source }, {} as Settings);
    const problems = parts.flatMap((checked) => checked.problems);
    expect(problems.length === 0, problems.join()).toBe(isRight);
    const manifest = decodeManifest(raw) as ImageManifest;
    if (!hasFileSystem(manifest)) return;
    if (isRight) agreeingConfig(manifest, config.bytes);
    else expect(() => agreeingConfig(manifest, config.bytes)).toThrow('disagree');
  });
});
