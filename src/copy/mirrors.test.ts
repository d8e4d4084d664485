import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OCI_MANIFEST } from '../oci/media-types.ts';
import { registryClients } from '../registry/client/registry-clients.ts';
import {
  type Fault,
  type FaultyServer,
  sendRange,
  startFaultyServer,
} from '../registry/client/testing/faulty-server.ts';
import { serve } from '../server/listen.ts';
import { memoryStore } from '../storage/drivers/staged-store.ts';
import { storedRegistry } from '../storage/repositories/stored-registry.ts';
import { ociArchiveSink } from '../transports/archive/oci-archive-sink.ts';
import type { ImageSink } from '../transports/contract.ts';
import { dockerArchiveSink } from '../transports/docker-archive/docker-archive-sink.ts';
import { copy } from './testing/copy.ts';
import { makeBlob, makeImage } from './testing/images.ts';
import { memoryRegistry, sinkInto } from './testing/memory-registry.ts';

const layer = makeBlob(randomBytes(3_000_000));
const image = makeImage({ layers: [layer] });
const holding = {
  contents: image.blobs.map(({ bytes }) => bytes),
  manifest: { bytes: image.manifest.bytes, mediaType: OCI_MANIFEST },
};

/** A registry that returns zeros instead of each blob. */
const damaged: Fault = (request, response) => {
  const blob = image.blobs.find(({ descriptor }) => request.url.includes(descriptor.digest));
  if (!blob || request.url.includes('/manifests/')) return false;
  sendRange(request, response, Buffer.alloc(blob.bytes.length));
  return true;
};

let host: FaultyServer;
let mirror: FaultyServer;
let directory: string;

beforeEach(async () => {
  host = await startFaultyServer(holding);
  mirror = await startFaultyServer(holding);
  mirror.inject(damaged);
  directory = await mkdtemp(join(tmpdir(), 'mirrors-'));
});
afterEach(async () => {
  await host[Symbol.asyncDispose]();
  await mirror[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

async function copyInto(sink: ImageSink) {
  await using clients = registryClients({
    temporaryDirectory: tmpdir(),
    hostRule: async () => ({ mirrors: [{ host: mirror.host, pulls: 'all' }], upstream: { host: host.host } }),
  });
  return await copy(['app:latest'], { from: clients.forHost('registry.example.com'), to: sink });
}

describe('a copy from a mirror whose blobs are damaged', () => {
  it('takes them from the host, for every transport, and keeps its totals true', async () => {
    await using server = await serve({
      registry: storedRegistry(memoryStore()),
      listen: [{ host: '127.0.0.1', port: 0 }],
      grace: 0,
    });
    await using clients = registryClients({ temporaryDirectory: tmpdir() });
    const remote = clients.forHost(`127.0.0.1:${server.addresses[0]?.port}`);
    for (const sink of [
      sinkInto(memoryRegistry()),
      sinkInto(remote, 'complete'),
      dockerArchiveSink(join(directory, 'docker.tar'), { temporaryDirectory: tmpdir() }),
      ociArchiveSink(join(directory, 'oci.tar'), { temporaryDirectory: tmpdir() }),
    ]) {
      const { result, events } = await copyInto(sink);
      expect(result.copied.map(({ digest }) => digest)).toEqual([image.manifest.digest]);
      expect(events.filter(({ type }) => type === 'plan').at(-1)).toMatchObject({ bytes: result.fetched });
      await sink[Symbol.asyncDispose]();
    }
    expect(await remote.statBlob('app', layer.descriptor.digest)).toMatchObject({ size: layer.bytes.length });
  });

  it('goes on with what an earlier copy left, and finds out all the same', async () => {
    const registry = memoryRegistry();
    const half = layer.bytes.subarray(0, 1_000_000);
    const broken = async function* () {
      yield half;
      throw new Error('gone');
    };
    await expect(registry.putBlob('app', layer.descriptor, async () => broken())).rejects.toThrow('gone');
    await copyInto(sinkInto(registry));
    expect(await registry.statBlob('app', layer.descriptor.digest)).toMatchObject({ size: layer.bytes.length });
  });

  it('fails once, with the host’s own words, where the host is no better', async () => {
    host.inject(damaged);
    await expect(copyInto(sinkInto(memoryRegistry()))).rejects.toMatchObject({
      code: 'DIGEST_INVALID',
      message: expect.stringContaining(host.host),
    });
  });
});
