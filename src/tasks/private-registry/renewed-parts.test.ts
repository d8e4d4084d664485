import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openAuthority } from '../../certificates/authority.ts';
import { certificateName } from '../../certificates/names.ts';
import { type TemporaryWorld, temporaryWorld } from '../testing/temporary-world.ts';
import { renewedTls } from './renewed-parts.ts';

const NONE = { names: () => [], onNotice: undefined };

/** Files of a certificate and its key, for this name. */
async function pair(world: TemporaryWorld, name: string) {
  const authority = await openAuthority({ directory: join(world.path, `ca-${name}`), machine: 'test' });
  const found = certificateName(name);
  const { certificate, key } = await authority.issue(found ? [found] : [], { now: new Date(), days: 10 });
  return {
    tlsCertificate: await world.file(`${name}.crt`, certificate),
    tlsKey: await world.file(`${name}.key`, key),
    certificate,
  };
}

it('certificates are replaced by others, and who listens is told', async () => {
  await using world = await temporaryWorld();
  const { certificate: first, ...a } = await pair(world, 'a.lan');
  const { certificate: second, ...b } = await pair(world, 'b.lan');
  using tls = await renewedTls({ data: world.path, ...a, ...NONE });
  const told: string[] = [];
  tls?.onChange(({ certificate }) => void told.push(certificate));
  expect(tls?.current().certificate).toBe(first);
  const prepared = await tls?.prepare(b);
  expect(tls?.current().certificate).toBe(first);
  await prepared?.use();
  expect([tls?.current().certificate, told]).toEqual([second, [second]]);
  await (await tls?.prepare({ tls: 'auto' }))?.use();
  expect(tls?.current().certificate).not.toBe(second);
  (await tls?.prepare(a))?.discard();
  expect(await tls?.contextFor('c.lan')).toBeDefined();
});

it('the same files are read again at once; what is wrong with them is an error, and the certificate stays', async () => {
  await using world = await temporaryWorld();
  const { certificate: first, ...a } = await pair(world, 'a.lan');
  const { certificate: second, ...b } = await pair(world, 'b.lan');
  using tls = await renewedTls({ data: world.path, ...a, ...NONE });
  await copyFile(b.tlsCertificate, a.tlsCertificate);
  await expect(tls?.prepare(a)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  expect(tls?.current().certificate).toBe(first);
  await copyFile(b.tlsKey, a.tlsKey);
  await (await tls?.prepare(a))?.use();
  expect(tls?.current().certificate).toBe(second);
  await expect(tls?.prepare({ tlsCertificate: '/none', tlsKey: '/none' })).rejects.toMatchObject({
    code: 'FILE_UNREADABLE',
  });
});

it('whether there is HTTPS at all does not change', async () => {
  await using world = await temporaryWorld();
  expect(await renewedTls({ data: world.path, ...NONE })).toBeUndefined();
  const { certificate, ...a } = await pair(world, 'a.lan');
  using tls = await renewedTls({ data: world.path, ...a, ...NONE });
  await (await tls?.prepare({}))?.use();
  expect(tls?.current().certificate).toBe(certificate);
});
