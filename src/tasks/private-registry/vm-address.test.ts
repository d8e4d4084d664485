import { createServer } from 'node:http';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bestAddress } from '../../nodes/addresses.ts';
import type { BoundAddress } from '../../server/address.ts';
import { type TemporaryWorld, temporaryWorld } from '../testing/temporary-world.ts';
import { announceRegistry } from './registry-state.ts';
import { addressForVms, vmAddress } from './vm-address.ts';

const USER_SPACE = { __net_setup: '/x/config/net-setup-userspace.sh' };

function serveAt(world: TemporaryWorld, ...addresses: readonly BoundAddress[]) {
  announceRegistry({ addresses, version: '1', data: join(world.path, 'share/images') }, world.settings());
}

describe('the address for VMs', () => {
  it('is $LOCAL_REGISTRY’s, as a bare address', async () => {
    await using world = await temporaryWorld();
    const ask = (LOCAL_REGISTRY: string) => vmAddress(world.settings({ LOCAL_REGISTRY }));
    expect(await ask('172.17.0.2')).toEqual({ ip: '172.17.0.2', port: 80, scheme: 'http' });
    expect(await ask('https://172.17.0.2')).toEqual({ ip: '172.17.0.2', port: 443, scheme: 'https' });
    expect(await ask('[fd00::5]:5000')).toEqual({ ip: 'fd00::5', port: 5000, scheme: 'http' });
  });

  it('is never a loopback address', async () => {
    await using world = await temporaryWorld();
    for (const LOCAL_REGISTRY of ['127.0.0.1:5000', 'localhost:5000', '::1']) {
      await expect(vmAddress(world.settings({ LOCAL_REGISTRY }))).rejects.toMatchObject({
        code: 'ADDRESS_UNAVAILABLE',
        hint: expect.stringContaining('--listen=0.0.0.0:80'),
      });
    }
  });

  it('of loopback is 192.168.0.250 with user-space networking, as the environment or xcluster says', async () => {
    await using world = await temporaryWorld();
    const expected = { ip: '192.168.0.250', port: 5000, scheme: 'http' };
    expect(await vmAddress(world.settings({ LOCAL_REGISTRY: '127.0.0.1:5000', ...USER_SPACE }))).toEqual(expected);
    const XCLUSTER = await world.script('xcluster.sh', `echo "__net_setup='${USER_SPACE.__net_setup}'"`);
    expect(await vmAddress(world.settings({ LOCAL_REGISTRY: 'localhost:5000', XCLUSTER }))).toEqual(expected);
  });

  it('is one of the running embedded registry, never loopback if there is another', async () => {
    await using world = await temporaryWorld();
    serveAt(world, { host: '127.0.0.1', port: 5000 }, { host: '10.1.2.3', port: 80 });
    expect(await vmAddress(world.settings())).toEqual({ ip: '10.1.2.3', port: 80, scheme: 'http' });
  });

  it('says whether VMs find HTTPS there', async () => {
    await using world = await temporaryWorld();
    serveAt(world, { host: '10.1.2.3', port: 443, tls: true }, { host: '127.0.0.1', port: 80 });
    expect(await vmAddress(world.settings())).toEqual({ ip: '10.1.2.3', port: 443, scheme: 'https' });
  });

  it('of a registry on all addresses is the machine’s best one', async () => {
    await using world = await temporaryWorld();
    const ip = bestAddress('0.0.0.0', networkInterfaces());
    expect(await addressForVms([{ host: '0.0.0.0', port: 80 }], world.settings())).toEqual(ip && { ip, port: 80 });
    const userSpace = world.settings(USER_SPACE);
    expect(await addressForVms([{ host: '0.0.0.0', port: 80 }], userSpace)).toEqual({ ip: '192.168.0.250', port: 80 });
  });

  it('is an error with a hint if there is no registry, or it does not run', async () => {
    await using world = await temporaryWorld();
    await expect(vmAddress(world.settings())).rejects.toMatchObject({
      code: 'NO_REGISTRY',
      hint: 'Run `images lreg_start` or set LOCAL_REGISTRY.',
    });
    await world.file('share/images/docker/registry/v2/x', '');
    await expect(vmAddress(world.settings())).rejects.toMatchObject({ code: 'NOT_RUNNING' });
  });
});

describe('a Docker container named registry', () => {
  /** An Engine API with one container. */
  async function withDocker<T>(world: TemporaryWorld, container: unknown, work: () => Promise<T>): Promise<T> {
    const server = createServer((request, response) => {
      response.setHeader('api-version', '1.41');
      if (request.url !== '/_ping' && request.url !== '/v1.41/containers/registry/json') response.statusCode = 404;
      response.end(JSON.stringify(response.statusCode === 200 ? container : { message: 'no' }));
    });
    await new Promise<void>((listening) => server.listen(join(world.path, 'docker.sock'), listening));
    try {
      return await work();
    } finally {
      await new Promise((closed) => server.close(closed));
    }
  }

  const container = (env: readonly string[], running = true) => ({
    State: { Running: running },
    Config: { Env: env, ExposedPorts: { '5000/tcp': {} } },
    NetworkSettings: { IPAddress: '', Networks: { bridge: { IPAddress: '172.17.0.2' } } },
  });

  it('is asked for its address, port and scheme', async () => {
    await using world = await temporaryWorld();
    const settings = world.settings({ DOCKER_HOST: `unix://${world.path}/docker.sock` });
    const ask = (env: readonly string[]) => withDocker(world, container(env), () => vmAddress(settings));
    expect(await ask(['REGISTRY_HTTP_ADDR=:80'])).toEqual({ ip: '172.17.0.2', port: 80, scheme: 'http' });
    expect(await ask([])).toEqual({ ip: '172.17.0.2', port: 5000, scheme: 'http' });
    expect(await ask(['REGISTRY_HTTP_ADDR=:443', 'REGISTRY_HTTP_TLS_CERTIFICATE=/x'])).toMatchObject({
      scheme: 'https',
    });
  });

  it('does not count if it does not run', async () => {
    await using world = await temporaryWorld();
    const settings = world.settings({ DOCKER_HOST: `unix://${world.path}/docker.sock` });
    await withDocker(world, container([], false), () =>
      expect(vmAddress(settings)).rejects.toMatchObject({ code: 'NO_REGISTRY' }),
    );
  });

  it('comes after an own store, and after $LOCAL_REGISTRY', async () => {
    await using world = await temporaryWorld();
    serveAt(world, { host: '10.1.2.3', port: 80 });
    const env = { DOCKER_HOST: `unix://${world.path}/docker.sock` };
    await withDocker(world, container([]), async () => {
      expect(await vmAddress(world.settings(env))).toMatchObject({ ip: '10.1.2.3' });
      expect(await vmAddress(world.settings({ ...env, LOCAL_REGISTRY: '10.9.9.9' }))).toMatchObject({ ip: '10.9.9.9' });
    });
  });
});
