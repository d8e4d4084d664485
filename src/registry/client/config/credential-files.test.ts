import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type TemporaryDirectory, temporaryDirectory } from '../../../../test/peers/temporary.ts';
import { ImagesError } from '../../../oci/errors.ts';
import { credentialFiles } from './credential-files.ts';

let directory: TemporaryDirectory;
beforeEach(async () => {
  directory = await temporaryDirectory('credentials');
});
afterEach(() => directory[Symbol.asyncDispose]());

const base64 = (text: string) => Buffer.from(text).toString('base64');
const auth = (name: string) => ({ auth: base64(`${name}:secret:${name}`) });
const password = (name: string) =>
  expect.objectContaining({ type: 'password', username: name, password: `secret:${name}` });

async function write(path: string, content: unknown, mode = 0o600): Promise<string> {
  const file = join(directory.path, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content), { mode });
  return file;
}

function find(host: string, repository?: string, env: Record<string, string> = {}) {
  return credentialFiles({ env, home: directory.path, lingerMs: 1 }).find(host, repository);
}

async function refusal(work: Promise<unknown>): Promise<ImagesError> {
  const thrown = await work.catch((error: unknown) => error);
  if (!(thrown instanceof ImagesError)) throw new Error('no ImagesError');
  expect(`${thrown.message} ${thrown.hint} ${thrown.cause}`).not.toMatch(/secret|c2VjcmV0/);
  return thrown;
}

describe('credentials in files', () => {
  it('are absent if there is no file', async () => {
    expect(await find('quay.io', 'a/b')).toBeUndefined();
  });

  it('are Docker’s, for any spelling of a host', async () => {
    await write('.docker/config.json', {
      auths: {
        'https://index.docker.io/v1/': auth('hub'),
        'https://quay.io': auth('quay'),
        'localhost:5000': auth('local'),
        '[fd00::1]:5000/v2/': auth('six'),
      },
    });
    expect(await find('docker.io', 'library/alpine')).toEqual(password('hub'));
    expect(await find('registry-1.docker.io')).toEqual(password('hub'));
    expect(await find('quay.io', 'a/b')).toEqual(password('quay'));
    expect(await find('localhost:5000')).toEqual(password('local'));
    expect(await find('[fd00::1]:5000')).toEqual(password('six'));
    expect(await find('localhost')).toBeUndefined();
  });

  it('can be tokens', async () => {
    await write('.docker/config.json', {
      auths: { a: { ...auth('x'), identitytoken: 'refresh' }, b: { registrytoken: 'bearer' } },
    });
    const origin = join(directory.path, '.docker/config.json');
    expect(await find('a')).toEqual({ type: 'identity-token', token: 'refresh', origin });
    expect(await find('b')).toEqual({ type: 'registry-token', token: 'bearer', origin });
  });

  it('for a part of a host serve that part, the longest first', async () => {
    await write('run/containers/auth.json', {
      auths: {
        'quay.io': auth('all'),
        'quay.io/org': auth('org'),
        'quay.io/org/app': auth('app'),
        'docker.io/me': auth('me'),
      },
    });
    const env = { XDG_RUNTIME_DIR: join(directory.path, 'run') };
    expect(await find('quay.io', 'org/app', env)).toEqual(password('app'));
    expect(await find('quay.io', 'org/apple', env)).toEqual(password('org'));
    expect(await find('quay.io', 'organisation/app', env)).toEqual(password('all'));
    expect(await find('quay.io', undefined, env)).toEqual(password('all'));
    expect(await find('docker.io', 'me/app', env)).toEqual(password('me'));
    expect(await find('docker.io', 'library/alpine', env)).toBeUndefined();
  });

  it('are looked for in what the environment names before the default files', async () => {
    await write('.docker/config.json', { auths: { x: auth('home') } });
    await write('other/config.json', { auths: { x: auth('docker') } });
    const file = await write('auth.json', { auths: { x: auth('explicit') } });
    const docker = { DOCKER_CONFIG: join(directory.path, 'other') };
    expect(await find('x', undefined, docker)).toEqual(password('docker'));
    expect(await find('x', undefined, { ...docker, REGISTRY_AUTH_FILE: file })).toEqual(password('explicit'));
    expect(await find('x', undefined, { REGISTRY_AUTH_FILE: join(directory.path, 'absent') })).toEqual(
      password('home'),
    );
  });

  it.each([
    ['{"auths": {"x": {"auth": "c2VjcmV0"', 'is not JSON'],
    ['[1]', 'does not hold an object'],
    ['{"auths": [1]}', 'auths is not an object'],
    ['{"auths": {"x": {"auth": 5}}}', 'auth is not a string'],
    ['{"auths": {"x": {"registrytoken": "secret\\nx"}}}', 'registrytoken is no token'],
    [`{"auths": {"x": {"auth": "${base64(':secret')}"}}}`, 'broken entry for x'],
    [`{"auths": {"x": {"auth": "${base64('no colon: not')}"}}}`, undefined],
    [`{"auths": {"x": {"auth": "${base64('secret')}"}}}`, 'broken entry for x'],
    ['{"auths": {"x": {"auth": "%%%"}}}', 'broken entry for x'],
    ['{"auths": {"x": "secret"}}', 'wrong entry for x'],
    ['{"credsStore": 5}', 'credsStore is not a string'],
  ])('in a broken file %j are CONFIG_INVALID, naming the file', async (content, what) => {
    const file = await write('.docker/config.json', content);
    if (what === undefined) return expect(await find('x')).toMatchObject({ type: 'password' });
    const error = await refusal(find('x'));
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.message).toContain(file);
    expect(error.message).toContain(what);
  });

  it.each([
    '',
    ' \n',
    '\uFEFF',
    '{}',
    'null',
    '[]',
    '{"auths":null}',
    '{"auths":[]}',
    '{"auths":{},"credsStore":""}',
    '{"credHelpers":{"x":""}}',
    '{"credHelpers":{"x":null},"credsStore":null}',
  ])('in a file without entries (%j) are absent', async (content) => {
    await write('.docker/config.json', content);
    expect(await find('x')).toBeUndefined();
  });

  it.each([
    'null',
    '{}',
    '[]',
    '""',
    'false',
    '{"auth":null}',
    '{"auth":""}',
    '{"auth":" "}',
    '{"auth":{}}',
    '{"auth":"Og=="}',
    '{"auth":"Og"}',
    '{"auth":"OgA="}',
    '{"auth":":"}',
    '{"username":"","password":""}',
    '{"username":null,"password":null,"identitytoken":"","registrytoken":[]}',
    '{"email":"me@x"}',
  ])('in an empty entry (%s) are absent, and the next file is read', async (entry) => {
    const file = await write('auth.json', `{"auths":{"x":${entry}}}`);
    const env = { REGISTRY_AUTH_FILE: file };
    expect(await find('x', 'a/b', env)).toBeUndefined();
    await write('.docker/config.json', { auths: { x: auth('home') } });
    expect(await find('x', 'a/b', env)).toEqual(password('home'));
  });

  it('are found behind a byte order mark', async () => {
    await write('.docker/config.json', `\uFEFF${JSON.stringify({ auths: { x: auth('me') } })}`);
    expect(await find('x')).toEqual(password('me'));
  });
});

