// Peak memory of lreg_preload for an image of 100 MB and one of 5 GB: it must not grow with the image.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { buildImage, type FixtureImage } from '../test/fixtures/image.ts';
import { randomChunks } from '../test/fixtures/random.ts';
import { newWorld, ROOT } from '../test/peers/program.ts';
import { temporaryDirectory } from '../test/peers/temporary.ts';
import { startUpstream, type Upstream } from '../test/peers/upstream.ts';
import { writeOverlay } from './fixture.ts';
import { measure } from './measure.ts';
import { atMost, type Figure } from './report.ts';

const SIZES: Readonly<Record<string, number>> = { '100 MB': 100e6, '5 GB': 5e9 };

export async function memoryFigures(): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const [label, size] of Object.entries(SIZES)) {
    await using upstream = await startUpstream();
    await using world = await newWorld();
    await using scratch = await temporaryDirectory('bench');
    const name = `docker.io/bench/large:1`;
    await world.mirror({ 'docker.io': upstream.host });
    addLargeImage(upstream, 'bench/large:1', size);
    const overlay = join(scratch.path, 'overlay');
    await writeOverlay(overlay, [name]);
    const command = { command: join(ROOT, 'bin/images'), args: ['lreg_preload', overlay], options: { env: world.env } };
    const sample = await measure(command, 'memory');
    console.error(`bench: ${label} in ${sample.seconds.toFixed(1)} s`);
    figures.push(atMost(`lreg_preload, peak memory, image of ${label}`, sample.peak, 150, ' MB'));
  }
  return figures;
}

/** One layer, made while it is sent. Its bytes are no tar, which nothing between two registries looks at. */
function addLargeImage(upstream: Upstream, name: string, size: number): void {
  const hash = createHash('sha256');
  for (const chunk of randomChunks(name, size)) hash.update(chunk);
  const digest = `sha256:${hash.digest('hex')}`;
  const small = buildImage({ layers: [] });
  const manifest = JSON.parse(Buffer.from(small.manifest.bytes).toString());
  manifest.layers = [{ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest, size }];
  const bytes = Buffer.from(JSON.stringify(manifest));
  const image: FixtureImage = {
    ...small,
    manifest: { ...small.manifest, bytes, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}` },
  };
  upstream.addImage(name, image);
  upstream.addBlob(digest, { size, chunks: () => randomChunks(name, size) });
}
