import { once } from 'node:events';
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/oci/digest.ts';
import { startDockerd } from '../peers/dockerd.ts';
import { findProgram, needs } from '../peers/find.ts';
import { newWorld, type World } from '../peers/program.ts';
import { eventually } from '../testing/eventually.ts';

const OVERLAY =
  '#! /bin/sh\nset -e\nT=$(mktemp -d)\nmkdir -p $T/bin\necho hello > $T/hello\ncp /bin/true $T/bin/controller\ncd $T\ntar cf "$1" *\nrm -r $T\n';
const DOCKERFILE = 'FROM scratch\nADD --chown=0:0 ovl.tar /\nCMD ["/bin/controller"]\n';
const MANIFEST = JSON.stringify({
  acKind: 'ImageManifest',
  name: 'registry.example.com/team/app',
  labels: [{ name: 'version', value: '1.2' }],
  app: { exec: ['/bin/controller', '-v'] },
});

async function newScene(
  files: Readonly<Record<string, string>> = { tar: OVERLAY, Dockerfile: DOCKERFILE },
): Promise<World & { readonly image: string; put(name: string, text: string): Promise<void> }> {
  const world = await newWorld();
  const image = join(world.path, 'image');
  const put = async (name: string, text: string) => {
    const path = join(image, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
    await chmod(path, name === 'tar' ? 0o755 : 0o644);
  };
  for (const [name, text] of Object.entries(files)) await put(name, text);
  return { ...world, image, put };
}

describe('images mkimage with a Dockerfile', () => {
  it('prints the name, builds what is new, and remembers it', async () => {
    await using scene = await newScene();
    const first = await scene.images(['mkimage', '--tag=test/a:1', scene.image]);
    expect(first).toMatchObject({ status: 0, stdout: 'test/a:1\n' });
    expect(first.stderr).toMatch(/^=== \[0\] ADD --chown=0:0 ovl\.tar \/\n1 layer, \S+ kB of its own, \S+ s\n$/);
    expect((await scene.images(['mkimage', '--tag=test/a:1', scene.image])).stderr).toContain('ovl.tar / (cached)');
    expect(await scene.must(['docker_ls', 'test/a:1'])).toBe('bin/\nbin/controller\nhello\n');
    const { config } = JSON.parse(await scene.must(['inspect', '--config', 'test/a:1']));
    expect(config.Cmd).toEqual(['/bin/controller']);
  });

  it('cannot be pulled before it is uploaded; the upload only makes links', async () => {
    await using scene = await newScene();
    await scene.must(['mkimage', '--tag=registry.example.com/test/a:1', scene.image]);
    expect((await scene.images(['lreg_isloaded', 'test/a:1'])).status).toBe(1);
    expect(await scene.must(['lreg_ls'])).toBe('');
    expect(
      await scene.must(['mkimage', '--upload', '--strip-host', '--tag=registry.example.com/test/a:1', scene.image]),
    ).toBe('registry.example.com/test/a:1\n');
    expect(await scene.must(['lreg_ls'])).toBe('test/a:\n  ["1"]\n');
    expect((await scene.images(['check', 'test/a:1'])).status).toBe(0);
  });

  it('gives the same bytes in another store, and says so with --verify', async () => {
    await using scene = await newScene();
    const digest = async (...options: string[]) =>
      JSON.parse(await scene.must(['mkimage', '--json', '--tag=a', ...options, scene.image])).digest as string;
    const first = await digest();
    expect(await digest(`--data=${join(scene.path, 'other')}`)).toBe(first);
    expect(await digest('--no-cache')).toBe(first);
    expect(await digest('--timestamp=5')).not.toBe(first);
    expect((await scene.images(['mkimage', '--verify', '--tag=a', scene.image])).stderr).toContain(
      'The same when built again',
    );
    await scene.put('tar', OVERLAY.replace('echo hello', 'cat /proc/sys/kernel/random/uuid'));
    const verified = await scene.images(['mkimage', '--verify', '--tag=a', scene.image]);
    expect(verified.status).toBe(1);
    expect(verified.stderr).toContain('~ /hello (content)');
  });

  it('needs a name', async () => {
    await using scene = await newScene();
    expect(await scene.images(['mkimage', scene.image])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('ERROR: a Dockerfile does not say what the image is called [--tag]\n'),
    });
  });

  it('reports a mistake as a compiler does, before anything runs', async () => {
    await using scene = await newScene({
      tar: '#! /bin/sh\necho ran > ran\n',
      Dockerfile: 'FROM scratch\n\tAD ovl.tar /\n',
    });
    const { status, stderr } = await scene.images(['mkimage', '--tag=a', scene.image]);
    expect(status).toBe(1);
    expect(stderr.split('\n')).toEqual([
      `ERROR: ${scene.image}/Dockerfile:2: unknown instruction [AD]`,
      '  2 | \tAD ovl.tar /',
      '    | \t^^',
      'Did you mean ADD?',
      '',
    ]);
  });

  it('reports the line that is not UTF-8, and how to convert UTF-16', async () => {
    await using scene = await newScene();
    const file = join(scene.image, 'Dockerfile');
    await writeFile(file, Buffer.from('# J\xfcrgen\nFROM scratch\nADD ovl.tar /\n', 'latin1'));
    const old = await scene.images(['mkimage', '--tag=a', scene.image]);
    expect(old.status).toBe(0);
    expect(old.stderr).toContain(`WARNING: ${file}:1: not UTF-8`);
    await writeFile(file, Buffer.from('\ufeffFROM scratch\nADD ovl.tar /\n', 'utf16le'));
    expect(await scene.images(['mkimage', '--tag=a', scene.image])).toMatchObject({
      status: 1,
      stderr: `ERROR: in UTF-16, not UTF-8 [${file}]\niconv -f UTF-16 -t UTF-8 ${file}\n`,
    });
  });

  it('takes files of a directory, without what .dockerignore names, with their attributes', async () => {
    await using scene = await newScene({
      tar: OVERLAY,
      Dockerfile: 'FROM scratch\nCOPY . /c/\nADD ovl.tar /o/\n',
      'ctx/.dockerignore': '*.log\n!keep.log\nsecret\n',
      'ctx/a.log': '',
      'ctx/keep.log': '',
      'ctx/secret/key': '',
      'ctx/src/main': 'x',
    });
    await scene.must(['mkimage', `--context=${scene.image}/ctx`, '--tag=a', scene.image]);
    expect(await scene.must(['docker_ls', 'a'])).toBe(
      [
        'c/',
        'c/.dockerignore',
        'c/keep.log',
        'c/ovl.tar',
        'c/src/',
        'c/src/main',
        'o/',
        'o/bin/',
        'o/bin/controller',
        'o/hello',
        '',
      ].join('\n'),
    );
    await scene.put('Dockerfile.dockerignore', '**\n!src\n');
    await scene.must(['mkimage', `--context=${scene.image}/ctx`, '--tag=a', scene.image]);
    expect(await scene.must(['docker_ls', 'a'])).toContain('c/ovl.tar\nc/src/\nc/src/main\n');
    expect(await scene.must(['docker_ls', 'a'])).not.toContain('keep.log');
    await scene.put('ctx/.dockerignore', '!\n');
    await rm(join(scene.image, 'Dockerfile.dockerignore'));
    expect((await scene.images(['mkimage', `--context=${scene.image}/ctx`, '--tag=a', scene.image])).stderr).toContain(
      'a pattern that is nothing but [!]',
    );
  });

  it('builds on what was built before', async () => {
    await using scene = await newScene();
    await scene.must(['mkimage', '--tag=base:1', scene.image]);
    await scene.put('Dockerfile', 'FROM base:1\nLABEL more=yes\nCOPY ovl.tar /x\n');
    await scene.must(['mkimage', '--tag=app:1', scene.image]);
    expect(await scene.must(['docker_ls', 'app:1'])).toBe('bin/\nbin/controller\nhello\nx\n');
    await scene.put('Dockerfile', 'FROM bsae:1\n');
    expect((await scene.images(['mkimage', '--tag=app:1', scene.image])).stderr).toContain('bsae:1');
  });

  it('fetches addresses: mode 0600, time of the server, verified, remembered by checksum', async () => {
    const content = Buffer.from('downloaded');
    let asked = 0;
    const server = createServer((request, response) => {
      asked++;
      if (request.url === '/moved') response.writeHead(302, { location: '/dir/file.tar.gz?x=1' }).end();
      else if (request.url?.startsWith('/dir/file'))
        response.writeHead(200, { 'last-modified': 'Wed, 21 Oct 2015 07:28:00 GMT' }).end(content);
      else response.writeHead(404).end();
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    try {
      const base = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
      await using scene = await newScene({
        tar: OVERLAY,
        Dockerfile: `FROM scratch\nADD ${base}/dir/file.tar.gz ${base}/moved /d/\n`,
      });
      await scene.must(['mkimage', '--timestamp=keep', '--tag=a', scene.image]);
      const [, file] = JSON.parse(await scene.must(['ls', '-R', '--json', 'a', '/d'])) as {
        path: string;
        mode: string;
        mtime: string;
      }[];
      expect(JSON.stringify(file)).toContain('2015-10-21T07:28:00');
      expect(await scene.must(['ls', '-R', 'a', '/d'])).toMatch(/-rw-------.*file\.tar\.gz[\s\S]*-rw-------.*moved/);
      await scene.put('Dockerfile', `FROM scratch\nADD --checksum=${digestOf(content)} ${base}/dir/file.tar.gz /x\n`);
      await scene.must(['mkimage', '--tag=a', scene.image]);
      const before = asked;
      await scene.must(['mkimage', '--tag=a', scene.image]);
      expect(asked).toBe(before);
      await scene.put(
        'Dockerfile',
        `FROM scratch\nADD --checksum=${digestOf(Buffer.from('other'))} ${base}/dir/file.tar.gz /x\n`,
      );
      expect((await scene.images(['mkimage', '--tag=a', scene.image])).stderr).toMatch(
        /^ERROR: \S+\/Dockerfile:2: digest is \S+, expected \S+ \[http\S+\]\n {2}2 \| ADD /m,
      );
      await scene.put('Dockerfile', `FROM scratch\nADD ${base}/none /x\n`);
      expect((await scene.images(['mkimage', '--tag=a', scene.image])).stderr).toContain(
        `/Dockerfile:2: the address answered 404 [${base}/none]\n`,
      );
    } finally {
      server.close();
    }
  });
});

describe('images mkimage with a manifest.json', () => {
  it('has name, version and command from it, and does nothing where the image is there', async () => {
    await using scene = await newScene({ tar: OVERLAY, 'manifest.json': MANIFEST });
    expect(await scene.must(['mkimage', scene.image])).toBe('registry.example.com/team/app:1.2\n');
    const again = await scene.images(['mkimage', scene.image]);
    expect(again).toMatchObject({
      status: 0,
      stdout: 'registry.example.com/team/app:1.2\n',
      stderr: 'Cached [registry.example.com/team/app:1.2]\n',
    });
    expect((await scene.images(['mkimage', '--force', scene.image])).stderr).not.toContain('Cached [');
    const { config } = JSON.parse(await scene.must(['inspect', '--config', 'registry.example.com/team/app:1.2']));
    expect(config.Cmd).toEqual(['/bin/controller', '-v']);
    expect(JSON.parse(await scene.must(['inspect', '--raw', 'registry.example.com/team/app:1.2'])).layers).toHaveLength(
      1,
    );
    await scene.must(['mkimage', '--upload', scene.image]);
    expect(await scene.must(['lreg_ls'])).toBe('team/app:\n  ["1.2"]\n');
  });

  it.each([
    ['{', 'a manifest that is no JSON'],
    ['{"name": "a"}', 'a manifest without a label `version`, which is the tag'],
    ['{"labels": []}', 'a manifest without a name'],
    [
      '{"name": "a", "labels": [{"name": "version", "value": "1"}], "app": {"exec": "x"}}',
      'a manifest with an app.exec that is no list of strings',
    ],
  ])('refuses %s', async (manifest, message) => {
    await using scene = await newScene({ tar: OVERLAY, 'manifest.json': manifest });
    expect((await scene.images(['mkimage', scene.image])).stderr).toContain(`ERROR: ${message} [`);
  });

  it('wins over a Dockerfile if --manifest names it', async () => {
    await using scene = await newScene({ tar: OVERLAY, Dockerfile: 'BROKEN', 'other.json': MANIFEST });
    expect(await scene.must(['mkimage', `--manifest=${scene.image}/other.json`, scene.image])).toBe(
      'registry.example.com/team/app:1.2\n',
    );
  });
});

/** A zombie counts as not running. */
async function isRunning(pid: number): Promise<boolean> {
  const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return state !== undefined && !/\) Z /.test(state);
}

describe('the tar script', () => {
  const told = async (script: string | undefined, mode = 0o755) => {
    await using scene = await newScene({ Dockerfile: DOCKERFILE, ...(script !== undefined && { tar: script }) });
    if (script !== undefined) await chmod(join(scene.image, 'tar'), mode);
    const { status, stdout, stderr } = await scene.images(['mkimage', '--tag=a', scene.image]);
    expect([status, stdout]).toEqual([1, '']);
    expect((await scene.images(['inspect', 'a'])).status).toBe(1);
    return stderr;
  };

  it.each([
    [
      'fails',
      '#! /bin/sh\necho why >&2\nexit 3\n',
      /^why\nERROR: the `tar` script failed \[\S+\/image\/tar: exit status 3\]\nWhat it said is above\.\n$/,
    ],
    ['is killed', '#! /bin/sh\nkill -9 $$\n', /signal SIGKILL/],
    ['writes nothing', '#! /bin/sh\n', /ERROR: the tar script wrote nothing\n/],
    [
      'writes an archive of nothing',
      '#! /bin/sh\nhead -c 10240 /dev/zero\n',
      /ERROR: the tar script wrote an archive of nothing\n/,
    ],
    ['writes garbage', '#! /bin/sh\nseq 1000\n', /is no tar archive: the checksum of a header is /],
    [
      'breaks off',
      '#! /bin/sh\ntar cf - -C /bin true | head -c 2000\n',
      /ERROR: what the tar script wrote is no tar archive: the tar archive breaks off/,
    ],
    ['writes a file of the name -', '#! /bin/sh\ntar cf ./- -C /bin true\n', /It wrote a file of the name `-`/],
    ['names no interpreter that is there', '#! /no/such/shell\n', /cannot be run|failed/],
    ['has line ends of another system', '#! /bin/sh\r\ntrue\r\n', /cannot be run \[.*\n.*not CR LF/],
  ])('that %s', async (_, script, message) => {
    expect(await told(script)).toMatch(message);
  });

  it('can open its standard streams again by their names, as with every pipe', async () => {
    const script = `#! /bin/sh
d=$(mktemp -d); echo one >$d/1; echo two >$d/2; cd $d
echo message >/dev/stderr; echo more >/proc/self/fd/2
tar cf /dev/stdout 1 | head -c 1024 >/dev/stdout
tar cf - 2 | cat >>/dev/stdout
rm -r $d
`;
    await using scene = await newScene({ tar: script, Dockerfile: 'FROM scratch\nADD ovl.tar /\n' });
    const { status, stderr } = await scene.images(['mkimage', '--tag=a', scene.image]);
    expect([status, stderr]).toEqual([0, expect.stringMatching(/^message\nmore\n/)]);
    expect((await scene.images(['docker_ls', 'a'])).stdout.split('\n').sort()).toEqual(
      expect.arrayContaining(['1', '2']),
    );
  });

  it('that is not there, or not executable, is reported', async () => {
    expect(await told(undefined)).toMatch(/^ERROR: no `tar` script \[/);
    expect(await told('#! /bin/sh\n', 0o644)).toMatch(/^ERROR: the `tar` script is not executable \[\S+\]\nchmod \+x /);
  });

  it.each([
    ['SIGTERM', '#! /bin/sh\necho $$ >&2\nsleep 300\n'],
    ['SIGINT', "#! /bin/sh\ntrap '' TERM\necho $$ >&2\nsleep 300 & sleep 300\nsleep 300\n"],
  ] as const)('is ended by %s with all that it has started', async (signal, script) => {
    await using scene = await newScene({ tar: script, Dockerfile: DOCKERFILE });
    const child = scene.startImages(['mkimage', '--tag=a', scene.image]);
    const said = createInterface({ input: child.stderr as Readable })[Symbol.asyncIterator]();
    let line = '';
    while (!/^\d+$/.test(line)) line = (await said.next()).value ?? expect.fail('the script has not begun');
    const pid = Number(line);
    // Waits until the script's command runs, too.
    const children = () =>
      readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').then((text) => text.match(/\d+/g) ?? []);
    await eventually(async () => (await children()).length > 0);
    const pids = [pid, ...(await children()).map(Number)];
    child.kill(signal);
    await once(child, 'exit');
    await eventually(async () => !(await Promise.all(pids.map(isRunning))).includes(true));
  });

  it('ends even if it leaves programs running', async () => {
    const script = '#! /bin/sh\nsleep 300 &\necho $! >&2\ntar cf - -C /bin true\n';
    await using scene = await newScene({ tar: script, Dockerfile: DOCKERFILE });
    const { status, stderr } = await scene.images(['mkimage', '--tag=a', scene.image]);
    expect(status).toBe(0);
    // The background process still runs, or `kill` would throw.
    process.kill(Number(/^\d+$/m.exec(stderr)?.[0] ?? expect.fail(stderr)));
  });

  it('may compress what it writes', async () => {
    await using scene = await newScene({ tar: '#! /bin/sh\ntar czf "$1" -C /bin true\n', Dockerfile: DOCKERFILE });
    await scene.must(['mkimage', '--tag=a', scene.image]);
    expect(await scene.must(['docker_ls', 'a'])).toBe('true\n');
  });

  it('runs even if nothing of it is used, and its failure counts', async () => {
    await using scene = await newScene({ tar: '#! /bin/sh\nexit 1\n', Dockerfile: 'FROM scratch\nENV a=b\n' });
    expect((await scene.images(['mkimage', '--tag=a', scene.image])).status).toBe(1);
  });
});

const runs = needs('root', 'busybox');

describe.skipIf(runs.missing)(`RUN in mkimage${runs.why}`, () => {
  const BASE = `#! /bin/sh\nset -e\nT=$(mktemp -d)\nmkdir -p $T/bin $T/etc\ncp ${findProgram('busybox')} $T/bin/busybox\nfor a in sh rm cat id; do ln -s busybox $T/bin/$a; done\ntar cf "$1" -C $T .\nrm -r $T\n`;

  it('shows what commands print, and takes secrets without leaving any; a deleted one is reported', async () => {
    await using scene = await newScene({
      tar: BASE,
      Dockerfile: [
        'FROM scratch',
        'ADD ovl.tar /',
        'RUN --mount=type=secret,id=pw,required cat /run/secrets/pw && echo "-----BEGIN PRIVATE KEY-----" > /key',
        'RUN rm /key',
        'CMD ["/bin/sh"]',
      ].join('\n'),
    });
    await writeFile(join(scene.path, 'pw'), 'hunter22');
    expect((await scene.images(['mkimage', '--tag=a', scene.image])).stderr).toContain(
      'a secret that is required is not given [pw]',
    );
    const { status, stderr } = await scene.images([
      'mkimage',
      '--tag=a',
      `--secret=id=pw,src=${join(scene.path, 'pw')}`,
      scene.image,
    ]);
    expect(status).toBe(0);
    expect(stderr).toContain('hunter22');
    expect(stderr).toContain('WARNING: a private key is still in the image although /key is gone: RUN ');
    expect(
      (await scene.images(['mkimage', '--tag=a', '--secret=id=pw,env=PW', scene.image], { env: { PW: 'hunter22' } }))
        .stderr,
    ).toContain('(cached)');
  });

  it('a command that fails is reported with its line', async () => {
    await using scene = await newScene({
      tar: BASE,
      Dockerfile: 'FROM scratch\nADD ovl.tar /\nRUN echo doing && exit 4\n',
    });
    const { status, stderr } = await scene.images(['mkimage', '--tag=a', scene.image]);
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /=== \[0\] RUN echo doing && exit 4\ndoing\nERROR: \S+\/Dockerfile:3: the command failed \[exit status 4\]\n {2}3 \| RUN echo doing/,
    );
  });
});

const docker = needs('root', 'dockerd', 'docker', 'busybox');

describe.skipIf(docker.missing)(`mkimage and Docker${docker.why}`, () => {
  it('--docker loads it into the daemon, where it runs; --output writes it anywhere', async () => {
    await using daemon = await startDockerd();
    await using scene = await newScene({
      tar: `#! /bin/sh\nexec tar cf "$1" -C ${dirname(findProgram('busybox') ?? '')} busybox\n`,
      Dockerfile: 'FROM scratch\nADD ovl.tar /bin\nENTRYPOINT ["/bin/busybox", "echo"]\nCMD ["from the image"]\n',
    });
    const options = { env: { DOCKER_HOST: daemon.host } };
    await scene.must(
      ['mkimage', '--docker', `--output=oci:${scene.path}/layout:x`, '--tag=test/run:1', scene.image],
      options,
    );
    expect(await daemon.docker(['run', '--rm', '--network=none', 'test/run:1'])).toBe('from the image\n');
    expect(await scene.must(['docker_ls', `oci:${scene.path}/layout:x`])).toBe('bin/\nbin/busybox\n');
  });
});
