import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type TemporaryDirectory, temporaryDirectory } from '../../../test/peers/temporary.ts';
import { openStore } from './find-store.ts';

describe('the default store', () => {
  let home: TemporaryDirectory;
  beforeEach(async () => {
    home = await temporaryDirectory('stores');
  });
  afterEach(() => home[Symbol.asyncDispose]());

  const at = (name: string) => join(home.path, name);

  async function find(env: Readonly<Record<string, string>>, uid = 1000): Promise<string> {
    await using store = await openStore(undefined, { env, home: home.path, uid, temporaryDirectory: home.path });
    return store.label;
  }

  async function makeStore(path: string): Promise<string> {
    await mkdir(join(at(path), 'overlay-images'), { recursive: true });
    return at(path);
  }

  it('is in the user’s data directory', async () => {
    const usual = await makeStore('.local/share/containers/storage');
    const other = await makeStore('data/containers/storage');
    expect(await find({})).toBe(usual);
    expect(await find({ XDG_DATA_HOME: at('data') })).toBe(other);
  });

  it('is where the user’s own configuration says', async () => {
    const [graph, rootless] = [await makeStore('graph'), await makeStore('rootless')];
    await makeStore('.local/share/containers/storage');
    await mkdir(at('.config/containers'), { recursive: true });
    const config = at('.config/containers/storage.conf');
    await writeFile(config, `[storage]\ndriver = "overlay"\ngraphroot = "${graph}"\n`);
    expect(await find({})).toBe(graph);
    await writeFile(config, '[storage]\nrootless_storage_path = "$HOME/rootless"\n');
    expect(await find({})).toBe(rootless);
  });

  it('is where $CONTAINERS_STORAGE_CONF says, for root too', async () => {
    const graph = await makeStore('graph');
    await writeFile(at('s.conf'), `[storage]\ngraphroot = "${graph}"\n`);
    for (const uid of [0, 1000]) expect(await find({ CONTAINERS_STORAGE_CONF: at('s.conf') }, uid)).toBe(graph);
  });

  it('must be of the driver overlay', async () => {
    await writeFile(at('s.conf'), `[storage]\ndriver = "vfs"\ngraphroot = "${await makeStore('graph')}"\n`);
    const env = { CONTAINERS_STORAGE_CONF: at('s.conf') };
    await expect(find(env)).rejects.toMatchObject({ code: 'UNSUPPORTED', message: expect.stringContaining('vfs') });
    await expect(find({ ...env, STORAGE_DRIVER: 'btrfs' })).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    expect(await find({ ...env, STORAGE_DRIVER: 'overlay' })).toBe(at('graph'));
  });

  it('may be missing, or be configured wrongly', async () => {
    await expect(find({})).rejects.toMatchObject({ code: 'FILE_UNREADABLE', hint: expect.any(String) });
    await writeFile(at('s.conf'), 'storage = [');
    await expect(find({ CONTAINERS_STORAGE_CONF: at('s.conf') })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});
