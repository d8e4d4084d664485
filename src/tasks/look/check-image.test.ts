import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { nestedLayout } from '../../../test/contract/named-content.ts';
import {
  attestation,
  blob,
  buildImage,
  buildIndex,
  type FixtureImage,
  type FixtureLayer,
  layerOf,
  sha256,
} from '../../../test/fixtures/image.ts';
import { tar } from '../../../test/fixtures/tar.ts';
import { temporaryDirectory } from '../../../test/peers/temporary.ts';
import { oneChunk } from '../../io/streams/one-chunk.ts';
import { agreeingConfig, hasFileSystem } from '../../oci/agreement.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { type Digest, digestOf } from '../../oci/digest.ts';
import { ImagesError } from '../../oci/errors.ts';
import { decodeManifest, type ImageManifest, rawManifest } from '../../oci/manifest.ts';
import { OCI_CONFIG, OCI_LAYER, OCI_MANIFEST } from '../../oci/media-types.ts';
import { parsePlatform } from '../../oci/platform.ts';
import type { Registry } from '../../registry/contract.ts';
import type { IndexStore } from '../../rootfs/contract.ts';
import { archiveOf, type TestEntry } from '../../rootfs/testing/layers.ts';
import { emptyRegistry } from '../../server/testing/content.ts';
import type { ImageSource } from '../../transports/contract.ts';
import { ociSource } from '../../transports/layout/layout-source.ts';
import { registrySource } from '../../transports/registry-source.ts';
import type { Settings } from '../settings.ts';
import { putFixture } from '../testing/hosts-and-store.ts';
import { laidOut } from '../testing/laid-out-image.ts';
import { type CheckedPart, type CheckImageOptions, checkImage, checkSource, type LayerResults } from './check-image.ts';

it('an image that indexes name many times is checked once', async () => {
  await using directory = await temporaryDirectory('nested');
  await mkdir(join(directory.path, 'blobs/sha256'), { recursive: true });
  for (const { name, data } of nestedLayout(60)) await writeFile(join(directory.path, name), data);
  await using source = ociSource({ path: directory.path });
  const checked = await checkSource({ source }, {} as Settings);
  expect(checked.filter(({ what }) => what === 'index')).toHaveLength(60);
  expect(checked.filter(({ what }) => what === 'manifest')).toHaveLength(1);
});

