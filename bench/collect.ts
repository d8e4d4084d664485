// Garbage collection of a large store: 10,000 manifests and 100,000 blobs, of which 10,000 are garbage. Its time and memory, and what requests cost meanwhile.

import { once } from 'node:events';
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { Agent, get, type IncomingMessage } from 'node:http';
import { dirname, join } from 'node:path';
import { type Digest, digestOf } from '../src/oci/digest.ts';
import {
  blobKey,
  layerLinkKey,
  revisionLinkKey,
  tagIndexLinkKey,
  tagLinkKey,
} from '../src/storage/layout/registry-keys.ts';
import { FORMAT_KEY } from '../src/storage/layout/store-keys.ts';
import { newWorld, ROOT } from '../test/peers/program.ts';
import { measure, median } from './measure.ts';
import { atLeast, atMost, type Figure } from './report.ts';

const REPOSITORIES = 100;
const PER_REPOSITORY = 100;
/** The blobs of one manifest, its config among them. */
const PER_MANIFEST = 8;
const GARBAGE = 10_000;
const LONG_AGO = new Date(Date.now() - 30 * 24 * 3600_000);

export async function collectFigures(): Promise<readonly Figure[]> {
  await using world = await newWorld();
  const needed = fillStore(world.data, 'first', { repositories: REPOSITORIES, perRepository: PER_REPOSITORY });
  addGarbage(world.data, 'first');
  const gc = { command: join(ROOT, 'bin/images'), args: ['lreg_gc', '--json'], options: { env: world.env } };
  const { seconds, peak, processor } = await measure(gc, 'memory');
  addGarbage(world.data, 'second');
  const registry = await world.startRegistry();
  const ratio = await slowdown(registry.port, () => world.images(['lreg_gc', '--json']));
  const size = `${REPOSITORIES * PER_REPOSITORY} manifests, ${needed + GARBAGE} blobs`;
  return [
    atMost(`lreg_gc of ${size}, ${GARBAGE} of them garbage`, seconds, 30, ' s'),
    // It gives way to others, so on a busy machine the clock tells of these.
    atMost('the same, processor time', processor, 30, ' s'),
    atMost('the same, peak memory', peak, 150, ' MB'),
    atLeast('manifests sent a second while lreg_gc runs / at other times', ratio, 0.9, ' ×'),
  ];
}

interface StoreSize {
  readonly repositories: number;
  readonly perRepository: number;
}

/** Writes the store's files, as docker-registry would have: without the program, which syncs them. Returns the number of blobs. */
export function fillStore(data: string, seed: string, { repositories, perRepository }: StoreSize): number {
  put(data, FORMAT_KEY, '1');
  for (let at = 0; at < repositories; at++) {
    const repository = `bench/app-${at}`;
    for (let image = 0; image < perRepository; image++) {
      const blobs = Array.from({ length: PER_MANIFEST }, (_, part) => {
        const bytes = Buffer.from(`${seed} ${at} ${image} ${part} ${'x'.repeat(900)}`);
        const digest = putBlob(data, bytes);
        put(data, layerLinkKey(repository, digest), digest);
        return { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest, size: bytes.length };
      });
      const [config, ...layers] = blobs;
      const mediaType = 'application/vnd.oci.image.manifest.v1+json';
      const manifest = putBlob(data, Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config, layers })));
      put(data, revisionLinkKey(repository, manifest), manifest);
      put(data, tagIndexLinkKey(repository, `v${image}`, manifest), manifest);
      put(data, tagLinkKey(repository, `v${image}`), manifest);
    }
  }
  return repositories * perRepository * (PER_MANIFEST + 1);
}

function addGarbage(data: string, seed: string): void {
  for (let at = 0; at < GARBAGE; at++) {
    const digest = putBlob(data, Buffer.from(`garbage ${seed} ${at} ${'x'.repeat(900)}`));
    put(data, layerLinkKey(`bench/app-${at % REPOSITORIES}`, digest), digest);
  }
}

function putBlob(data: string, bytes: Uint8Array): Digest {
  const digest = digestOf(bytes);
  put(data, blobKey(digest), bytes);
  return digest;
}

function put(data: string, key: string, content: string | Uint8Array): void {
  const path = join(data, key);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  utimesSync(path, LONG_AGO, LONG_AGO);
}

/** Requests a second while `work` runs, divided by those before and after it. */
async function slowdown(port: number, work: () => Promise<unknown>): Promise<number> {
  // Until all of it is compiled and in memory.
  await rateWhile(port, delayed(5000));
  const before = await rateWhile(port, delayed(3000));
  const during = await rateWhile(port, work());
  const after = await rateWhile(port, delayed(3000));
  return during / median([before, after]);
}

async function delayed(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

async function rateWhile(port: number, work: Promise<unknown>): Promise<number> {
  let isOver = false;
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const began = performance.now();
  let count = 0;
  const client = async (at: number) => {
    for (let image = at; !isOver; image++) {
      const path = `/v2/bench/app-${image % REPOSITORIES}/manifests/v${image % PER_REPOSITORY}`;
      const [answer] = (await once(get({ port, path, agent }), 'response')) as [IncomingMessage];
      await Array.fromAsync(answer);
      if (answer.statusCode !== 200) throw new Error(`${path}: ${answer.statusCode}`);
      count++;
    }
  };
  const clients = Promise.all([0, 25, 50, 75].map(client));
  await Promise.race([work, clients]);
  isOver = true;
  await clients;
  agent.destroy();
  return count / ((performance.now() - began) / 1000);
}