describe('credential helpers', () => {
  const env = () => ({ PATH: `${join(directory.path, 'bin')}:/usr/bin:/bin` });

  async function helper(name: string, script: string): Promise<void> {
    const file = await write(`bin/docker-credential-${name}`, `#!/bin/sh\n${script}\n`);
    await chmod(file, 0o755);
  }

  it('are asked for the host, on their standard input, once', async () => {
    await helper(
      'test',
      `read server; echo "$1 $server" >>${directory.path}/log; echo '{"Username":"me","Secret":"pw"}'`,
    );
    await write('.docker/config.json', { credsStore: 'test', auths: { 'https://index.docker.io/v1/': {} } });
    const provider = credentialFiles({ env: env(), home: directory.path });
    for (const host of ['docker.io', 'docker.io', 'quay.io']) {
      const origin = `docker-credential-test, which ${join(directory.path, '.docker/config.json')} names`;
      expect(await provider.find(host, 'a/b')).toEqual({ type: 'password', username: 'me', password: 'pw', origin });
    }
    const log = await readFile(join(directory.path, 'log'), 'utf8');
    expect(log).toBe('get https://index.docker.io/v1/\nget quay.io\n');
  });

  it('of a host come before the entries and the helper of all hosts', async () => {
    await helper('special', `echo '{"Username":"<token>","Secret":"refresh"}'`);
    await helper('general', 'echo no; exit 1');
    await write('.docker/config.json', {
      credsStore: 'general',
      credHelpers: { 'quay.io': 'special' },
      auths: { 'quay.io': auth('quay'), 'ghcr.io': auth('ghcr') },
    });
    expect(await find('quay.io', undefined, env())).toMatchObject({ type: 'identity-token', token: 'refresh' });
    expect(await find('ghcr.io', undefined, env())).toEqual(password('ghcr'));
  });

  it.each([
    'echo "credentials not found in native keychain"; exit 1',
    'echo "credentials not found in native keychain" >&2; exit 1',
    'echo "The specified item could not be found in the keychain."; exit 1',
    'echo "Error: the entry wasn\'t found" >&2; exit 2',
    'echo "Element not found." >&2; exit 1',
    'echo "no credentials for this server"; exit 1',
    'echo "No such secret item at path: /x" >&2; exit 1',
    'exit 0',
    'echo',
    'echo null',
    'echo {}',
    `echo '{"ServerURL":"","Username":"","Secret":""}'`,
    `echo '{"Username":null,"Secret":null}'`,
    `echo '{"Username":"<token>","Secret":""}'`,
    'echo "no credentials found" >&2',
  ])('that have nothing (%s) are no error', async (script) => {
    await helper('test', script);
    await write('.docker/config.json', { credsStore: 'test' });
    expect(await find('quay.io', undefined, env())).toBeUndefined();
  });

  it.each([
    ['fails', 'echo "pass not initialized: exit status 1"; exit 3', 'exit 3]: pass not initialized: exit status 1'],
    [
      'fails and says why on stderr',
      'echo "ERROR: no active account" >&2; exit 1',
      'exit 1]: ERROR: no active account',
    ],
    ['says much', 'seq 1000 >&2; echo in vain; echo the end >&2; exit 1', ': in vain; 999 1000 the end'],
    [
      'lacks a program',
      'echo "gcloud: credentials helper not found" >&2; exit 127',
      'gcloud: credentials helper not found',
    ],
    ['says one thing and does another', 'echo "not logged in" >&2', 'gave no credentials for quay.io: not logged in'],
  ])('that %s are CONFIG_INVALID, with their last words', async (_how, script, what) => {
    await helper('test', script);
    const file = await write('.docker/config.json', { credsStore: 'test' });
    const error = await refusal(find('quay.io', undefined, env()));
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.message).toContain(what);
    expect(error.message).toContain(`${file} names docker-credential-test`);
    expect(error.hint).not.toContain('Install');
  });

  it.each([
    ['prints something else', 'echo secret', 'no credentials'],
    ['prints half of it', `echo '{"Username":"me","Secret":"secret"'`, 'no credentials'],
    ['prints it and fails', `echo '{"Username":"me","Secret":"secret"}'; exit 1`, 'exit 1'],
    ['prints half of it and fails', `echo '{"Secret": "secret"'; exit 1`, 'exit 1'],
    ['prints a wrong type', `echo '{"Username":"me","Secret":["secret"]}'`, 'no credentials'],
    ['prints without end', 'exec yes', 'killed: it printed without end'],
    ['is killed while what it started goes on', 'sleep 20 & kill -9 $$', 'killed: SIGKILL'],
  ])('that %s are CONFIG_INVALID, without what may be the secret', async (_how, script, what) => {
    await helper('test', script);
    await write('.docker/config.json', { credsStore: 'test' });
    const error = await refusal(find('quay.io', undefined, env()));
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.message).toContain(what);
    expect(error.message).toContain('docker-credential-test');
  });

  it('are not waited for after their end, even if an agent that they started holds their output open', async () => {
    await helper('test', `sleep 300 & echo $! >${directory.path}/agent; echo '{"Username":"me","Secret":"pw"}'`);
    await write('.docker/config.json', { credsStore: 'test' });
    expect(await find('quay.io', undefined, env())).toMatchObject({ username: 'me' });
    // The agent still runs with the output open, or `kill` would throw.
    process.kill(Number(await readFile(join(directory.path, 'agent'), 'utf8')));
  });

  it('that are not installed, or have an invalid name, are CONFIG_INVALID', async () => {
    for (const [name, what] of [
      ['absent', 'not on PATH'],
      ['../../bin/sh', 'names no credential helper'],
    ] as const) {
      await write('.docker/config.json', { credsStore: name });
      const error = await refusal(find('quay.io', undefined, env()));
      expect(error.code).toBe('CONFIG_INVALID');
      expect(error.message).toContain(what);
    }
  });
});
