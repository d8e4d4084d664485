// Nothing to do: everything is there already, and finding that out is all the work.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { buildImage, pushImage, randomLayer } from '../test/fixtures/image.ts';
import { startDockerRegistry } from '../test/peers/docker-registry.ts';
import { type DockerPeer, startDockerd } from '../test/peers/dockerd.ts';
import { needs } from '../test/peers/find.ts';
import { must } from '../test/peers/process.ts';
import { newWorld, ROOT } from '../test/peers/program.ts';
import { temporaryDirectory } from '../test/peers/temporary.ts';
import { CALICO, writeOverlay } from './fixture.ts';
import { measure, median, medianRatio } from './measure.ts';
import { atLeast, atMost, type Figure, plain } from './report.ts';

const TIMES = 5;

export async function presentFigures(rounds: number): Promise<readonly Figure[]> {
  await using registry = await startDockerRegistry();
  await using scratch = await temporaryDirectory('bench');
  await using world = await newWorld();
  await using address = await addressLookup(registry.host);
  await world.mirror({ 'docker.io': registry.host, 'quay.io': registry.host });

  const image = buildImage({ layers: [randomLayer('small', 100_000)] });
  const names = Array.from({ length: 15 }, (_, index) => `library/image-${index}:1`);
  const overlay = join(scratch.path, 'overlay');
  await writeOverlay(
    overlay,
    names.map((name) => `docker.io/${name}`),
  );
  const overlays = existsSync(CALICO) ? [overlay, CALICO] : [overlay];
  for (const name of names) await pushImage(registry.base, name, image);
  if (overlays.length > 1) {
    for (const name of (await world.must(['getimages', CALICO])).split('\n').filter(Boolean)) {
      await pushImage(registry.base, name.replace(/^[^/]*\.[^/]*\//, ''), image);
    }
  }
  for (const one of overlays) await world.must(['lreg_preload', one]);

  const program = (args: readonly string[], env = {}) => ({
    command: join(ROOT, 'bin/images'),
    args,
    options: { env: { ...world.env, ...env } },
  });
  const old = (args: readonly string[]) => ({
    command: join(ROOT, 'bench/old-way.sh'),
    args,
    options: { env: { OLD_ADDRESS: address.command } },
  });
  const http = { LOCAL_REGISTRY: registry.host };
  const first = 'docker.io/library/image-0:1';
  const commands = {
    preload: program(['lreg_preload', overlay]),
    ...(overlays.length > 1 && { calico: program(['lreg_preload', CALICO]) }),
    missing: program(['lreg_missingimages', overlay]),
    missingHttp: program(['lreg_missingimages', overlay], http),
    missingOld: old(['missing', overlay]),
    loaded: program(['lreg_isloaded', first]),
    loadedHttp: program(['lreg_isloaded', first], http),
    loadedOld: old(['isloaded', first]),
  };
  const times = new Map<string, number[]>();
  for (let round = 0; round < rounds * TIMES; round++) {
    for (const [name, command] of Object.entries(commands)) {
      times.set(name, [...(times.get(name) ?? []), (await measure(command)).seconds * 1000]);
    }
  }
  const of = (name: string) => times.get(name) ?? [];
  return [
    atMost('lreg_preload, all 15 present', median(of('preload')), 150, ' ms'),
    ...(overlays.length > 1 ? [atMost('lreg_preload, all of calico present', median(of('calico')), 150, ' ms')] : []),
    plain(`lreg_missingimages, old way (${address.note})`, median(of('missingOld')), ' ms'),
    plain('lreg_missingimages, embedded', median(of('missing')), ' ms'),
    plain('lreg_missingimages, over HTTP', median(of('missingHttp')), ' ms'),
    atLeast('lreg_missingimages: old way / embedded', medianRatio(of('missingOld'), of('missing')), 12, ' ×'),
    plain('lreg_isloaded, old way', median(of('loadedOld')), ' ms'),
    plain('lreg_isloaded, embedded', median(of('loaded')), ' ms'),
    atMost('lreg_isloaded: embedded / old way', medianRatio(of('loaded'), of('loadedOld')), 1, ' ×'),
    atMost('lreg_isloaded: over HTTP / old way', medianRatio(of('loadedHttp'), of('loadedOld')), 1.5, ' ×'),
  ];
}

interface AddressLookup extends AsyncDisposable {
  readonly command: string;
  readonly note: string;
}

/** How the old way finds the registry: it asks the Docker daemon about a container named `registry`. The answer here is ours, the asking is real. */
async function addressLookup(host: string): Promise<AddressLookup> {
  if (needs('root', 'docker', 'dockerd').missing) {
    return { command: `echo ${host}`, note: 'without docker inspect', [Symbol.asyncDispose]: async () => {} };
  }
  const peer: DockerPeer = await startDockerd();
  await must('sh', ['-c', 'tar -cf- -C /etc hostname | docker import - registry'], { env: { DOCKER_HOST: peer.host } });
  await peer.docker(['create', '--name=registry', '--network=host', 'registry', 'registry']);
  return {
    command: `docker --host=${peer.host} inspect -f ${host} registry`,
    note: 'with docker inspect',
    [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose](),
  };
}
