// The configuration and history that instructions produce. Numbers in titles are those of this project's list of known traps.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are a Dockerfile's
import { describe, expect, it } from 'vitest';
import { findPath, headerOf } from '../rootfs/tree.ts';
import { build, failure, type TestBuild } from './testing/build.ts';
import { recordingRunner } from './testing/recording-runner.ts';

const inner = async (lines: string, options: TestBuild = {}) =>
  (await build(`FROM scratch\n${lines}`, options)).config.config;
const history = async (lines: string, options: TestBuild = {}) =>
  (await build(`FROM scratch\n${lines}`, options)).config.history.map(({ created_by }) => created_by);
const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const image = (config: object) => ({ images: { base: { entries: [{ name: 'f', content: '' }], config } } });

describe('ENV and ARG', () => {
  it('an instruction sees the environment as it was before it', async () => {
    expect((await inner('ENV a=1\nENV a=2 b=$a')).Env).toEqual([PATH, 'a=2', 'b=1']);
  });

  it('the old form takes the rest of the line', async () => {
    expect((await inner('ENV k v  w "x"')).Env).toEqual([PATH, 'k=v  w x']);
  });

  it('a global ARG is invisible in a stage until it is declared again', async () => {
    const { config } = await build('ARG V=1\nARG W=${V}2\nFROM scratch\nENV a=[$V]\nARG V\nARG W=own\nENV b=[$V] c=$W');
    expect(config.config.Env).toEqual([PATH, 'a=[]', 'b=[1]', 'c=own']);
  });

  it('ARG without a value is not ARG with an empty one', async () => {
    expect(await history('ARG X\nARG Y=\nENV a=${X-unset} b=${Y-unset}')).toEqual([
      'ARG X',
      'ARG Y=',
      'ENV a=unset b=',
    ]);
  });

  it('--build-arg beats the default, ENV beats both, whichever comes first', async () => {
    const buildArgs = new Map([['V', 'given']]);
    expect((await inner('ARG V=default\nENV a=$V V=env\nENV b=$V\nARG V\nENV c=$V', { buildArgs })).Env).toEqual([
      PATH,
      'a=given',
      'V=env',
      'b=env',
      'c=env',
    ]);
  });

  it('a stage inherits the ARGs of the stage that it is built from', async () => {
    const { config } = await build('FROM scratch AS a\nARG V=1\nFROM a\nENV x=$V');
    expect(config.config.Env).toEqual([PATH, 'x=1']);
  });

  it('arguments that every build knows (TARGETARCH, …) can be declared', async () => {
    const { config } = await build(
      'FROM scratch\nARG TARGETARCH TARGETPLATFORM BUILDOS\nENV x=$TARGETARCH-$TARGETPLATFORM-$BUILDOS',
    );
    expect(config.config.Env).toEqual([PATH, 'x=amd64-linux/amd64-linux']);
  });

  it('proxies need no ARG, and are in neither history nor key', async () => {
    const runner = recordingRunner();
    const first = await build('FROM scratch\nRUN x', {
      runner,
      proxies: new Map([['http_proxy', 'http://p']]),
      buildArgs: new Map([['http_proxy', 'http://p']]),
    });
    expect(runner.requests[0]?.env).toContain('http_proxy=http://p');
    expect(JSON.stringify(first.config)).not.toContain('http://p');
    expect(first.warnings).toEqual([]);
  });

  it('a build argument that no ARG declares is reported, with the nearest name', async () => {
    expect((await build('FROM scratch\nARG VERSION=1', { buildArgs: new Map([['VERSON', '2']]) })).warnings).toEqual([
      'no ARG uses --build-arg VERSON: did you mean VERSION?',
    ]);
  });

  it('are expanded in every instruction that says so, with all forms', async () => {
    const config = await inner(
      'ENV V=1.2.3 P=80 U=bob D=/data\nEXPOSE $P ${P}81/udp\nLABEL v=${V%.*} w=${V##*.}\nUSER $U\nVOLUME $D ${D}2\nSTOPSIGNAL ${S:-SIGINT}\nWORKDIR /w/$U',
      { images: {}, files: [] },
    ).catch((error: unknown) => error);
    expect(config).toMatchObject({ message: 'Dockerfile:8: the image has no such user [bob]' });
    expect(
      await inner(
        'ENV V=1.2.3 P=80 U=5 D=/data\nEXPOSE $P ${P}81/udp\nLABEL v=${V%.*} w=${V##*.}\nUSER $U\nVOLUME $D ${D}2\nSTOPSIGNAL ${S:-SIGINT}\nWORKDIR /w/$U',
      ),
    ).toMatchObject({
      ExposedPorts: { '80/tcp': {}, '8081/udp': {} },
      Labels: { v: '1.2', w: '3' },
      User: '5',
      Volumes: { '/data': {}, '/data2': {} },
      StopSignal: 'SIGINT',
      WorkingDir: '/w/5',
    });
  });

  it('a variable with :? that is unset fails with its line and message', async () => {
    expect(await failure('FROM scratch\nENV x=1 \\\n  y="${V:?give V}"')).toMatchObject({
      message: 'Dockerfile:3: V: give V',
      excerpt: ['3 |   y="${V:?give V}"', '  |     ^^^^^^^^^^^^^^'],
    });
  });
});

