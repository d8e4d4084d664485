// What fetching on demand costs (`serve --proxy`): eight nodes against one, cold against a direct pull, warm against a pull of what was pushed here. The registry
// behind it is docker-registry, and one that sends 50 MB a second. Each cold sample has a store of its own.

import { startUpstream } from '../test/peers/upstream.ts';
import { median } from './measure.ts';
import { skopeoFigures } from './proxy-skopeo.ts';
import { type Blob, newContent, put } from './registry-content.ts';
import { load, type Planned } from './registry-sample.ts';
import { type Server, startDocker, startOurs } from './registry-servers.ts';
import { atLeast, atMost, type Figure, plain } from './report.ts';

const REPOSITORY = 'bench/large';
const BLOBS = 3;
const SLOW = 50e6;

export async function proxyFigures(rounds: number): Promise<readonly Figure[]> {
  const blobs = Array.from({ length: BLOBS }, () => newContent().large);
  await using docker = await startDocker();
  for (const blob of blobs) await put(docker, REPOSITORY, blob);
  await using slow = await startUpstream();
  const [first] = blobs;
  if (!first) throw new Error('no blob');
  slow.addBlob(first.digest, {
    size: first.bytes.length,
    *chunks(from) {
      for (let at = from; at < first.bytes.length; at += 1 << 18) yield first.bytes.subarray(at, at + (1 << 18));
    },
  });
  slow.behave({ bytesPerSecond: SLOW });
  const samples: Record<string, number[]> = {};
  const note = (what: string, value: number) => {
    samples[what] = [...(samples[what] ?? []), value];
  };
  let peak = 0;
  for (let round = 0; round < rounds; round++) {
    const upstream = `127.0.0.1:${docker.port}`;
    const direct = await speed(docker, blobs, { connections: 1 });
    {
      await using ours = await startOurs({ args: [`--proxy=${upstream}`] });
      const ns = `?ns=${upstream}`;
      note('cold', direct / (await speed(ours, blobs, { connections: 1, ns })));
      const one = await speed(ours, blobs, { connections: 1, ns });
      note('nodes', (await speed(ours, blobs, { connections: 8, ns })) / one);
      await using local = await startOurs();
      for (const blob of blobs) await put(local, REPOSITORY, blob);
      note('warm', (await speed(local, blobs, { connections: 1 })) / one);
    }
    {
      await using ours = await startOurs({ args: [`--proxy=${upstream}`] });
      const ns = `?ns=${upstream}`;
      note('cold nodes', (await speed(ours, blobs, { connections: 8, ns })) / direct);
      peak = Math.max(peak, ours.peak());
    }
    {
      await using ours = await startOurs({ args: [`--proxy=${slow.host}`] });
      const slowly = await speed(slow, [first], { connections: 1 });
      note('slow', slowly / (await speed(ours, [first], { connections: 1, ns: `?ns=${slow.host}` })));
    }
  }
  const of = (what: string) => median(samples[what] ?? []);
  return [
    atLeast('proxy, all is here: 8 nodes, in total, against one', of('nodes'), 0.9, 'x'),
    plain('proxy, nothing is here: 8 nodes, in total, against one that pulls directly', of('cold nodes'), 'x'),
    plain(
      'proxy, nothing is here: one client that does nothing with it, from docker-registry on this machine',
      of('cold'),
      'x',
    ),
    atMost(
      'proxy, nothing is here: time against a direct pull from a registry that sends 50 MB/s',
      of('slow'),
      1.15,
      'x',
    ),
    atMost('proxy, all is here: time against what was pushed here', of('warm'), 1.1, 'x'),
    plain('proxy: peak memory while 8 nodes pull what is not here', peak, ' MB'),
    ...(await skopeoFigures(rounds)),
  ];
}

interface Way {
  readonly connections: number;
  readonly ns?: string;
}

/** In bytes a second, of all connections together. */
async function speed(
  { port }: Pick<Server, 'port'>,
  blobs: readonly Blob[],
  { connections, ns = '' }: Way,
): Promise<number> {
  const paths = blobs.map(({ digest }) => `/v2/${REPOSITORY}/blobs/${digest}${ns}`);
  const plan: Planned = { kind: 'pull', connections, paths };
  const { bytes, seconds } = await load({ ...plan, port });
  return bytes / seconds;
}
