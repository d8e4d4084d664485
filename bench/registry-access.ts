// What it costs to know who asks and what they may: the same registry with users, rules and the audit, and without, in turns.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hashPassword } from '../src/access/password-hash.ts';
import { temporaryDirectory } from '../test/peers/temporary.ts';
import { median, medianRatio } from './measure.ts';
import { fill, newSmallContent } from './registry-content.ts';
import { measured, type Planned, type Sample, unitOf } from './registry-sample.ts';
import { type Server, startOurs } from './registry-servers.ts';
import { atLeast, type Figure, plain } from './report.ts';

/** Of one turn; a round has several of each, because what else the machine does changes from second to second, and the difference that counts is small. */
const SECONDS = 0.5;
const TURNS = 4;
/** Rounds until both run compiled code: fewer make the registry with users, which has more of it, look slower. */
const WARMING = 3;
/** It may cost 15 %. */
const TARGET = 0.85;
const BASIC = `Basic ${Buffer.from('anna:secret').toString('base64')}`;
const SCOPES = 'scope=repository:bench/small:pull&scope=repository:bench/push:pull,push';

/** Many rules, of which only the last two are about what is asked. */
const OTHER_RULES = Array.from(
  { length: 10 },
  (_, at) =>
    `[[rule]]\nrepositories = "team-${at}/**"\nusers = ["user-${at}"]\nfrom = ["10.${at}.0.0/16"]\nallow = ["pull", "push"]\n`,
).join('');
const RULES = `${OTHER_RULES}
[[rule]]
repositories = "bench/**"
users = ["*"]
allow = ["pull"]
[[rule]]
repositories = "bench/**"
users = ["anna"]
allow = ["push"]
`;

interface Case {
  readonly what: string;
  readonly plan: Planned;
  /** The value of Authorization. Tokens are for five minutes, so each round has its own. */
  readonly login: (server: Server) => Promise<string>;
}

export async function accessFigures(rounds: number): Promise<readonly Figure[]> {
  await using directory = await temporaryDirectory('bench-users');
  const users = join(directory.path, 'users');
  await writeFile(users, `anna:${await hashPassword('secret')}\n`);
  await using open = await startOurs();
  const config = `auth = "htpasswd:${users}"\n${RULES}`;
  await using closed = await startOurs({ args: ['--audit'], config });
  const content = newSmallContent();
  await fill(open, content);
  await fill(closed, content, BASIC);
  const figures: Figure[] = [];
  for (const one of cases()) figures.push(...(await compare(one, { open, closed }, rounds)));
  return figures;
}

function cases(): readonly Case[] {
  const ask = (path: string): Planned => ({
    kind: 'ask',
    connections: 8,
    seconds: SECONDS,
    method: 'GET',
    paths: [path],
  });
  const manifest = ask('/v2/bench/small/manifests/1');
  const push: Planned = { kind: 'push', connections: 4, images: 25, layerBytes: 20_000, repository: 'bench/push' };
  return [
    { what: 'GET of a manifest with a token', plan: manifest, login: tokenOf },
    { what: 'GET of a manifest with a password', plan: manifest, login: async () => BASIC },
    { what: 'small pushes with a token', plan: push, login: tokenOf },
  ];
}

async function compare(
  { what, plan, login }: Case,
  { open, closed }: { readonly open: Server; readonly closed: Server },
  rounds: number,
): Promise<readonly Figure[]> {
  const samples: { readonly open: Mean; readonly closed: Mean }[] = [];
  const lineOf = ({ speed, thrift }: Mean) =>
    `${speed.toFixed(0)}${unitOf(plan)} (${(1000 / thrift).toFixed(3)} ms of processor)`;
  for (let round = 1 - WARMING; round <= rounds; round++) {
    const authorization = await login(closed);
    const turns: { readonly open: Sample[]; readonly closed: Sample[] } = { open: [], closed: [] };
    for (let turn = 0; turn < TURNS; turn++) {
      // Each is the first one as often as the other.
      const order = turn % 2 === 0 ? (['open', 'closed'] as const) : (['closed', 'open'] as const);
      for (const which of order)
        turns[which].push(
          await (which === 'open' ? measured(open, plan) : measured(closed, { ...plan, authorization })),
        );
    }
    const both = { open: meanOf(turns.open), closed: meanOf(turns.closed) };
    // The first rounds warm both.
    if (round > 0) samples.push(both);
    console.error(`bench: ${what}: for everybody ${lineOf(both.open)}; for users ${lineOf(both.closed)}`);
  }
  const of = (which: 'open' | 'closed', value: 'speed' | 'thrift') => samples.map((both) => both[which][value]);
  return [
    plain(`${what}: for everybody`, median(of('open', 'speed')), unitOf(plan)),
    plain(`${what}: users, rules, audit`, median(of('closed', 'speed')), unitOf(plan)),
    atLeast(`${what}: with / without`, medianRatio(of('closed', 'speed'), of('open', 'speed')), TARGET, ' ×'),
    atLeast(
      `${what}: by the server's processor time`,
      medianRatio(of('closed', 'thrift'), of('open', 'thrift')),
      TARGET,
      ' ×',
    ),
  ];
}

type Mean = Pick<Sample, 'speed' | 'thrift'>;

function meanOf(samples: readonly Sample[]): Mean {
  const mean = (of: (sample: Sample) => number) => samples.reduce((sum, one) => sum + of(one), 0) / samples.length;
  return { speed: mean((one) => one.speed), thrift: 1 / mean((one) => 1 / one.thrift) };
}

async function tokenOf({ port }: Server): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}/images/token?${SCOPES}`, { headers: { Authorization: BASIC } });
  const { token } = (await answer.json()) as { readonly token: string };
  return `Bearer ${token}`;
}
