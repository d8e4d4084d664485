// A registry to attack: with users, rules and HTTPS as an operator has them, and what an attacker has: sockets, an account of their own, and time.
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { join } from 'node:path';
import { hashSync } from 'bcryptjs';
import { vi } from 'vitest';
import { type Answer, ask, type Question } from '../../../server/testing/ask.ts';
import { type Image, putImage } from '../../../server/testing/content.ts';
import { openEmbeddedStore } from '../../../storage/embedded-store.ts';
import { temporaryWorld } from '../../testing/temporary-world.ts';
import { giveToken, type MachineTokenRequest } from '../machine-tokens.ts';
import { serveRegistry } from '../serve-registry.ts';

export const HASHES = { anna: hashSync('secret', 4), bob: hashSync('other', 4) };
/** anna owns `team/**`, bob `own/**`; who asks from this machine may push to `lab/**`. */
const RULES = `
auth = "htpasswd:users"
[[rule]]
repositories = "public/**"
allow = ["pull"]
[[rule]]
repositories = "team/**"
users = ["anna"]
allow = ["pull", "push", "delete"]
[[rule]]
repositories = "own/**"
users = ["bob"]
allow = ["pull", "push", "delete"]
[[rule]]
repositories = "lab/**"
from = ["local"]
allow = ["pull", "push"]
`;

export const basic = (user: string, password: string) =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
export const ANNA = basic('anna', 'secret');
export const BOB = basic('bob', 'other');

export type Besieged = Awaited<ReturnType<typeof besieged>>;

/** `tls`: with HTTPS, too. Disposing ends it. */
export async function besieged({ tls = false } = {}) {
  const world = await temporaryWorld();
  const data = join(world.path, 'data');
  const settings = world.settings({}, { data });
  const users = join(data, 'users');
  await world.file('data/registry.toml', RULES);
  await writeUsers(users, HASHES);
  const store = await openEmbeddedStore(data);
  const secret: Image = await putImage(store.registry, 'team/app', '1');
  await putImage(store.registry, 'public/app', '1');
  await putImage(store.registry, 'own/app', '1');
  await store.names.set('docker.io', 'team/app', '1', secret.manifest.digest);
  // Time goes on when a test says so: what is looked at once a second is looked at then.
  vi.useFakeTimers({ toFake: ['Date', 'performance'] });
  const served = await serveRegistry(
    { listen: ['127.0.0.1:0', ...(tls ? ['https://127.0.0.1:0'] : [])], version: '1', ...(tls && { tls: 'auto' }) },
    settings,
  );
  const sessions: ClientHttp2Session[] = [];
  const [plain, secure] = served.state.addresses;
  const url = `http://127.0.0.1:${plain?.port}`;
  const call = (method: string, path: string, authorization?: string, question: Question = {}): Promise<Answer> =>
    ask(`${url}${path}`, method, {
      ...question,
      headers: { ...question.headers, ...(authorization !== undefined && { authorization }) },
    });
  return {
    url,
    data,
    /** A layer, and the digest, of an image that bob may not see. */
    secret: { digest: secret.manifest.digest, layer: secret.blobs[1]?.descriptor.digest ?? '' },
    call,
    statusOf: async (...asked: Parameters<typeof call>) => (await call(...asked)).status,
    tokenFor: async (authorization: string, scope: string, more = ''): Promise<Readonly<Record<string, string>>> =>
      (await call('GET', `/images/token?scope=${scope}${more}`, authorization)).json() as Record<string, string>,
    changeUsers: async (next: Readonly<Record<string, string>>) => {
      await writeUsers(users, next);
      vi.advanceTimersByTime(2000);
    },
    wait: (ms: number) => void vi.advanceTimersByTime(ms),
    machineToken: async (allow: MachineTokenRequest['allow'], days = 1) => {
      const given = await giveToken({ name: 'ci', allow, days }, settings);
      vi.advanceTimersByTime(2000);
      return given;
    },
    key: async () => await readFile(join(data, 'images/access/key')),
    settings,
    /** Exactly these bytes. */
    raw: (text: string) => rawAnswer(plain?.port ?? 0, text),
    http2: async () => {
      const ca = await readFile(join(data, 'images/tls/ca.crt'), 'utf8');
      const session = connectHttp2(`https://127.0.0.1:${secure?.port}`, { ca });
      session.on('error', () => {});
      sessions.push(session);
      return session;
    },
    /** As it was: nobody has guessed lately, and the users are those of the beginning. */
    restore: async () => {
      await writeUsers(users, HASHES);
      vi.advanceTimersByTime(16 * 60_000);
    },
    [Symbol.asyncDispose]: async () => {
      for (const session of sessions) session.destroy();
      await served[Symbol.asyncDispose]();
      vi.useRealTimers();
      await world[Symbol.asyncDispose]();
    },
  };
}