describe('an image with a layer that holds no files', () => {
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

const LAYER = layerOf([{ name: 'a', data: 'a' }]);
const GOOD = buildImage({ layers: [LAYER, layerOf([{ name: 'b', data: 'b' }])] });
const ARM = buildImage({ layers: [LAYER], architecture: 'arm64' });
const lying = (lies: Readonly<Record<string, unknown>>) => buildImage({ layers: [LAYER], lies });

/** An image in a registry in memory, and what is read of it. */
async function inRegistry(image: FixtureImage, change: (registry: Registry) => Partial<Registry> = () => ({})) {
  const inner = emptyRegistry();
  const read: Digest[] = [];
  await putFixture(inner, { path: 'x/y', tag: '1' }, image);
  const registry: Registry = {
    ...inner,
    getBlob: (path, digest, call) => {
      read.push(digest);
      return inner.getBlob(path, digest, call);
    },
    ...change(inner),
  };
  return { source: registrySource(registry, { path: 'x/y', tag: '1' }, { label: 'x/y:1' }), read };
}

const check = async (image: FixtureImage, options: CheckImageOptions = {}) =>
  await checkSource(await inRegistry(image), {}, options);
const whatOf = (parts: readonly CheckedPart[]) => parts.map(({ what }) => what);
const problemsOf = (parts: readonly CheckedPart[]) =>
  parts.flatMap(({ what, problems }) => problems.map((problem) => `${what}: ${problem}`));

describe('an image without a fault', () => {
  it('has its parts in order, each told as soon as it is known', async () => {
    const told: CheckedPart[] = [];
    const parts = await check(GOOD, { onPart: (part) => told.push(part) });
    expect(whatOf(parts)).toEqual(['manifest', 'config', 'layer 1', 'layer 2', 'root file system']);
    expect([told, problemsOf(parts), parts.flatMap(({ notes }) => notes)]).toEqual([parts, [], []]);
    const [config, ...layers] = GOOD.blobs.map(({ digest }) => digest);
    expect(parts.map(({ digest }) => digest)).toEqual([GOOD.manifest.digest, config, ...layers, undefined]);
  });

  it('is found by the names that other commands accept', async () => {
    await using place = await laidOut({ app: GOOD });
    expect(problemsOf(await checkImage(place.named('app'), place.settings))).toEqual([]);
    await expect(checkImage(place.named('none'), place.settings)).rejects.toMatchObject({ code: 'MANIFEST_UNKNOWN' });
  });

  it('may have an attestation beside it, which is no image: only its bytes are checked', async () => {
    const parts = await check(buildIndex([GOOD, attestation('x')]));
    expect(problemsOf(parts)).toEqual([]);
    expect(parts.at(-1)).toMatchObject({ what: 'layer 1', notes: ['no files [application/vnd.in-toto+json]'] });
  });

  it('may lack a history, which is noted', async () => {
    const parts = await check(lying({ history: [] }));
    expect([problemsOf(parts), parts[1]?.notes]).toEqual([[], ['no history']]);
  });
});

describe('a problem is reported for its part', () => {
  const other = sha256(Buffer.from('other'));
  const plain = { ...blob('', tar([{ name: 'a', data: 'a' }])), diffId: LAYER.diffId };
  it.each<[string, FixtureImage, string]>([
    [
      'too few diffIDs',
      lying({ rootfs: { type: 'layers', diff_ids: [] } }),
      'config: diffIDs for 0 layers, there are 1',
    ],
    ['too long a history', lying({ history: [{}, {}] }), 'config: the history tells of 2 layers, there are 1'],
    [
      'another diffID',
      buildImage({ layers: [{ ...LAYER, diffId: other }] }),
      `layer 1: its diffID is ${LAYER.diffId}, the config says ${other}`,
    ],
    [
      'another compression',
      buildImage({ layers: [plain] }),
      'layer 1: its compression is none, its media type says gzip',
    ],
    [
      'another platform than the index says',
      buildIndex([{ ...ARM, architecture: 'amd64' }]),
      'config: it is for linux/arm64, the index says linux/amd64',
    ],
  ])('if %s', async (_, image, problem) => {
    const problems = problemsOf(await check(image));
    expect(problems).toEqual([expect.stringContaining(problem)]);
  });

  it('not for steps of the history that made no layer', async () => {
    expect(problemsOf(await check(lying({ history: [{ empty_layer: true }, {}] })))).toEqual([]);
  });

  it('if layers cannot be applied to each other', async () => {
    const links = await layersOf([{ name: 'link', type: 'hardlink', linkname: 'nothing' }]);
    expect(problemsOf(await check(buildImage({ layers: [links] })))).toEqual([
      expect.stringMatching(/^root file system: .*a hard link to a file that is not there/),
    ]);
  });

  it('if bytes are damaged; the root file system is not checked then', async () => {
    const damaged = await inRegistry(GOOD, (inner) => ({
      getBlob: async (path, digest, call) => {
        const found = await inner.getBlob(path, digest, call);
        if (digest !== GOOD.blobs[2]?.digest) return found;
        const bytes = Buffer.concat(await Array.fromAsync(found.body));
        bytes.writeUInt8(bytes.readUInt8(12) ^ 1, 12);
        return { ...found, body: oneChunk(bytes) };
      },
    }));
    const parts = await checkSource(damaged, {});
    expect(whatOf(parts)).toEqual(['manifest', 'config', 'layer 1', 'layer 2']);
    expect(problemsOf(parts)).toEqual([expect.stringMatching(/^layer 2: /)]);
  });
});

describe('checking an index', () => {
  const index = buildIndex([GOOD, ARM]);
  const without = (...digests: readonly string[]) =>
    inRegistry(index, (inner) => ({
      getManifest: (path, reference, call) =>
        digests.includes(reference)
          ? Promise.reject(new ImagesError('MANIFEST_UNKNOWN', 'not there'))
          : inner.getManifest(path, reference, call),
    }));

  it('checks every image, or the one for the platform', async () => {
    expect(whatOf(await check(index)).filter((what) => what === 'manifest')).toHaveLength(2);
    const parts = await check(index, { platform: parsePlatform('linux/arm64') });
    expect(parts.map(({ digest }) => digest)).toContain(ARM.manifest.digest);
    expect(parts.map(({ digest }) => digest)).not.toContain(GOOD.manifest.digest);
    const none = check(index, { platform: parsePlatform('linux/s390x') });
    await expect(none).rejects.toMatchObject({ code: 'PLATFORM_UNKNOWN' });
  });

  it('notes images that are not there; it is a problem if none is', async () => {
    const [first] = await checkSource(await without(ARM.manifest.digest), {});
    expect(first).toMatchObject({ what: 'index', problems: [], notes: ['not there: linux/arm64'] });
    const parts = await checkSource(await without(ARM.manifest.digest, GOOD.manifest.digest), {});
    expect(problemsOf(parts)).toEqual(['index: none of its images is there']);
  });

  it('reads a layer of several images once', async () => {
    const there = await inRegistry(index);
    const layers: LayerResults = new Map();
    await checkSource(there, {}, { layers });
    await checkSource(there, {}, { layers });
    expect(there.read.filter((digest) => digest === LAYER.digest)).toHaveLength(1);
  });
});

it('checking a single image requires the platform that is named', async () => {
  const wrong = check(ARM, { platform: parsePlatform('linux/amd64') });
  await expect(wrong).rejects.toMatchObject({ code: 'PLATFORM_UNKNOWN' });
  expect(problemsOf(await check(ARM, { platform: parsePlatform('linux/arm64') }))).toEqual([]);
});

describe('the remembered index of a layer', () => {
  /** A memory with these bytes; what is written to it. */
  async function checkWith(load: IndexStore['load']): Promise<readonly Uint8Array[]> {
    const saved: Uint8Array[] = [];
    const save: IndexStore['save'] = async (bytes) => void saved.push(bytes);
    await checkSource({ ...(await inRegistry(ARM)), indexOf: () => ({ load, save }) }, {});
    return saved;
  }

  it('is repaired if it is wrong or cannot be read, and left alone if it is right or absent', async () => {
    const [right] = await checkWith(async () => Buffer.from('wrong'));
    expect(right?.length).toBeGreaterThan(0);
    const unreadable = () => Promise.reject(new ImagesError('NO_ACCESS', 'not for you'));
    expect((await checkWith(unreadable)).map((bytes) => Buffer.from(bytes))).toEqual([Buffer.from(right ?? [])]);
    expect(await checkWith(async () => right)).toEqual([]);
    expect(await checkWith(async () => undefined)).toEqual([]);
  });
});

describe('a check ends', () => {
  it.each(['ABORTED', 'DENIED'] as const)(
    'with an error of the registry for a manifest, and with an abort: %s',
    async (code) => {
      const refuse = () => Promise.reject(new ImagesError(code, 'refused'));
      const children = await inRegistry(buildIndex([GOOD]), (inner) => ({
        getManifest: (path, reference, call) =>
          reference === '1' ? inner.getManifest(path, reference, call) : refuse(),
      }));
      await expect(checkSource(children, {})).rejects.toMatchObject({ code });
      const blobs = checkSource(await inRegistry(GOOD, () => ({ getBlob: refuse })), {});
      if (code === 'ABORTED') await expect(blobs).rejects.toMatchObject({ code });
      else expect(problemsOf(await blobs)).toHaveLength(3);
    },
  );
});

/** A gzipped layer of entries that the fixture's tar does not know. */
async function layersOf(entries: readonly TestEntry[]): Promise<FixtureLayer> {
  const archive = await archiveOf(entries);
  return { ...blob(LAYER.mediaType, gzipSync(archive)), diffId: digestOf(archive) };
}
