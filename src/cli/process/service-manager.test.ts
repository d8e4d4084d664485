import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '../../../test/peers/temporary.ts';
import { eventually } from '../../../test/testing/eventually.ts';
import { inheritedSockets, serviceManager } from './service-manager.ts';

it('sockets are those that were given to this very process, with their names', () => {
  const env = { LISTEN_PID: '42', LISTEN_FDS: '2', LISTEN_FDNAMES: 'http:https' };
  expect(inheritedSockets(env, 42)).toEqual([
    { fd: 3, name: 'http' },
    { fd: 4, name: 'https' },
  ]);
  expect(inheritedSockets({ ...env, LISTEN_FDNAMES: undefined }, 42)).toEqual([{ fd: 3 }, { fd: 4 }]);
  expect(inheritedSockets(env, 43)).toEqual([]);
  for (const LISTEN_FDS of ['0', '-1', '1e9', 'x', undefined])
    expect(inheritedSockets({ ...env, LISTEN_FDS }, 42)).toEqual([]);
  expect(inheritedSockets({})).toEqual([]);
});

it('systemd is told that the service is ready, read its configuration again, lives, and ends', async () => {
  await using directory = await temporaryDirectory('service');
  const said = join(directory.path, 'said');
  const program = join(directory.path, 'systemd-notify');
  await writeFile(program, `#!/bin/sh\necho "$NOTIFY_SOCKET $*" >> ${said}\n`);
  await chmod(program, 0o755);
  const env = { PATH: `${directory.path}:/usr/bin:/bin`, NOTIFY_SOCKET: '/run/n', WATCHDOG_USEC: '20000' };
  const notices: string[] = [];
  using manager = serviceManager(env, { onNotice: (text) => notices.push(text) });
  manager.ready('serving /data');
  const isSaid = async (...wanted: readonly RegExp[]) => {
    const lines = (await readFile(said, 'utf8').catch(() => '')).split('\n');
    return wanted.every((line) => lines.some((text) => line.test(text)));
  };
  await eventually(() => isSaid(/^\/run\/n --ready --status=serving \/data$/, /^\/run\/n WATCHDOG=1$/));
  manager.reloading();
  manager.stopping();
  await eventually(() => isSaid(/^\/run\/n RELOADING=1 MONOTONIC_USEC=\d+$/, /^\/run\/n STOPPING=1$/));
  expect(notices).toEqual([]);
});

it('where systemd cannot be told, the log says so once; where nobody is to be told, nothing is run', async () => {
  const notices: string[] = [];
  const options = { onNotice: (text: string) => notices.push(text) };
  using nobody = serviceManager({ PATH: '/nonexistent' }, options);
  nobody.ready('x');
  using manager = serviceManager({ PATH: '/nonexistent', NOTIFY_SOCKET: '/run/n' }, options);
  manager.ready('x');
  manager.stopping();
  await eventually(() => notices.length > 0);
  expect(notices).toEqual([expect.stringContaining('systemd is not told of the state of the service: ')]);
});