describe('an empty value', () => {
  it.each([
    [
      'ENV A= B="" C=$X',
      { Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'A=', 'B=', 'C='] },
    ],
    ['LABEL a= b="" c=$X', { Labels: { a: '', b: '', c: '' } }],
    ['EXPOSE "" $X', { ExposedPorts: {} }],
    ['WORKDIR /w\nWORKDIR ""\nWORKDIR $X', { WorkingDir: '/w' }],
    ['ENTRYPOINT [""]', { Entrypoint: [''] }],
  ])('is what BuildKit makes of it: %s', async (lines, expected) => {
    expect(await inner(lines)).toMatchObject(expected);
  });

  it('of USER is root, who is not named', async () => {
    expect(await inner('USER 5\nUSER ""')).not.toHaveProperty('User');
  });

  it.each([
    ['VOLUME ""', 'a volume without a path [""]'],
    ['VOLUME $X', 'a volume without a path [$X]'],
    ['VOLUME [""]', 'a volume without a path'],
    ['VOLUME [" "]', 'a volume without a path'],
    ['VOLUME []', 'a volume without a path'],
    ['STOPSIGNAL ""', 'not a signal []'],
    ['STOPSIGNAL $X', 'not a signal []'],
  ])('is refused, as by BuildKit: %s', async (line, message) => {
    const error = await failure(`FROM scratch\n${line}`);
    expect(error).toMatchObject({ code: 'DOCKERFILE_INVALID', message: `Dockerfile:2: ${message}` });
    expect(error.hint).toBeUndefined();
  });
});

describe('EXPOSE', () => {
  it('may expand to several words, and takes ranges', async () => {
    expect((await inner('ENV P="80 443/TCP" R=8000-8002/udp\nEXPOSE $P $R')).ExposedPorts).toEqual({
      '443/tcp': {},
      '80/tcp': {},
      '8000/udp': {},
      '8001/udp': {},
      '8002/udp': {},
    });
  });

  it.each(['99999', 'http', '80/ip', '90-80', '80:'])('refuses %s', async (port) => {
    expect((await failure(`FROM scratch\nEXPOSE ${port}`)).message).toBe(`Dockerfile:2: not a port [${port}]`);
  });
});

describe('commands', () => {
  it('ENTRYPOINT clears an inherited CMD, but not one of the stage', async () => {
    const base = image({ config: { Cmd: ['inherited'], Entrypoint: ['old'] } });
    expect((await build('FROM base\nENTRYPOINT ["new"]', base)).config.config).toMatchObject({ Entrypoint: ['new'] });
    expect((await build('FROM base\nENTRYPOINT ["new"]', base)).config.config).not.toHaveProperty('Cmd');
    expect((await build('FROM base\nCMD ["own"]\nENTRYPOINT ["new"]', base)).config.config).toMatchObject({
      Cmd: ['own'],
    });
    expect(
      (await build('FROM base AS a\nCMD ["own"]\nFROM a\nENTRYPOINT ["new"]', base)).config.config,
    ).not.toHaveProperty('Cmd');
    expect((await build('FROM base\nENTRYPOINT []', base)).config.config).not.toHaveProperty('Entrypoint');
  });

  it('SHELL is the shell of what follows, and stays in the image', async () => {
    const config = await inner('CMD a\nSHELL ["/bin/bash", "-c"]\nENTRYPOINT b c');
    expect(config).toMatchObject({ Shell: ['/bin/bash', '-c'], Entrypoint: ['/bin/bash', '-c', 'b c'] });
    expect(await inner('CMD a  b')).toMatchObject({ Cmd: ['/bin/sh', '-c', 'a  b'] });
  });

  it('what looks like JSON and is not goes to a shell, with a warning', async () => {
    const { config, warnings } = await build("FROM scratch\nCMD ['a', 'b']");
    expect(config.config.Cmd).toEqual(['/bin/sh', '-c', "['a', 'b']"]);
    expect(warnings).toEqual(["Dockerfile:2: what looks like JSON is none, so a shell gets it: ['a', 'b']"]);
  });
});

