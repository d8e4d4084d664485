import { randomBytes } from 'node:crypto';
import { truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RegistryPeer, startDockerRegistry } from '../../../test/peers/docker-registry.ts';
import { needs } from '../../../test/peers/find.ts';
import type { Bytes } from '../../io/streams/bytes.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { digestOf } from '../../oci/digest.ts';
import { isImagesError } from '../../oci/errors.ts';
import { rawManifest } from '../../oci/manifest.ts';
import { OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST } from '../../oci/media-types.ts';
import type { Registry } from '../contract.ts';
import { type RegistryClients, registryClients } from './registry-clients.ts';

const peer = needs('docker-registry');

async function* chunks(bytes: Uint8Array, size = 64 * 1024): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function collect(body: Bytes): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(body));
}

function describeBytes(bytes: Uint8Array, mediaType: string): Descriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
}

describe.skipIf(peer.missing)(`the client with Debian's docker-registry${peer.why}`, () => {
  const config = Buffer.from('{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}');
  const layer = randomBytes(3 * 1024 * 1024 + 17);
  const manifest = rawManifest(
    Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: OCI_MANIFEST,
        config: describeBytes(config, OCI_CONFIG),
        layers: [describeBytes(layer, OCI_LAYER_GZIP)],
      }),
    ),
  );
  let server: RegistryPeer;
  let clients: RegistryClients;
  let registry: Registry;

  beforeAll(async () => {
    server = await startDockerRegistry();
    clients = registryClients({ temporaryDirectory: tmpdir() });
    registry = clients.forHost(server.host);
    for (const bytes of [config, layer]) {
      await registry.putBlob('team/app', describeBytes(bytes, ''), async () => chunks(bytes));
    }
    await registry.putManifest('team/app', manifest, ['1.0', 'latest']);
  });
  afterAll(async () => {
    await clients?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });

  it('reads back what it pushed, by tag and by digest', async () => {
    expect(await registry.getManifest('team/app', '1.0')).toEqual(manifest);
    expect(await registry.getManifest('team/app', manifest.digest)).toEqual(manifest);
    const { digest, size, mediaType } = manifest;
    expect(await registry.statManifest('team/app', 'latest')).toEqual({ digest, size, mediaType });
    const { descriptor, body } = await registry.getBlob('team/app', digestOf(layer));
    expect(descriptor.size).toBe(layer.length);
    expect((await collect(body)).equals(layer)).toBe(true);
  });

  it('reads ranges of blobs', async () => {
    const from = await registry.getBlob('team/app', digestOf(layer), { from: 1_000_000 });
    expect(from.descriptor.size).toBe(layer.length);
    expect((await collect(from.body)).equals(layer.subarray(1_000_000))).toBe(true);
    const middle = await registry.getBlob('team/app', digestOf(layer), { from: 10, to: 20 });
    expect((await collect(middle.body)).equals(layer.subarray(10, 20))).toBe(true);
    const beyond = registry.getBlob('team/app', digestOf(layer), { from: layer.length + 1 });
    await expect(beyond).rejects.toMatchObject({ code: 'RANGE_INVALID' });
  });

  it('does not open the content of a blob that is there', async () => {
    const refuse = () => Promise.reject(new Error('opened'));
    await registry.putBlob('team/app', describeBytes(layer, ''), refuse);
  });

  it('reports that the registry keeps a damaged blob, if pushing it again does not repair it', async () => {
    const content = randomBytes(100_000);
    const blob = describeBytes(content, '');
    await registry.putBlob('team/cut', blob, async () => chunks(content));
    const hex = blob.digest.slice('sha256:'.length);
    await truncate(join(server.data, 'docker/registry/v2/blobs/sha256', hex.slice(0, 2), hex, 'data'), 1000);
    await expect(registry.putBlob('team/cut', blob, async () => chunks(content))).rejects.toMatchObject({
      code: 'SIZE_INVALID',
      message: expect.stringContaining('keeps a damaged copy'),
    });
  });

  it('mounts blobs of another repository, and says if that failed', async () => {
    expect(await registry.mountBlob('team/other', digestOf(layer), 'team/app')).toBe(true);
    expect(await registry.statBlob('team/other', digestOf(layer))).toMatchObject({ size: layer.length });
    expect(await registry.mountBlob('team/other', digestOf(Buffer.from('nowhere')), 'team/app')).toBe(false);
  });

  it('distinguishes what is absent from what failed', async () => {
    const nothing = digestOf(Buffer.from('nothing'));
    expect(await registry.statManifest('team/app', 'no-such-tag')).toBeUndefined();
    expect(await registry.statManifest('no/such', 'latest')).toBeUndefined();
    expect(await registry.statBlob('team/app', nothing)).toBeUndefined();
    await expect(registry.getManifest('team/app', 'no-such-tag')).rejects.toMatchObject({ code: 'MANIFEST_UNKNOWN' });
    await expect(registry.getBlob('team/app', nothing)).rejects.toMatchObject({ code: 'BLOB_UNKNOWN' });
    await expect(Array.fromAsync(registry.tags('no/such'))).rejects.toMatchObject({ code: 'NAME_UNKNOWN' });
    await expect(registry.getManifest('No/Such', 'x')).rejects.toMatchObject({ code: 'NAME_INVALID' });
  });

  it('refuses a content that is not what its descriptor says, and keeps nothing of it', async () => {
    const claimed = describeBytes(Buffer.from('right'), '');
    const put = (text: string) => registry.putBlob('team/app', claimed, async () => chunks(Buffer.from(text)));
    await expect(put('wrong')).rejects.toMatchObject({ code: 'DIGEST_INVALID' });
    await expect(put('too long')).rejects.toMatchObject({ code: 'SIZE_INVALID' });
    await expect(put('few')).rejects.toMatchObject({ code: 'SIZE_INVALID' });
    expect(await registry.statBlob('team/app', claimed.digest)).toBeUndefined();
  });

  it('throws what the content itself throws', async () => {
    const reason = new Error('the disk is gone');
    const open = async () =>
      (async function* () {
        yield Buffer.from('ri');
        throw reason;
      })();
    await expect(registry.putBlob('team/app', describeBytes(Buffer.from('right'), ''), open)).rejects.toBe(reason);
  });

  it('says which manifest lacks its blobs', async () => {
    const lacking = describeBytes(Buffer.from('lacking'), OCI_LAYER_GZIP);
    const bytes = JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: describeBytes(config, OCI_CONFIG),
      layers: [lacking],
    });
    const put = registry.putManifest('team/app', rawManifest(Buffer.from(bytes)), ['broken']);
    await expect(put).rejects.toMatchObject({ code: 'MANIFEST_BLOB_UNKNOWN' });
  });

  it('uploads in chunks, and continues an upload by its id', async () => {
    const bytes = randomBytes(300_000);
    const first = await registry.openUpload('team/pieces');
    expect(await first.append(chunks(bytes.subarray(0, 100_000)), { from: 0 })).toBe(100_000);
    await expect(first.append(chunks(bytes), { from: 5 })).rejects.toMatchObject({ code: 'RANGE_INVALID' });
    const second = await registry.openUpload('team/pieces', first.id);
    expect(second.size).toBe(100_000);
    expect(await second.append(chunks(bytes.subarray(100_000)))).toBe(300_000);
    expect(await second.commit(digestOf(bytes))).toMatchObject({ size: 300_000 });
    expect((await collect((await registry.getBlob('team/pieces', digestOf(bytes))).body)).equals(bytes)).toBe(true);
    const cancelled = await registry.openUpload('team/pieces');
    await cancelled.cancel();
    await expect(registry.openUpload('team/pieces', cancelled.id)).rejects.toMatchObject({
      code: 'BLOB_UPLOAD_UNKNOWN',
    });
  });

  it('lists tags and repositories in byte order', async () => {
    await registry.putManifest('team/app', manifest, ['v10', 'V2', 'a_b', 'a-b']);
    const tags = await Array.fromAsync(registry.tags('team/app'));
    expect(tags.filter((tag) => !tag.startsWith('sha256-'))).toEqual(['1.0', 'V2', 'a-b', 'a_b', 'latest', 'v10']);
    expect(await Array.fromAsync(registry.tags('team/app', 'latest'))).toContain('v10');
    expect(await Array.fromAsync(registry.tags('team/app', 'v1'))).toEqual(['v10']);
    // docker-registry walks directories: `team/app` before `team-b`.
    await registry.mountBlob('team-b/app', digestOf(layer), 'team/app');
    await registry.mountBlob('team-b/app', digestOf(config), 'team/app');
    await registry.putManifest('team-b/app', manifest, ['1']);
    const repositories = await Array.fromAsync(registry.repositories());
    expect(repositories).toEqual([...repositories].sort());
    expect(repositories).toContain('team-b/app');
  });

  it('keeps the list of referrers where the registry does not', async () => {
    expect(await Array.fromAsync(registry.referrers('team/app', manifest.digest))).toEqual([]);
    const { digest, size, mediaType } = manifest;
    const referrers = ['a', 'b'].map((note) =>
      rawManifest(
        Buffer.from(
          JSON.stringify({
            schemaVersion: 2,
            mediaType: OCI_MANIFEST,
            artifactType: `text/${note}`,
            config: describeBytes(config, OCI_CONFIG),
            layers: [],
            subject: { mediaType, digest, size },
            annotations: { note },
          }),
        ),
      ),
    );
    await Promise.all(referrers.map((each) => registry.putManifest('team/app', each, [])));
    await registry.putManifest('team/app', referrers[0] ?? manifest, []);
    const found = await Array.fromAsync(registry.referrers('team/app', manifest.digest));
    expect(found.map((each) => `${each.digest} ${each.artifactType} ${each.annotations?.note}`).sort()).toEqual(
      referrers.map((each, at) => `${each.digest} ${['text/a a', 'text/b b'][at]}`).sort(),
    );
    expect(await Array.fromAsync(registry.referrers('team/app', manifest.digest, 'text/b'))).toHaveLength(1);
  });

  it('says that this registry cannot remove a tag alone', async () => {
    const error = await registry.deleteTag('team/app', 'latest').catch((thrown) => thrown);
    expect(isImagesError(error, 'UNSUPPORTED')).toBe(true);
    expect(error.hint).toContain('by its digest');
    expect(await registry.statManifest('team/app', 'latest')).toBeDefined();
  });

  it('deletes manifests and blobs', async () => {
    await registry.deleteManifest('team-b/app', manifest.digest);
    expect(await registry.statManifest('team-b/app', manifest.digest)).toBeUndefined();
    await expect(registry.deleteManifest('team-b/app', manifest.digest)).rejects.toMatchObject({
      code: 'MANIFEST_UNKNOWN',
    });
    await registry.deleteBlob('team-b/app', digestOf(layer));
    expect(await registry.statBlob('team-b/app', digestOf(layer))).toBeUndefined();
    await expect(registry.deleteBlob('team-b/app', digestOf(layer))).rejects.toMatchObject({ code: 'BLOB_UNKNOWN' });
  });
});
