import { describe, expect, it } from 'vitest';
import { type ServiceUnits, serviceFiles } from './service-units.ts';

const UNITS: ServiceUnits = {
  command: ['/opt/my node/node', '/opt/images.js', 'serve', '--data=/var/lib/images', '--proxy=100%.test,$HOME'],
  listen: [{ port: 80 }, { host: '::1', port: 5000 }, { host: '192.168.0.250', port: 443, tls: true }],
  data: '/var/lib/images',
  reads: [],
  directory: '/etc/systemd/system',
  isSystem: true,
};

const textOf = (units: ServiceUnits, name: string) =>
  serviceFiles(units).find(({ path }) => path.endsWith(`/${name}`))?.text ?? '';

describe('units for systemd', () => {
  it('have the ports in socket units, by what is spoken there', () => {
    expect(serviceFiles(UNITS).map(({ path }) => path)).toEqual([
      '/etc/systemd/system/images.service',
      '/etc/systemd/system/images.socket',
      '/etc/systemd/system/images-https.socket',
      '/etc/sysusers.d/images.conf',
    ]);
    expect(textOf(UNITS, 'images.socket')).toContain(
      'ListenStream=80\nListenStream=[::1]:5000\nFileDescriptorName=http\n',
    );
    expect(textOf(UNITS, 'images-https.socket')).toContain(
      'ListenStream=192.168.0.250:443\nFileDescriptorName=https\n',
    );
    expect(textOf(UNITS, 'images.service')).toContain('Sockets=images.socket images-https.socket\n');
    const plain = { ...UNITS, listen: [{ port: 80 }] };
    expect(textOf(plain, 'images.service')).toContain('Requires=images.socket\n');
    expect(serviceFiles(plain)).toHaveLength(3);
  });

  it('call the program with its words as they are', () => {
    expect(textOf(UNITS, 'images.service')).toContain(
      'ExecStart="/opt/my node/node" /opt/images.js serve --data=/var/lib/images --proxy=100%%.test,$$HOME\n',
    );
  });

  it('reload it by a shell, because /bin/kill is a package that small systems lack', () => {
    expect(textOf(UNITS, 'images.service')).toContain(`\nExecReload=/bin/sh -c "kill -HUP \${MAINPID}"\n`);
  });

  it('let it write its data and nothing else, and see homes only where it has to', () => {
    const usual = textOf(UNITS, 'images.service');
    for (const line of ['User=images', 'StateDirectory=images', 'ProtectSystem=strict', 'ProtectHome=yes'])
      expect(usual).toContain(`\n${line}\n`);
    const other = textOf({ ...UNITS, data: '/srv/my images', reads: ['/home/ann/registry.toml'] }, 'images.service');
    expect(other).toContain('\nReadWritePaths="/srv/my images"\n');
    expect(other).toContain('\nProtectHome=read-only\n');
    expect(other).not.toContain('StateDirectory=');
  });

  it('of a user have what the manager of a user may set', () => {
    const own = { ...UNITS, isSystem: false, directory: '/home/ann/.config/systemd/user' };
    const text = textOf(own, 'images.service');
    expect(text).toContain('\nWantedBy=default.target\n');
    expect(text).not.toMatch(/User=|ProtectSystem|RequiresMountsFor/);
    expect(serviceFiles(own)).toHaveLength(3);
    expect(text).not.toContain('TimeoutStopSec=');
    expect(textOf({ ...own, drain: 600_000 }, 'images.service')).toContain('\nTimeoutStopSec=630\n');
  });

  it('cannot listen where systemd cannot', () => {
    for (const address of [{ host: 'registry.lan', port: 80 }, { port: 0 }])
      expect(() => serviceFiles({ ...UNITS, listen: [address] })).toThrow('systemd cannot listen there');
  });
});
