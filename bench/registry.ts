// The registry's speed and memory, in turns with docker-registry over the same content and with the same clients; transfers also with a bare Node server.
// On few processors the clients take a part of the time, so beside each ratio of wall-clock time is that of the work per second of the server's processor time.
import { join } from 'node:path';
import { median, medianRatio } from './measure.ts';
import { type Content, fill, LARGE, newContent, put } from './registry-content.ts';
import { load, measured, type Planned, type Sample, unitOf } from './registry-sample.ts';
import { type Server, startDocker, startLimit, startOurs } from './registry-servers.ts';
import { atLeast, atMost, type Figure, plain } from './report.ts';

interface Case {
  readonly what: string;
  readonly plan: Planned;
  /** How many times docker-registry's speed. */
  readonly target: number;
  /** Also compared with the bare server, which may be so many times as fast. */
  readonly limit?: number;
}

const SECONDS = 2;

export async function registryFigures(rounds: number): Promise<readonly Figure[]> {
  const content = newContent();
  await using ours = await startOurs();
  await using docker = await startDocker();
  for (const server of [ours, docker]) await fill(server, content);
  const [hex = ''] = content.large.digest.split(':').slice(1);
  await using limit = await startLimit(
    join(ours.data, `docker/registry/v2/blobs/sha256/${hex.slice(0, 2)}/${hex}/data`),
  );
  const figures: Figure[] = [];
  const wanted = process.env.BENCH_CASES?.split(',');
  for (const one of cases(content)) {
    if (wanted && !wanted.some((part) => one.what.includes(part))) continue;
    figures.push(...(await compare(one, { ours, docker, limit }, rounds)));
  }
  return wanted && !wanted.includes('memory') ? figures : [...figures, ...(await memoryFigures(content))];
}

function cases({ image, small, large }: Content): readonly Case[] {
  const manifest = [`/v2/bench/small/manifests/1`];
  const get = (connections: number): Planned => ({
    kind: 'pull',
    connections,
    paths: Array<string>(Math.max(1, Math.ceil(8 / connections))).fill(`/v2/bench/large/blobs/${large.digest}`),
  });
  const ask = { kind: 'ask', connections: 8, seconds: SECONDS } as const;
  const layers = image.map(({ digest }) => `/v2/bench/image/blobs/${digest}`);
  return [
    { what: 'GET of a manifest', plan: { ...ask, method: 'GET', paths: manifest }, target: 6 },
    { what: 'HEAD of a manifest', plan: { ...ask, method: 'HEAD', paths: manifest }, target: 6 },
    {
      what: 'GET of blobs of 4 KB',
      plan: { ...ask, method: 'GET', paths: small.map(({ digest }) => `/v2/bench/small/blobs/${digest}`) },
      target: 8,
    },
    {
      what: 'small pushes',
      plan: { kind: 'push', connections: 4, images: 100, layerBytes: 20_000, repository: 'bench/push' },
      target: 1.7,
    },
    { what: 'GET of 256 MB, 1 client', plan: get(1), target: 1.1, limit: 1.15 },
    { what: 'GET of 256 MB, 8 clients', plan: get(8), target: 1.1, limit: 1.15 },
    { what: 'GET of 256 MB, 64 clients', plan: get(64), target: 0.9, limit: 1.15 },
    {
      what: 'PUT of 256 MB, 1 client',
      plan: { kind: 'put', connections: 1, bytes: LARGE, repository: 'bench/put' },
      target: 1.8,
      limit: 1.15,
    },
    {
      what: 'PUT of 256 MB, 4 clients',
      plan: { kind: 'put', connections: 4, bytes: LARGE, repository: 'bench/put' },
      target: 1.8,
      limit: 1.15,
    },
    {
      what: '64 nodes pull 20 layers of 1 MB',
      plan: { kind: 'pull', connections: 64, paths: ['/v2/bench/image/manifests/1', ...layers] },
      target: 1.3,
    },
  ];
}

interface Servers {
  readonly ours: Server;
  readonly docker: Server;
  readonly limit: Server;
}

async function compare(one: Case, servers: Servers, rounds: number): Promise<readonly Figure[]> {
  const names = (
    one.limit === undefined ? ['ours', 'docker'] : ['ours', 'docker', 'limit']
  ) as readonly (keyof Servers)[];
  const samples = { ours: [], docker: [], limit: [] } as Record<keyof Servers, Sample[]>;
  for (let round = 0; round <= rounds; round++) {
    for (const name of names) {
      const sample = await measured(servers[name], one.plan);
      // The first round warms all of them.
      if (round > 0) samples[name].push(sample);
    }
    const last = names.map((name) => `${name} ${samples[name].at(-1)?.line ?? 'warm'}`);
    console.error(`bench: ${one.what}: ${last.join('; ')}`);
  }
  const speeds = (name: keyof Servers) => samples[name].map(({ speed }) => speed);
  const thrifts = (name: keyof Servers) => samples[name].map(({ thrift }) => thrift);
  return [
    plain(`${one.what}, docker-registry`, median(speeds('docker')), unitOf(one.plan)),
    plain(`${one.what}, images`, median(speeds('ours')), unitOf(one.plan)),
    atLeast(`${one.what}: images / docker-registry`, medianRatio(speeds('ours'), speeds('docker')), one.target, ' ×'),
    atLeast(
      `${one.what}: by the server's processor time`,
      medianRatio(thrifts('ours'), thrifts('docker')),
      one.target,
      ' ×',
    ),
    ...(one.limit === undefined
      ? []
      : [atMost(`${one.what}: bare server / images`, medianRatio(speeds('limit'), speeds('ours')), one.limit, ' ×')]),
  ];
}

/** Peaks of servers that have just started, each for one kind of load. */
async function memoryFigures({ large }: Content): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const [what, connections, most] of [
    ['8 clients', 8, 150],
    ['64 clients', 64, 250],
    ['200 pulls', 200, 250],
  ] as const) {
    await using server = await startOurs();
    await put(server, 'bench/large', large);
    await load({
      kind: 'pull',
      port: server.port,
      connections,
      paths: [`/v2/bench/large/blobs/${large.digest}`],
    });
    figures.push(atMost(`peak memory, GET of 256 MB, ${what}`, server.peak(), most, ' MB'));
    if (connections > 64) continue;
    await using receiver = await startOurs();
    await load({ kind: 'put', port: receiver.port, connections, bytes: LARGE / 4, repository: 'bench/put' });
    figures.push(atMost(`peak memory, PUT of 64 MB, ${what}`, receiver.peak(), most, ' MB'));
  }
  return figures;
}