async function writeUsers(file: string, users: Readonly<Record<string, string>>): Promise<void> {
  const lines = Object.entries(users).map(([user, hash]) => `${user}:${hash}\n`);
  await writeFile(file, lines.join(''));
}

export interface RawAnswer {
  readonly status: number;
  readonly text: string;
}

function rawAnswer(port: number, text: string): Promise<RawAnswer> {
  const { promise, resolve } = Promise.withResolvers<RawAnswer>();
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => {});
  socket.on('close', () => {
    const all = Buffer.concat(chunks).toString();
    resolve({ status: Number(/^HTTP\/1\.1 (\d{3})/.exec(all)?.[1] ?? 0), text: all });
  });
  // Not ended: who ends a connection waits for no answer.
  socket.write(text);
  return promise;
}

const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Tokens as attackers make them of one that they have. */
export function forgeries(token: string): Readonly<Record<string, string>> {
  const [head = '', payload = '', signature = ''] = token.split('.');
  const header = JSON.parse(Buffer.from(head, 'base64url').toString());
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
  const more = encoded({ ...claims, scopes: [{ repositories: '**', actions: ['pull', 'push', 'delete'] }] });
  const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk = pair.publicKey.export({ format: 'jwk' });
  const pem = pair.publicKey.export({ format: 'pem', type: 'spki' }).toString();
  const hmac = (text: string, key: string) => `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`;
  const rsa = (more: object) => {
    const text = `${encoded({ ...header, alg: 'RS256', ...more })}.${payload}`;
    return `${text}.${sign('sha256', Buffer.from(text), pair.privateKey).toString('base64url')}`;
  };
  return {
    'other claims, the same signature': `${head}.${more}.${signature}`,
    'no algorithm': `${encoded({ ...header, alg: 'none' })}.${more}.`,
    'no algorithm, in other letters': `${encoded({ ...header, alg: 'NoNe' })}.${more}.${signature}`,
    'no signature': `${head}.${payload}.`,
    'two parts': `${head}.${payload}`,
    'four parts': `${token}.${signature}`,
    'five parts': `${token}..`,
    'an empty key': hmac(`${head}.${more}`, ''),
    'the name of the issuer as the key': hmac(`${head}.${more}`, claims.iss),
    'a public key as the secret': hmac(`${encoded({ ...header, kid: 'a' })}.${more}`, pem),
    'a key of their own in the header': rsa({ jwk }),
    'the id of a key': rsa({ kid: '../../../../dev/null' }),
    'an address of keys': rsa({ jku: 'http://127.0.0.1:1/keys' }),
    'a longer hash': `${encoded({ ...header, alg: 'HS512' })}.${payload}.${signature}`,
    'a header that nobody knows': `${encoded({ ...header, crit: ['exp'], exp: 1 })}.${payload}.${signature}`,
    'another kind': `${encoded({ ...header, typ: 'images-machine+jwt' })}.${payload}.${signature}`,
    'trailing text': `${token}A`,
    padding: `${token}=`,
  };
}
