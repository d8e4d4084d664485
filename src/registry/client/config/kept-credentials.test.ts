import { chmod, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type TemporaryDirectory, temporaryDirectory } from '../../../../test/peers/temporary.ts';
import { credentialFiles } from './credential-files.ts';
import { credentialFile, forgetCredentials, keepCredentials } from './kept-credentials.ts';

let directory: TemporaryDirectory;
beforeEach(async () => {
  directory = await temporaryDirectory('kept');
});
afterEach(() => directory[Symbol.asyncDispose]());

const me = { username: 'me', password: 'p:ä ss' };
const inDirectory = (name: string) => join(directory.path, name);
const sources = (env: Record<string, string> = {}) => ({
  env: { PATH: process.env.PATH, ...env },
  home: directory.path,
});
const at = (env: Record<string, string> = {}) => ({ ...sources(env), file: credentialFile(sources(env)) });
const read = async (file: string) => JSON.parse(await readFile(file, 'utf8')) as unknown;

async function write(name: string, content: unknown, mode = 0o600): Promise<string> {
  await mkdir(dirname(inDirectory(name)), { recursive: true });
  await writeFile(inDirectory(name), typeof content === 'string' ? content : JSON.stringify(content), { mode });
  return inDirectory(name);
}

/** A helper that keeps what it is told in a file. */
async function helper(name: string, body: string): Promise<string> {
  const file = await write(`bin/docker-credential-${name}`, `#!/bin/sh\n${body}\n`);
  await chmod(file, 0o755);
  return `${inDirectory('bin')}:${process.env.PATH}`;
}

describe('credentials that are kept', () => {
  it('are found again by those who look for them, under any spelling of the host', async () => {
    for (const host of ['docker.io', 'index.docker.io', 'quay.io', 'localhost:5000', '[fd00::1]:5000']) {
      expect(await keepCredentials(host, me, at())).toEqual({ file: inDirectory('.docker/config.json') });
      expect(await credentialFiles(sources()).find(host, undefined)).toMatchObject(me);
    }
    expect(await read(inDirectory('.docker/config.json'))).toMatchObject({
      auths: { 'https://index.docker.io/v1/': {} },
    });
  });

  it('are for their owner to read; an existing file keeps its mode, and what else it holds', async () => {
    await keepCredentials('quay.io', me, at());
    expect((await stat(inDirectory('.docker/config.json'))).mode & 0o777).toBe(0o600);
    const file = await write('auth.json', {
      auths: { 'quay.io': { auth: 'old' }, 'quay.io/org': { auth: 'b3JnOng=' } },
      psFormat: 'x',
    });
    await chmod(file, 0o640);
    await keepCredentials('quay.io', me, at({ REGISTRY_AUTH_FILE: file }));
    expect((await stat(file)).mode & 0o777).toBe(0o640);
    expect(await read(file)).toEqual({
      auths: { 'quay.io': { auth: Buffer.from('me:p:ä ss').toString('base64') }, 'quay.io/org': { auth: 'b3JnOng=' } },
      psFormat: 'x',
    });
  });

  it('are written where a link leads', async () => {
    await write('real/config.json', {});
    await mkdir(inDirectory('.docker'));
    await symlink('../real/config.json', inDirectory('.docker/config.json'));
    await keepCredentials('quay.io', me, at());
    expect(await read(inDirectory('real/config.json'))).toMatchObject({ auths: { 'quay.io': {} } });
  });

  it('are in the file that the environment names', () => {
    expect(credentialFile(sources({ DOCKER_CONFIG: '/d' }))).toBe('/d/config.json');
    expect(credentialFile(sources({ REGISTRY_AUTH_FILE: '/a.json', DOCKER_CONFIG: '/d' }))).toBe('/a.json');
    expect(() => credentialFile({ env: {}, home: undefined })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    );
  });

  it('go to the helper of the host, and not into the file', async () => {
    const PATH = await helper('test', `echo "$1" >> ${inDirectory('calls')}; cat >> ${inDirectory('calls')}`);
    await write('.docker/config.json', { credHelpers: { 'quay.io': 'test' }, credsStore: 'other' });
    expect(await keepCredentials('quay.io', me, at({ PATH }))).toMatchObject({ helper: 'test' });
    expect(await forgetCredentials('quay.io', at({ PATH }))).toBe(true);
    expect(await readFile(inDirectory('calls'), 'utf8')).toBe(
      'store\n{"ServerURL":"quay.io","Username":"me","Secret":"p:ä ss"}erase\nquay.io',
    );
    expect(await readFile(inDirectory('.docker/config.json'), 'utf8')).not.toContain('auth":');
  });

  it('are not kept if the helper fails, and no message has the secret', async () => {
    const PATH = await helper('test', 'cat; echo "locked: $(cat)" >&2; exit 1');
    const file = await write('.docker/config.json', { credsStore: 'test' });
    const error: unknown = await keepCredentials('quay.io', me, at({ PATH })).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('failed to keep the password for quay.io'),
    });
    expect(JSON.stringify(error)).not.toContain('p:ä ss');
    expect(await read(file)).toEqual({ credsStore: 'test' });
  });

  it('are left alone in a file that is broken', async () => {
    const file = await write('.docker/config.json', '{"auths": [1]}');
    await expect(keepCredentials('quay.io', me, at())).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    expect(await readFile(file, 'utf8')).toBe('{"auths": [1]}');
  });
});

describe('credentials that are forgotten', () => {
  it('are those of the host in all its spellings, not those of a part of it', async () => {
    const file = await write('.docker/config.json', {
      auths: {
        'https://quay.io': { auth: 'x' },
        'quay.io': {},
        'quay.io/org': { auth: 'y' },
        'ghcr.io': { auth: 'z' },
      },
    });
    expect(await forgetCredentials('quay.io', at())).toBe(true);
    expect(await read(file)).toEqual({ auths: { 'quay.io/org': { auth: 'y' }, 'ghcr.io': { auth: 'z' } } });
    expect(await forgetCredentials('quay.io', at())).toBe(false);
  });

  it('need no file', async () => {
    expect(await forgetCredentials('quay.io', at())).toBe(false);
  });
});
