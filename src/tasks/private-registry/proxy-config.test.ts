import { describe, expect, it } from 'vitest';
import { WELL_KNOWN_HOSTS } from '../../nodes/well-known-hosts.ts';
import { ImagesError } from '../../oci/errors.ts';
import { requireProxy, servedProxy } from './proxy-config.ts';
import { parseRegistryToml } from './registry-config.ts';

const inToml = async (text: string) => (await parseRegistryToml({ file: '/d/registry.toml' }, text)).proxy;

describe('from where is fetched', () => {
  it('is nowhere, unless it is said', async () => {
    expect(servedProxy({}, undefined)).toBeUndefined();
    expect(await inToml('')).toBeUndefined();
    expect(await inToml('proxy = false')).toBeUndefined();
  });

  it('is the well-known hosts, and those that are named; what both say adds up', async () => {
    const alone = servedProxy({ proxy: [] }, undefined);
    expect(alone?.hosts).toEqual(WELL_KNOWN_HOSTS);
    expect(alone?.has('other.example')).toBe(false);
    const both = servedProxy({ proxy: ['Reg.example:5000'] }, await inToml('proxy = "10.0.0.7:5000"'));
    for (const host of ['docker.io', 'reg.example:5000', '10.0.0.7:5000']) expect(both?.has(host)).toBe(true);
    expect(both?.names('10.0.0.7:5000')).toBe(true);
  });

  it('is any name with a dot and the usual port for `*`, and other ports only where they are named', async () => {
    const any = servedProxy({}, await inToml('proxy = ["*", "lan:5000"]'));
    expect([any?.has('other.example'), any?.names('other.example')]).toEqual([true, false]);
    for (const host of ['other.example:5000', 'harbor', 'localhost']) expect(any?.has(host)).toBe(false);
    expect(any?.has('lan:5000')).toBe(true);
  });
});

describe('how fresh tags are', () => {
  it('is five minutes, what registry.toml says, or what the command line says', async () => {
    const config = await inToml('[proxy]\nttl = "1h"\noffline = true\nkeep = "30d"\nhosts = ["lan:5000"]');
    expect(config).toEqual({ hosts: ['lan:5000'], ttl: 3600_000, offline: true, keep: 30 * 24 * 3600_000 });
    expect(servedProxy({ proxy: [] }, undefined)).toMatchObject({ ttl: 300_000, isOffline: false });
    expect(servedProxy({}, config)).toMatchObject({ ttl: 3600_000, isOffline: true });
    expect(servedProxy({ ttl: '0' }, config)).toMatchObject({ ttl: 0 });
  });
});

describe('a mistake', () => {
  it.each([
    [{ proxy: ['a b'] }, 'not a host [--proxy=a b]'],
    [{ proxy: ['https://quay.io'] }, 'not a host [--proxy=https://quay.io]'],
    [{ proxy: [], ttl: 'soon' }, 'not an age [--ttl=soon]'],
  ])('in options is told: %j', (options, message) => {
    expect(() => servedProxy(options, undefined)).toThrow(message);
  });

  it('is an option that says something of a proxy that there is not', () => {
    expect(() => requireProxy({ ttl: '1m' }, undefined)).toThrow('--ttl says something of --proxy');
    expect(() => requireProxy({ offline: true }, undefined)).toThrow('--offline says something of --proxy');
    requireProxy({ ttl: '1m' }, servedProxy({ proxy: [] }, undefined));
    requireProxy({}, undefined);
  });

  it.each([
    ['proxy = 5', ':1: proxy is neither true nor a list of hosts [5]'],
    ['proxy = ["a b"]', ':1: not a host [a b]'],
    ['[proxy]\nhosts = [5]', ':2: not a host [5]'],
    ['[proxy]\nttl = 5', ':2: ttl is not an age [5]'],
    ['[proxy]\nkeep = "long"', ':2: keep is not an age [long]'],
    ['[proxy]\noffline = "yes"', ':2: offline is neither true nor false [yes]'],
    ['[proxy]\nhost = "a"', ':2: unknown key [host]'],
  ])('in registry.toml is told with its line: %s', async (text, message) => {
    const error = await inToml(text).catch((thrown: unknown) => thrown);
    if (!(error instanceof ImagesError)) throw error;
    expect(error.message).toContain(`/d/registry.toml${message}`);
  });
});