describe('HEALTHCHECK, STOPSIGNAL, MAINTAINER, LABEL', () => {
  it('times are nanoseconds, zero is allowed, NONE removes an inherited health check', async () => {
    expect(
      (await inner('HEALTHCHECK --interval=1m30s --timeout=0 --start-period=1.5s --retries=3 CMD ["a"]')).Healthcheck,
    ).toEqual({
      Test: ['CMD', 'a'],
      Interval: 90e9,
      StartPeriod: 1.5e9,
      Retries: 3,
    });
    expect((await inner('HEALTHCHECK CMD a b\nHEALTHCHECK NONE')).Healthcheck).toEqual({ Test: ['NONE'] });
  });

  it.each(['SIGQUIT', 'QUIT', 'sigusr1', '9', 'SIGRTMIN+3', 'RTMAX-1'])('STOPSIGNAL takes %s', async (signal) => {
    expect((await inner(`STOPSIGNAL ${signal}`)).StopSignal).toBe(signal);
  });

  it.each([
    ['SIGTREM', 'Did you mean SIGTERM?'],
    ['0', undefined],
    ['99', undefined],
    ['SIGRTMIN+16', undefined],
  ])('STOPSIGNAL refuses %s', async (signal, hint) => {
    const error = await failure(`FROM scratch\nSTOPSIGNAL ${signal}`);
    expect(error.message).toBe(`Dockerfile:2: not a signal [${signal}]`);
    if (hint) expect(error.hint).toBe(hint);
  });

  it('MAINTAINER sets the author, with a warning', async () => {
    const { config, warnings } = await build('FROM scratch\nMAINTAINER Me <me@x>');
    expect(config.author).toBe('Me <me@x>');
    expect(warnings[0]).toContain('MAINTAINER is out of date');
  });

  it('labels are added to the inherited ones, --label last and in no history', async () => {
    const { config } = await build('FROM base\nLABEL a=2 "b c"=\'d $x\'', {
      ...image({ config: { Labels: { a: '1', z: '9' } } }),
      labels: new Map([['l', 'm']]),
    });
    expect(config.config.Labels).toEqual({ a: '2', 'b c': 'd $x', l: 'm', z: '9' });
    expect(config.history.at(-1)?.created_by).toBe('LABEL a=2 b c=d $x');
  });
});

describe('WORKDIR and USER', () => {
  const base = {
    images: {
      base: {
        entries: [
          { name: 'etc/passwd', content: 'bob:x:1000:1001::/home/bob:/bin/sh\n' },
          { name: 'etc/group', content: 'bob:x:1001:\n' },
          { name: 'there/', mode: 0o700, uid: 9, gid: 9 },
          { name: 'lnk', linkname: 'there' },
        ],
        config: { config: { WorkingDir: '/there' } },
      },
    },
  };

  it('relative directories continue the current one, and belong to the user', async () => {
    const { list, config } = await build(
      'FROM base\nUSER bob\nWORKDIR a/b\nWORKDIR ../c\nUSER 5:6\nWORKDIR /n/m',
      base,
    );
    expect(config.config.WorkingDir).toBe('/n/m');
    expect(list).toEqual(
      expect.arrayContaining([
        'there/ 700 9:9',
        'there/a/ 755 1000:1001',
        'there/a/b/ 755 1000:1001',
        'there/a/c/ 755 1000:1001',
        'n/ 755 5:6',
        'n/m/ 755 5:6',
      ]),
    );
  });

  it('an existing directory is kept as it is; the root makes no layer', async () => {
    const { image: built, config } = await build('FROM base\nWORKDIR /there\nWORKDIR /lnk/\nWORKDIR /', base);
    expect(built.layers).toHaveLength(1);
    expect(config.history.slice(1)).toMatchObject([
      { created_by: 'WORKDIR /there', empty_layer: true },
      { created_by: 'WORKDIR /lnk', empty_layer: true },
      { created_by: 'WORKDIR /', empty_layer: true },
    ]);
  });

  it('an empty WORKDIR is the current directory, or the root if there is none', async () => {
    const { list, config, warnings } = await build(
      'FROM scratch\nARG D\nWORKDIR $D\nWORKDIR /w\nWORKDIR ${D}\nWORKDIR ""\nWORKDIR x$D',
    );
    expect(config.config.WorkingDir).toBe('/w/x');
    expect(list).toEqual(['w/ 755 0:0', 'w/x/ 755 0:0']);
    expect(config.history.map(({ created_by }) => created_by)).toEqual([
      'ARG D',
      'WORKDIR /',
      'WORKDIR /w',
      'WORKDIR /w',
      'WORKDIR /w',
      'WORKDIR /w/x',
    ]);
    expect(warnings).toEqual([]);
  });

  it('WORKDIR at a file fails', async () => {
    expect((await failure('FROM base\nWORKDIR /etc/passwd/x', base)).message).toContain('not a directory');
  });

  it('a relative one that depends on the base is warned of', async () => {
    expect((await build('FROM base\nWORKDIR x\nWORKDIR y', base)).warnings).toEqual([
      'Dockerfile:2: WORKDIR x depends on where the base stands: write an absolute path',
    ]);
  });
});

