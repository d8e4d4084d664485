// What a cold pull through the proxy costs skopeo, with everything on one machine: against a direct pull, against docker-registry as a proxy, and against a bare Node
// program that receives, hashes, writes, syncs and passes on. Processor seconds are those of the proxy alone.
import { spawnSync } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildImage, pushImage, randomLayer } from '../test/fixtures/image.ts';
import { must } from '../test/peers/process.ts';
import { temporaryDirectory } from '../test/peers/temporary.ts';
import { median } from './measure.ts';
import { type Server, startDocker, startLimitProxy, startOurs } from './registry-servers.ts';
import { atMost, type Figure, plain } from './report.ts';

const LAYERS = 10;
/** In bytes. */
const LAYER = 35e6;
const PATH = 'docker.io/bench/image:1';

export async function skopeoFigures(rounds: number): Promise<readonly Figure[]> {
  await using directory = await temporaryDirectory('bench-skopeo');
  await using upstream = await startDocker();
  const layers = Array.from({ length: LAYERS }, (_, at) => randomLayer(`layer ${at}`, LAYER));
  await pushImage(`http://127.0.0.1:${upstream.port}`, PATH, buildImage({ layers }));
  const config = join(directory.path, 'registries.conf');
  await writeFile(
    config,
    `[[registry]]\nprefix = "docker.io"\nlocation = "127.0.0.1:${upstream.port}/docker.io"\ninsecure = true\n`,
  );
  const host = `127.0.0.1:${upstream.port}`;
  const proxies = {
    ours: () => startOurs({ args: ['--proxy'], env: { CONTAINERS_REGISTRIES_CONF: config } }),
    docker: () => startDocker({ proxyOf: `http://${host}` }),
    bare: () => startLimitProxy(host),
  };
  const samples: Record<string, number[]> = {};
  const note = (what: string, value: number) => {
    samples[what] = [...(samples[what] ?? []), value];
  };
  for (let round = 0; round < rounds; round++) {
    const direct = await pull(upstream, directory.path);
    note('direct', direct);
    for (const [name, start] of Object.entries(proxies)) {
      await using proxy = await start();
      const before = proxy.cpu();
      note(`${name} cold`, (await pull(proxy, directory.path)) / direct);
      note(`${name} processor`, proxy.cpu() - before);
      if (name !== 'bare') note(`${name} warm`, (await pull(proxy, directory.path)) / direct);
    }
  }
  const of = (what: string) => median(samples[what] ?? []);
  return [
    plain('proxy, skopeo, 350 MB: a direct pull', of('direct'), ' s'),
    atMost('proxy, skopeo, nothing is here: time against a direct pull', of('ours cold'), 1.15, 'x'),
    plain('proxy, skopeo, nothing is here: the same with docker-registry as proxy', of('docker cold'), 'x'),
    plain('proxy, skopeo, nothing is here: the same with a bare Node program', of('bare cold'), 'x'),
    atMost('proxy, skopeo, all is here: time against a direct pull', of('ours warm'), 1.1, 'x'),
    plain('proxy, skopeo, all is here: the same with docker-registry as proxy', of('docker warm'), 'x'),
    plain('proxy, skopeo, nothing is here: processor time of the proxy', of('ours processor'), ' s'),
    plain('proxy, skopeo, nothing is here: the same of docker-registry', of('docker processor'), ' s'),
    plain('proxy, skopeo, nothing is here: the same of a bare Node program', of('bare processor'), ' s'),
  ];
}

/** Seconds. What others have left to be written goes to the disk before. */
async function pull({ port }: Pick<Server, 'port'>, directory: string): Promise<number> {
  const to = join(directory, 'image');
  await rm(to, { recursive: true, force: true });
  spawnSync('sync');
  const began = performance.now();
  await must('skopeo', ['copy', '-q', '--src-tls-verify=false', `docker://127.0.0.1:${port}/${PATH}`, `dir:${to}`]);
  return (performance.now() - began) / 1000;
}
