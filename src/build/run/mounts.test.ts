import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { needs } from '../../../test/peers/find.ts';
import type { DrivenMount } from './testing/drive.ts';
import { type Driven, listLayer, type RunWorld } from './testing/world.ts';
import { type ShellSpec, type Title, USERS, worldForAll } from './testing/world-for-all.ts';

const { missing, why } = needs('root', 'busybox', 'newuidmap', 'useradd', 'setpriv');

describe.skipIf(missing)(`mounts of RUN${why}`, () => {
  let world: RunWorld;
  let other: string;
  const { who, sh: shell } = worldForAll((made) => (world = made));
  const sh = (title: Title, script: string, mounts: readonly DrivenMount[], more: ShellSpec = {}): Promise<Driven> =>
    shell(title, script, { mounts, ...more });
  const cache = (more: object = {}): DrivenMount => ({
    type: 'cache',
    target: '/root/.cache/x',
    id: 'id',
    sharing: 'shared',
    readOnly: false,
    mode: 0o755,
    uid: 0,
    gid: 0,
    layers: [],
    source: '',
    ...more,
  });

  beforeAll(async () => {
    other = await world.archive(
      'other',
      'mkdir -p a/b; echo content >a/b/f; echo g >a/g; ln -s a to-a; ln -s /etc/passwd out',
    );
  });

  describe.each(USERS)('as %s', (title) => {
    it('bind: a path of other layers, read-only, or writable and lost', async () => {
      const bind = (target: string, source: string, readOnly: boolean): DrivenMount => ({
        type: 'bind',
        target,
        source,
        readOnly,
        layers: [other],
      });
      const script = `cat /m/b/f; echo >/m/b/new || echo refused; cat /file; echo >/file; cat /w/g; rm /w/g; echo n >/w/n; ls /w`;
      const { output, layer, status } = await sh(title, script, [
        bind('/m', 'to-a', true),
        bind('/file', 'a/g', true),
        bind('/w', '/a', false),
      ]);
      expect(output.replaceAll(/.*Read-only file system\n/g, 'ro\n')).toBe('content\nro\nrefused\ng\nro\ng\nb\nn\n');
      expect(status).toBe(0);
      expect(await listLayer(layer)).toEqual([]);
    });

    it('bind: what is not there is said before anything runs', async () => {
      const mount: DrivenMount = { type: 'bind', target: '/m', source: 'a/none', readOnly: true, layers: [other] };
      expect((await sh(title, 'true', [mount])).error).toMatchObject({
        code: 'PATH_UNKNOWN',
        message: expect.stringContaining('[a/none]'),
      });
    });

    it('cache: is kept, begins with layers, has the mode and owner asked for, and is in no layer', async () => {
      const mine = cache({ id: `kept-${title}`, mode: 0o2770, layers: [other] });
      const first = await sh(
        title,
        'stat -c "%a %u" /root/.cache/x; cat /root/.cache/x/a/g; echo 1 >/root/.cache/x/n; echo y >/root/y',
        [mine],
      );
      expect(first.output).toBe('2770 0\ng\n');
      expect(await listLayer(first.layer)).toEqual(['root/ directory 755 0:0', 'root/y file 644 0:0 y']);
      const second = await sh(title, 'cat /root/.cache/x/n; echo no >/root/.cache/x/n', [
        { ...mine, readOnly: true } as DrivenMount,
      ]);
      expect(second.output).toMatch(/^1\n.*Read-only/);
      const part = await sh(title, 'cat /root/.cache/x/f; ls /root/.cache', [
        { ...mine, source: '/a/b' } as DrivenMount,
      ]);
      expect(part.output).toBe('content\nx\n');
    });

    it('cache: is a separate one if its initial content or its owner differs', async () => {
      const [first, second] = await Promise.all(
        ['first', 'second'].map((name) => world.archive(`${name}-${title.replaceAll(' ', '-')}`, `echo ${name} >it`)),
      );
      const id = `keyed-${title}`;
      const look =
        'cat /root/.cache/x/it 2>/dev/null; stat -c "%a %u:%g" /root/.cache/x; echo changed >/root/.cache/x/it';
      const said = async (more: object): Promise<string> => (await sh(title, look, [cache({ id, ...more })])).output;
      const owner = who(title).owners === 'one' ? '0:0' : '7:8';
      expect(await said({})).toBe('755 0:0\n');
      expect(await said({ layers: [first] })).toBe('first\n755 0:0\n');
      expect(await said({ layers: [second] })).toBe('second\n755 0:0\n');
      expect(await said({ uid: 7, gid: 8, mode: 0o700 })).toBe(`700 ${owner}\n`);
      expect(await said({ mode: 0o711 })).toBe('711 0:0\n');
      // Each cache is still there.
      expect(await said({ layers: [first] })).toBe('changed\n755 0:0\n');
      expect(await said({})).toBe('changed\n755 0:0\n');
    });

    it('cache: a path in it cannot leave it by a link, not even one that the directory above it has become', async () => {
      const mine = cache({ id: `evil-${title}` });
      await sh(
        title,
        'ln -s / /root/.cache/x/evil; ln -s ../../.. /root/.cache/x/up; mkdir /root/.cache/x/d; ln -s /etc /root/.cache/x/d/e',
        [mine],
      );
      for (const source of ['evil', 'up', 'evil/etc', 'd/e', 'd/e/x']) {
        const { error } = await sh(title, 'ls /root/.cache/x', [{ ...mine, source } as DrivenMount]);
        expect(error).toMatchObject({
          code: 'CONFIG_INVALID',
          message: expect.stringMatching(/leads through a link or a file/),
        });
      }
    });

    it('cache: two at once see each other where it is shared, wait where it is locked, have one each where it is private', async () => {
      const script = (waits: number) => `cd /root/.cache/x; mkdir one 2>/dev/null || { touch two; echo second; exit; }
        for i in $(seq ${waits}); do [ -e two ] && break; sleep 0.5; done; [ -e two ] && echo first saw it || echo first alone; rm -rf one two`;
      const both = (sharing: string) => {
        const mounts = [cache({ id: `${sharing}-${title}`, sharing })];
        return Promise.all([1, 2].map(() => sh(title, script(sharing === 'shared' ? 100 : 4), mounts)));
      };
      const outputs = async (sharing: string) => (await both(sharing)).map(({ output }) => output).sort();
      expect(await outputs('shared')).toEqual(['first saw it\n', 'second\n']);
      expect(await outputs('locked')).toEqual(['first alone\n', 'first alone\n']);
      expect(await outputs('private')).toEqual(['first alone\n', 'first alone\n']);
    });

    it('cache: locked ones never wait for each other, nor one for itself', async () => {
      const [a, b] = [`a-${title}`, `b-${title}`];
      const locked = (id: string, target: string) => cache({ id, target, sharing: 'locked' });
      const all = await Promise.all([
        sh(title, 'echo done', [locked(a, '/1'), locked(b, '/2'), locked(a, '/3')]),
        sh(title, 'echo done', [locked(b, '/1'), locked(a, '/2')]),
      ]);
      expect(all.map(({ output }) => output)).toEqual(['done\n', 'done\n']);
    });

    it('file: has its mode and content, cannot be written, and nothing of it is on a disk, nor in the layer', async () => {
      const secret = 'hunter2-of-the-test';
      const mounts: DrivenMount[] = [
        { type: 'file', target: '/run/secrets/s', content: secret, mode: 0o400, uid: 0, gid: 0 },
        { type: 'file', target: '/dev/pipes/EOF', content: '#!/bin/sh\necho as a file\n', mode: 0o755, uid: 0, gid: 0 },
      ];
      const script =
        'stat -c "%a %u" /run/secrets/s; cat /run/secrets/s; echo; /dev/pipes/EOF; echo x >/run/secrets/s; echo z >/z';
      const { output, layer } = await sh(title, script, mounts);
      expect(output).toMatch(/^400 0\nhunter2-of-the-test\nas a file\n.*Read-only file system\n$/);
      expect(await listLayer(layer)).toEqual(['z file 644 0:0 z']);
      const home = await world.home(who(title));
      const runs = (await readdir(join(home, 'runner'))).filter((name) => name.includes('-'));
      for (const name of runs) expect(await readdir(join(home, 'runner', name, 'runs'))).toEqual([]);
    });

    it('tmpfs: is empty, as large as it is to be, and lost; mounts can be in each other, in whatever order they come', async () => {
      const mounts: DrivenMount[] = [
        { type: 'file', target: '/t/in/it', content: 'below', mode: 0o644, uid: 0, gid: 0 },
        { type: 'tmpfs', target: '/t', size: 65536 },
        { type: 'tmpfs', target: '/d' },
      ];
      const { output, layer } = await sh(
        title,
        "ls /d; cat /t/in/it; echo; df -k /t | tail -1 | awk '{print $2}'; dd if=/dev/zero of=/t/big bs=1k count=100 2>&1 | grep -c space",
        mounts,
      );
      expect(output).toBe('below\n64\n1\n');
      expect(await listLayer(layer)).toEqual([]);
    });

    it('goes where links of the image lead, never out of it; what is in the way is said', async () => {
      const tmpfs = (target: string): DrivenMount => ({ type: 'tmpfs', target });
      const { output } = await sh(title, 'touch /link/here; ls /d', [tmpfs('/link')]);
      expect(output).toBe('here\n');
      expect((await sh(title, 'true', [tmpfs('/etc/passwd')])).error).toMatchObject({ code: 'CONFIG_INVALID' });
      expect((await sh(title, 'true', [tmpfs('/etc/passwd/x')])).error).toMatchObject({ code: 'CONFIG_INVALID' });
    });
  });
});