describe('the history', () => {
  it('has one entry an instruction, as BuildKit writes them', async () => {
    const { config } = await build(
      [
        'FROM base',
        'ENV a="b c"',
        'LABEL x=y',
        'EXPOSE 80 53/udp',
        'VOLUME /v /w',
        'USER 1',
        'STOPSIGNAL SIGINT',
        'SHELL ["/bin/bash", "-c"]',
        'CMD echo "hi"',
        'ENTRYPOINT ["/x", "a\\tb"]',
        'HEALTHCHECK --interval=90s --retries=2 CMD true',
        'COPY --chown=1:2 --chmod=644 a.txt <<E /d/',
        'x',
        'E',
        'ADD a.txt /',
        'ONBUILD RUN x',
        'MAINTAINER me',
        'ARG P=q R',
      ].join('\n'),
      { ...image({}), files: [{ name: 'a.txt', content: '' }] },
    );
    expect(config.history.map(({ created_by, empty_layer }) => [created_by, empty_layer ?? false])).toEqual([
      ['base', false],
      ['ENV a=b c', true],
      ['LABEL x=y', true],
      ['EXPOSE [53/udp 80/tcp]', true],
      ['VOLUME [/v /w]', true],
      ['USER 1', true],
      ['STOPSIGNAL SIGINT', true],
      ['SHELL [/bin/bash -c]', true],
      ['CMD ["/bin/bash" "-c" "echo \\"hi\\""]', true],
      ['ENTRYPOINT ["/x" "a\\tb"]', true],
      ['HEALTHCHECK {Test:[CMD-SHELL true] Interval:1m30s Timeout:0s StartPeriod:0s StartInterval:0s Retries:2}', true],
      ['COPY --chown=1:2 --chmod=644 a.txt <<E /d/ # buildkit', false],
      ['ADD a.txt / # buildkit', false],
      ['MAINTAINER me', true],
      ['ARG P=q R', true],
    ]);
    expect(config.config.OnBuild).toEqual(['RUN x']);
  });

  it('of the base is carried over, with its layers and all that its config says', async () => {
    const base = image({
      created: '2020-02-02T00:00:00Z',
      'os.version': '7',
      container_config: { Cmd: ['x'] },
      docker_version: '1',
      config: { Hostname: 'abc', Env: ['A=1'], Future: { x: 1 }, Image: 'sha256:1' },
    });
    const { config, image: built } = await build('FROM base\nENV B=2', base);
    expect(config.history[0]).toEqual({ created: '2020-01-01T00:00:00Z', created_by: 'base' });
    expect(config.config).toEqual({ Env: ['A=1', PATH, 'B=2'], Future: { x: 1 } });
    expect(config).toMatchObject({ 'os.version': '7', created: '2001-09-09T01:46:40Z' });
    expect(config).not.toHaveProperty('docker_version');
    expect(built.layers[0]?.isNew).toBe(false);
  });
});

describe('what is written after VOLUME', () => {
  it('is kept', async () => {
    const { tree } = await build('FROM scratch\nVOLUME /v\nCOPY a.txt /v/', {
      files: [{ name: 'a.txt', content: '' }],
    });
    const found = findPath(tree, 'v/a.txt');
    expect(found && headerOf(found.node).type).toBe('file');
  });
});
