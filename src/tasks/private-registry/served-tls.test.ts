import { X509Certificate } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { checkTlsOptions, servedTls, tlsDirectory, withTls } from './served-tls.ts';

const plain = { host: '127.0.0.1', port: 5000 };
const secure = { host: '::', port: 443, tls: true };

describe('HTTPS of a registry', () => {
  it('is for the addresses that say so, else for all', () => {
    expect(withTls([plain], {})).toEqual([plain]);
    expect(withTls([plain], { tls: 'auto' })).toEqual([{ ...plain, tls: true }]);
    expect(withTls([plain, secure], { tls: 'auto' })).toEqual([plain, secure]);
    expect(() => withTls([plain, secure], {})).toThrow(expect.objectContaining({ code: 'USAGE' }));
    expect(withTls([plain], { tlsCertificate: 'a', tlsKey: 'b' })).toEqual([{ ...plain, tls: true }]);
  });

  it.each([
    [{ tls: 'yes' }, 'unknown kind of TLS [--tls=yes]'],
    [{ tlsCertificate: 'a' }, 'a certificate and its key are needed'],
    [{ tlsKey: 'a' }, 'a certificate and its key are needed'],
    [{ tls: 'auto', tlsCertificate: 'a', tlsKey: 'b' }, '--tls=auto makes certificates, and one is given'],
    [{ tlsNames: ['lan'] }, '--tls-names limits the own CA, which is not used'],
  ])('is not had by %j', (options, message) => {
    expect(() => checkTlsOptions(options)).toThrow(expect.objectContaining({ code: 'USAGE', message }));
  });

  it('is not had without options, and nothing is made', async () => {
    await using world = await temporaryWorld();
    expect(await servedTls({ data: world.path, names: () => [], onNotice: undefined })).toBeUndefined();
    await expect(stat(tlsDirectory(world.path))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('has a certificate of an own CA for this machine, and for names that clients ask for', async () => {
    await using world = await temporaryWorld();
    using contexts = await servedTls({
      data: world.path,
      names: () => ['registry.lan'],
      tls: 'auto',
      onNotice: undefined,
    });
    const certificate = new X509Certificate(contexts?.current().certificate ?? '');
    for (const name of ['localhost', 'registry.lan']) expect(certificate.checkHost(name), name).toBe(name);
    for (const address of ['127.0.0.1', '192.168.0.250']) expect(certificate.checkIP(address), address).toBe(address);
    expect(await contexts?.contextFor('docker.io')).toBeDefined();
    expect((await stat(join(tlsDirectory(world.path), 'ca.key'))).mode & 0o777).toBe(0o600);
  });

  it('has certificates for some names only, if the own CA is limited to them', async () => {
    await using world = await temporaryWorld();
    const options = { data: world.path, names: () => [], tls: 'auto', onNotice: undefined };
    using contexts = await servedTls({ ...options, tlsNames: ['lan', '127.0.0.0/8'] });
    expect(await contexts?.contextFor('registry.lan')).toBeDefined();
    expect(await contexts?.contextFor('docker.io')).toBeUndefined();
    await expect(servedTls({ ...options, tlsNames: ['docker.io'] })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  it('is not begun with a certificate that is not there', async () => {
    await using world = await temporaryWorld();
    const file = join(world.path, 'none.pem');
    await expect(
      servedTls({ data: world.path, names: () => [], tlsCertificate: file, tlsKey: file, onNotice: undefined }),
    ).rejects.toThrow(file);
  });
});
