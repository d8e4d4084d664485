import { readFile, writeFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bestOfEachFamily } from '../../nodes/addresses.ts';
import { WELL_KNOWN_HOSTS } from '../../nodes/well-known-hosts.ts';
import { announceRegistry } from '../private-registry/registry-state.ts';
import { type TemporaryWorld, temporaryWorld } from '../testing/temporary-world.ts';
import { NODE_FORMATS, type NodeConfigRequest, nodeOutput, nodeRequest } from './node-config.ts';
import { nodeTar, writeNodeFiles } from './write-node-files.ts';

const PEM = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
const NONE: NodeConfigRequest = { registries: [], runtimes: ['containerd'] };

function serveAt(world: TemporaryWorld, host: string, tls = false, more: { readonly caFile?: string } = {}) {
  const data = join(world.path, 'share/images');
  announceRegistry({ addresses: [{ host, port: 80, tls }], version: '1', data, ...more }, world.settings());
}

describe('what nodes are told', () => {
  it('is the registry that runs here, by its best address of each family', async () => {
    await using world = await temporaryWorld();
    serveAt(world, '::');
    const both = bestOfEachFamily('::', networkInterfaces());
    const asked = nodeRequest(NONE, world.settings());
    if (both.length === 0) return await expect(asked).rejects.toMatchObject({ code: 'ADDRESS_UNAVAILABLE' });
    const { registry, hosts } = await asked;
    expect(new Set(registry.addresses)).toEqual(new Set(both));
    expect(registry).toMatchObject({ port: 80, scheme: 'http', names: 'with-host' });
    expect(hosts).toEqual(WELL_KNOWN_HOSTS);
  });

  it('has the CA of the registry, or the one that is named', async () => {
    await using world = await temporaryWorld();
    const caFile = await world.file('ca.crt', PEM);
    serveAt(world, '10.1.2.3', true, { caFile });
    expect((await nodeRequest(NONE, world.settings())).registry).toMatchObject({ scheme: 'https', ca: PEM });
    const named = { ...NONE, registries: ['https://r.example:443'], caFile };
    expect((await nodeRequest(named, world.settings())).registry).toEqual({
      addresses: ['r.example'],
      port: 443,
      scheme: 'https',
      names: 'either',
      ca: PEM,
    });
    // The certificates alone, with ends of lines as they have to be.
    await writeFile(caFile, ` Subject: "x"\r\n${PEM.replaceAll('\n', '\r\n')}\r\n${PEM.trim()}`);
    expect((await nodeRequest(named, world.settings())).registry.ca).toBe(PEM + PEM);
    for (const text of ['x', PEM.slice(0, 40), `${PEM}-----BEGIN PRIVATE KEY-----\n`]) {
      await writeFile(caFile, text);
      await expect(nodeRequest(named, world.settings())).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    }
    const missing = { ...named, caFile: join(world.path, 'none') };
    await expect(nodeRequest(missing, world.settings())).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
  });

  it('says that nodes have to trust the certificate where no CA is known', async () => {
    await using world = await temporaryWorld();
    const notes: string[] = [];
    const settings = { ...world.settings(), onNote: (text: string) => notes.push(text) };
    const { registry } = await nodeRequest({ ...NONE, registries: ['https://10.9.9.9:5000'], spoof: true }, settings);
    expect(registry.ca).toBeUndefined();
    expect(notes).toEqual([expect.stringContaining('--ca=FILE'), expect.stringContaining('port 80 or 443, not 5000')]);
  });

  it('is refused if the addresses are not of one registry', async () => {
    await using world = await temporaryWorld();
    for (const registries of [
      ['10.0.0.1:80', '10.0.0.1:81'],
      ['https://10.0.0.1:80', '10.0.0.2:80'],
      ['a b'],
      ['0.0.0.0'],
      ['[::]:80'],
    ])
      await expect(nodeRequest({ ...NONE, registries }, world.settings())).rejects.toMatchObject({ code: 'USAGE' });
    const byName = { ...NONE, registries: ['r.example'], spoof: true };
    await expect(nodeRequest(byName, world.settings())).rejects.toMatchObject({ code: 'USAGE' });
  });

  it('is for the hosts in the file that $__dns_spoof names, and those that are named', async () => {
    await using world = await temporaryWorld();
    const __dns_spoof = await world.file('hosts', 'quay.io\nregistry.example\n');
    const request = { ...NONE, registries: ['10.0.0.1'], hosts: ['ghcr.io', 'quay.io'] };
    const { hosts } = await nodeRequest(request, world.settings({ __dns_spoof }));
    expect(hosts).toEqual(['quay.io', 'registry.example', 'ghcr.io']);
    const gone = world.settings({ __dns_spoof: join(world.path, 'gone') });
    await expect(nodeRequest(request, gone)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
    const none = world.settings({ __dns_spoof: await world.file('none', '# none\n') });
    await expect(nodeRequest(request, none)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  it('knows that a registry of a container has names without hosts, and others may', async () => {
    await using world = await temporaryWorld();
    const { registry } = await nodeRequest(NONE, world.settings({ LOCAL_REGISTRY: '10.9.9.9' }));
    expect(registry.names).toBe('either');
  });

  it('comes in each format, as a tar and below a directory', async () => {
    await using world = await temporaryWorld();
    const request = await nodeRequest({ ...NONE, registries: ['10.0.0.1'] }, world.settings());
    const outputs = NODE_FORMATS.map((format) => nodeOutput(request, format));
    expect(outputs.map((output) => typeof output)).toEqual(['object', 'object', 'string', 'string', 'string']);
    const [files] = outputs;
    if (typeof files !== 'object') throw new Error('no files');
    const directory = join(world.path, 'node');
    await writeNodeFiles(files, directory);
    for (const { path, content } of files) expect(await readFile(join(directory, path), 'utf8')).toBe(content);
    await expect(writeNodeFiles(files, '//.')).rejects.toMatchObject({ code: 'USAGE' });
    const bytes = async () => Buffer.concat(await Array.fromAsync(nodeTar(files)));
    expect((await bytes()).equals(await bytes())).toBe(true);
  });
});
