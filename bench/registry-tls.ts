// Large blobs over TLS, in turns with docker-registry: the same certificate, the same client (curl), HTTP/2 and HTTP/1.1. One client at a time.
import { randomBytes } from 'node:crypto';
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openAuthority } from '../src/certificates/authority.ts';
import { digestOf } from '../src/oci/digest.ts';
import { must } from '../test/peers/process.ts';
import { temporaryDirectory } from '../test/peers/temporary.ts';
import { measure, median, medianRatio } from './measure.ts';
import { LARGE } from './registry-content.ts';
import { type Server, startDocker, startOurs, type TlsFiles } from './registry-servers.ts';
import { atLeast, type Figure, plain } from './report.ts';

/** On one connection, so that starting curl and the handshake are a small part. */
const TRANSFERS = 4;
const PIECE = 4 * 1024 * 1024;

interface Case {
  readonly what: string;
  readonly version: '--http2' | '--http1.1';
  readonly kind: 'get' | 'put';
  /** How many times docker-registry's speed; absent: it is reported only. */
  readonly target?: number;
}

const CASES: readonly Case[] = [
  { what: 'TLS, HTTP/2: GET of 256 MB', version: '--http2', kind: 'get', target: 1.2 },
  { what: 'TLS, HTTP/1.1: GET of 256 MB', version: '--http1.1', kind: 'get', target: 0.85 },
  { what: 'TLS, HTTP/2: PUT of 256 MB', version: '--http2', kind: 'put' },
  { what: 'TLS, HTTP/1.1: PUT of 256 MB', version: '--http1.1', kind: 'put' },
];

interface Sample {
  /** MB a second, and MB for each second of the server's processor time. */
  readonly speed: number;
  readonly thrift: number;
}

interface Bench {
  readonly servers: Readonly<Record<Name, Server>>;
  readonly curl: readonly string[];
  readonly directory: string;
}

type Name = 'ours' | 'docker';
const NAMES: readonly Name[] = ['ours', 'docker'];

export async function tlsFigures(rounds: number): Promise<readonly Figure[]> {
  await using directory = await temporaryDirectory('bench-tls');
  const tls = await makeCertificate(directory.path);
  await using ours = await startOurs({ tls });
  await using docker = await startDocker({ tls });
  const curl = ['-sSf', '--cacert', join(directory.path, 'ca.crt')];
  const bench: Bench = { servers: { ours, docker }, curl, directory: directory.path };
  const wanted = process.env.BENCH_CASES?.split(',');
  const figures: Figure[] = [];
  for (const one of CASES) {
    if (wanted && !wanted.some((part) => one.what.includes(part))) continue;
    figures.push(...(await compare(one, bench, rounds)));
  }
  return figures;
}

async function compare(one: Case, bench: Bench, rounds: number): Promise<readonly Figure[]> {
  const samples: Record<Name, Sample[]> = { ours: [], docker: [] };
  for (let round = 0; round <= rounds; round++) {
    // A blob of its own for each round: what is there already would not be stored again.
    const blob = await newBlob(bench.directory);
    for (const name of NAMES) {
      const server = bench.servers[name];
      const { sample, line } = await (one.kind === 'get' ? gets : puts)(server, one, { ...bench, blob });
      console.error(`bench: ${one.what}: ${name} ${line}`);
      // The first round warms both.
      if (round > 0) samples[name].push(sample);
    }
  }
  const of = (name: Name, value: keyof Sample) => samples[name].map((sample) => sample[value]);
  const ratios = [
    [`${one.what}: images / docker-registry`, medianRatio(of('ours', 'speed'), of('docker', 'speed'))],
    [`${one.what}: by the server's processor time`, medianRatio(of('ours', 'thrift'), of('docker', 'thrift'))],
  ] as const;
  return [
    plain(`${one.what}, docker-registry`, median(of('docker', 'speed')), ' MB/s'),
    plain(`${one.what}, images`, median(of('ours', 'speed')), ' MB/s'),
    ...ratios.map(([what, ratio]) =>
      one.target === undefined ? plain(what, ratio, ' ×') : atLeast(what, ratio, one.target, ' ×'),
    ),
  ];
}

interface Blob {
  readonly file: string;
  readonly digest: string;
}

type Measured = { readonly sample: Sample; readonly line: string };

async function gets(
  server: Server,
  { version }: Case,
  { curl, blob }: Bench & { readonly blob: Blob },
): Promise<Measured> {
  await must('curl', [...curl, '-T', blob.file, await uploadAt(server, curl, blob)]);
  const url = `https://127.0.0.1:${server.port}/v2/bench/tls/blobs/${blob.digest}`;
  const transfers = Array.from({ length: TRANSFERS }, () => ['-o', '/dev/null', url]).flat();
  return await measured(server, [...curl, version, ...transfers], TRANSFERS * LARGE);
}

async function puts(
  server: Server,
  { version }: Case,
  { curl, blob }: Bench & { readonly blob: Blob },
): Promise<Measured> {
  const url = await uploadAt(server, curl, blob);
  return await measured(server, [...curl, version, '-o', '/dev/null', '-T', blob.file, url], LARGE);
}

async function measured(server: Server, args: readonly string[], bytes: number): Promise<Measured> {
  const before = server.cpu();
  const { seconds } = await measure({ command: 'curl', args });
  const cpu = server.cpu() - before;
  const [speed, thrift] = [bytes / 1e6 / seconds, bytes / 1e6 / cpu];
  return { sample: { speed, thrift }, line: `${speed.toFixed(0)} MB/s (${thrift.toFixed(0)} MB for 1 s of processor)` };
}

/** Begins an upload: where its one PUT goes. */
async function uploadAt({ port }: Server, curl: readonly string[], { digest }: Blob): Promise<string> {
  const base = `https://127.0.0.1:${port}`;
  const head = await must('curl', [
    ...curl,
    '-D',
    '-',
    '-o',
    '/dev/null',
    '-X',
    'POST',
    `${base}/v2/bench/tls/blobs/uploads/`,
  ]);
  const location = new URL(/^location: (.*)$/im.exec(head)?.[1]?.trim() ?? '', base);
  location.searchParams.set('digest', digest);
  return location.href;
}

/** The same piece many times, after one of its own. */
async function newBlob(directory: string): Promise<Blob> {
  const piece = randomBytes(PIECE);
  const bytes = Buffer.alloc(LARGE, piece);
  const file = join(directory, 'blob');
  await using to = await open(file, 'w');
  await to.writeFile(bytes);
  // So that it is not written out while the servers are measured.
  await to.sync();
  return { file, digest: digestOf(bytes) };
}

async function makeCertificate(directory: string): Promise<TlsFiles> {
  const authority = await openAuthority({ directory, machine: 'bench' });
  const address = { kind: 'ip', address: '127.0.0.1' } as const;
  const { certificate, key } = await authority.issue([address], { now: new Date(), days: 1 });
  const files = { certificate: join(directory, 'server.crt'), key: join(directory, 'server.key') };
  await writeFile(files.certificate, certificate);
  await writeFile(files.key, key, { mode: 0o600 });
  return files;
}
