// The request that RUN makes to the machine, what of it is part of the key, and the handling of the answer. Numbers in titles: this project's list of known traps.
import { describe, expect, it } from 'vitest';
import { ImagesError } from '../oci/errors.ts';
import type { Runner, RunRequest } from './contract.ts';
import { build, failure, newWorld, type TestBuild } from './testing/build.ts';
import { recordingRunner } from './testing/recording-runner.ts';

const FILES = [{ name: 'a.txt', content: 'A' }];
const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

async function asked(lines: string, options: TestBuild = {}): Promise<RunRequest> {
  const runner = recordingRunner();
  await build(`FROM scratch\n${lines}`, { files: FILES, runner, ...options });
  return runner.requests.at(-1) as RunRequest;
}

describe('RUN', () => {
  it("runs the shell form in the stage's shell, ignores ENTRYPOINT, and has a PATH on scratch", async () => {
    expect(await asked('ENTRYPOINT ["/x"]\nRUN echo  a')).toMatchObject({
      args: ['/bin/sh', '-c', 'echo  a'],
      env: [PATH],
      directory: '/',
      user: { uid: 0, gid: 0 },
      network: 'default',
      mounts: [],
    });
    expect((await asked('SHELL ["/bin/bash", "-ec"]\nRUN a')).args).toEqual(['/bin/bash', '-ec', 'a']);
    expect((await asked('RUN ["/x", "$A"]')).args).toEqual(['/x', '$A']);
  });

  it('that may ignore owners is not taken from the cache by a build that keeps them', async () => {
    const world = newWorld();
    const runner = recordingRunner();
    for (const ignoreChownErrors of [true, false, true]) {
      await build('FROM scratch\nRUN x', { runner, world, ignoreChownErrors });
    }
    expect(runner.requests).toHaveLength(2);
  });

  it('sees ENV, ARG with a value, the user with groups, and the working directory', async () => {
    const files = [
      { name: 'passwd', content: 'bob:x:1000:1001::/home/bob:\n' },
      { name: 'group', content: 'bob:x:1001:\nstaff:x:50:bob\n' },
    ];
    const request = await asked(
      'COPY passwd group /etc/\nENV A=1\nARG A=2 B=3 C\nWORKDIR /w\nUSER bob\nRUN --network=none x',
      { files },
    );
    expect(request).toMatchObject({ env: [PATH, 'A=1', 'B=3'], directory: '/w', network: 'none' });
    expect(request.user).toEqual({ uid: 1000, gid: 1001, groups: [1001, 50], home: '/home/bob' });
    expect((await asked('USER 77\nRUN x')).user).toEqual({ uid: 77, gid: 0, groups: [0], home: '/' });
  });

  it('has the network that it names, else the one of the build; a Dockerfile cannot open a network that the build closes', async () => {
    const networks = async (line: string, options: TestBuild = {}): Promise<string> =>
      (await asked(line, options)).network;
    expect(await networks('RUN x')).toBe('default');
    expect(await networks('RUN x', { network: 'host' })).toBe('default');
    expect(await networks('RUN --network=default x', { network: 'private' })).toBe('private');
    expect(await networks('RUN --network=none x', { network: 'private' })).toBe('none');
    expect(await networks('RUN x', { network: 'none' })).toBe('none');
    expect(await networks('RUN --network=host x', { network: 'host' })).toBe('host');
    for (const network of ['none', 'private'] as const) {
      const error = await failure('FROM scratch\nRUN --network=host x', { network, runner: recordingRunner() });
      expect(error).toMatchObject({
        code: 'DOCKERFILE_INVALID',
        message: `Dockerfile:2: the network of the machine is not allowed by --network=${network}`,
        excerpt: ['2 | RUN --network=host x', '  |     ^^^^^^^^^^^^^^'],
      });
    }
  });

  it('is run again if its network differs', async () => {
    const world = newWorld();
    const runner = recordingRunner();
    for (const network of ['host', 'none', 'host', 'private', 'none'] as const) {
      await build('FROM scratch\nRUN x', { runner, world, network });
    }
    expect(runner.requests).toHaveLength(3);
  });

  it('says in the history which arguments it had', async () => {
    const { config } = await build('FROM scratch\nARG A=1\nARG B\nENV A=env\nRUN x y\nRUN ["z"]', {
      runner: recordingRunner(),
    });
    expect(config.history.slice(-2).map(({ created_by }) => created_by)).toEqual([
      'RUN |2 A=env B= /bin/sh -c x y # buildkit',
      'RUN |2 A=env B= z # buildkit',
    ]);
  });

  it('that fails passes on what the runner knows of the reason', async () => {
    const error = await failure('FROM scratch\nRUN ["false"]', { runner: recordingRunner() });
    expect(error).toMatchObject({ code: 'BUILD_FAILED', hint: 'What it said is above. Mend the machine.' });
  });

  it.each(['CONFIG_INVALID', 'RUN_UNAVAILABLE'] as const)(
    'that is impossible is reported with its line: %s',
    async (code) => {
      const run = async () => {
        throw new ImagesError(code, 'why', { hint: 'mend' });
      };
      const error = await failure('FROM scratch\nRUN x', { runner: { ...recordingRunner(), run } });
      expect(error).toMatchObject({
        code,
        message: 'Dockerfile:2: why',
        hint: 'mend',
        position: { line: 2, column: 1 },
      });
    },
  );

  it('whose changes cannot be read is reported with its line', async () => {
    const runner = recordingRunner();
    const run: Runner['run'] = async (...args) => {
      const result = await runner.run(...args);
      // biome-ignore lint/correctness/useYield: it fails before
      async function* changes(): AsyncGenerator<Uint8Array> {
        throw new ImagesError('BUILD_FAILED', 'no layer can hold a file of this name [/.wh.x]');
      }
      return { ...result, changes: changes() };
    };
    expect(await failure('FROM scratch\nRUN x', { runner: { ...runner, run } })).toMatchObject({
      code: 'BUILD_FAILED',
      message: 'Dockerfile:2: no layer can hold a file of this name [/.wh.x]',
    });
  });

  it('that fails ends the build, with the line', async () => {
    const error = await failure('FROM scratch\nRUN true && \\\n  ["false"]\nRUN ["false"]', {
      runner: recordingRunner(),
    });
    expect(error).toMatchObject({ code: 'BUILD_FAILED', message: 'Dockerfile:4: the command failed [exit status 7]' });
  });

  it('that changes nothing makes no layer', async () => {
    const { image, config } = await build('FROM scratch\nRUN x', { runner: recordingRunner(() => []) });
    expect(image.layers).toHaveLength(0);
    expect(config.history).toMatchObject([{ empty_layer: true }]);
  });

  it('makes whiteouts and opaque directories part of its layer', async () => {
    const runner = recordingRunner(({ args }) =>
      args.at(-1) === 'delete'
        ? [
            { name: '.wh.a.txt', content: '' },
            { name: 'd/' },
            { name: 'd/.wh..wh..opq', content: '' },
            { name: 'd/new', content: '' },
          ]
        : [],
    );
    const { list } = await build('FROM scratch\nCOPY a.txt /\nCOPY a.txt /d/old\nRUN delete', { files: FILES, runner });
    expect(list).toEqual(['d/ 755 0:0', 'd/new 644 0:0']);
  });
});

describe('heredocs in RUN', () => {
  it('that are the whole command are what the shell gets', async () => {
    expect((await asked('RUN <<EOF\n  echo $A\necho b\nEOF')).args).toEqual(['/bin/sh', '-c', '  echo $A\necho b\n']);
    expect((await asked('SHELL ["/py", "-c"]\nRUN <<-EOF\n\tprint(1)\n\tEOF')).args).toEqual([
      '/py',
      '-c',
      'print(1)\n',
    ]);
  });

  it('that begin with #! are run as a file', async () => {
    const { args, mounts } = await asked('RUN <<script\n#!/bin/py\nx\nscript');
    expect(args).toEqual(['/bin/sh', '-c', '/dev/pipes/script']);
    expect(mounts).toMatchObject([{ type: 'file', target: '/dev/pipes/script', mode: 0o755 }]);
    expect(Buffer.from((mounts[0] as { content: Uint8Array }).content).toString()).toBe('#!/bin/py\nx\n');
  });

  it('are passed to the shell unchanged if there are several, or a command beside them', async () => {
    expect((await asked('RUN cat <<A <<-"B" > /f\n1\nA\n\t2\n\tB')).args.at(-1)).toBe(
      'cat <<A <<-"B" > /f\n1\nA\n\t2\nB',
    );
  });
});

describe('mounts', () => {
  it('of all types reach the runner, with defaults', async () => {
    const { mounts, env } = await asked(
      [
        'WORKDIR /w',
        'ARG T=/tmp/x',
        'RUN --mount=target=ctx --mount=type=cache,target=/c,sharing=locked,uid=5 --mount=type=tmpfs,target=$T,size=1m \\',
        '  --mount=type=secret,id=key --mount=type=secret,id=key,env=KEY --mount=type=secret,id=key,target=rel,mode=0444 --mount=type=ssh true',
      ].join('\n'),
      { secrets: new Map([['key', Buffer.from('s3cret')]]), agents: new Map([['default', '/agent.sock']]) },
    );
    expect(mounts).toMatchObject([
      { type: 'bind', target: '/w/ctx', source: '/', readOnly: true },
      {
        type: 'cache',
        target: '/c',
        id: '/c',
        sharing: 'locked',
        mode: 0o755,
        uid: 5,
        gid: 0,
        readOnly: false,
        source: '/',
      },
      { type: 'tmpfs', target: '/tmp/x', size: 1 << 20 },
      { type: 'file', target: '/run/secrets/key', mode: 0o400 },
      { type: 'file', target: '/w/rel', mode: 0o444 },
      { type: 'ssh', target: '/run/buildkit/ssh_agent.6', socket: '/agent.sock', mode: 0o600 },
    ]);
    expect(env).toEqual(expect.arrayContaining(['KEY=s3cret', 'SSH_AUTH_SOCK=/run/buildkit/ssh_agent.6']));
  });

  it('of the context count with modes, links and directories, not with contents alone', async () => {
    const world = newWorld();
    const runner = recordingRunner();
    const trees: readonly NonNullable<TestBuild['files']>[] = [
      FILES,
      [...FILES, { name: 'dir', type: 'directory' }],
      [...FILES, { name: 'link', type: 'symlink', linkname: 'a.txt' }],
      [...FILES, { name: 'link', type: 'symlink', linkname: 'dir' }],
      [{ name: 'a.txt', content: 'A', mode: 0o755 }],
    ];
    for (const files of [...trees, ...trees]) {
      await build('FROM scratch\nRUN --mount=type=bind,target=/c x', { files, runner, world });
    }
    expect(runner.requests).toHaveLength(trees.length);
  });

  it('of a context that has a file with the name of a whiteout are refused', async () => {
    const runner = recordingRunner();
    const files = [...FILES, { name: 'd/.wh.x', content: '' }];
    expect(await failure('FROM scratch\nRUN --mount=target=/c x', { files, runner })).toMatchObject({
      message: 'Dockerfile:2: no mount can show a file of that name [d/.wh.x]',
      hint: 'Leave it out of the context with .dockerignore.',
    });
    expect(runner.requests).toEqual([]);
  });

  it('of an image that is nowhere are reported with their line', async () => {
    const text = 'FROM scratch AS build\nFROM scratch\nRUN --mount=from=biuld,target=/c x';
    expect(await failure(text, { runner: recordingRunner() })).toMatchObject({
      message: 'Dockerfile:3: no such image [biuld]',
      hint: 'Did you mean build?',
      excerpt: ['3 | RUN --mount=from=biuld,target=/c x', '  |                  ^^^^^'],
    });
  });

  it('of stages and images make these part of the build', async () => {
    const runner = recordingRunner();
    const { events } = await build(
      'FROM scratch AS src\nCOPY a.txt /\nFROM scratch\nRUN --mount=from=src,source=/a.txt,target=/m,rw --mount=from=img,target=/i x',
      { files: FILES, runner, images: { img: { entries: [{ name: 'f', content: '' }] } } },
    );
    expect(events.filter(({ type }) => type === 'step')).toHaveLength(2);
    expect(runner.requests[0]?.mounts).toMatchObject([
      { target: '/m', source: '/a.txt', readOnly: false, layers: [{}] },
      { target: '/i', layers: [{}] },
    ]);
  });

  it('of secrets leave nothing in cache keys, history or config', async () => {
    const world = newWorld();
    const runner = recordingRunner();
    const text = 'FROM scratch\nRUN --mount=type=secret,id=k,env=K use';
    const first = await build(text, { world, runner, secrets: new Map([['k', Buffer.from('hunter22')]]) });
    const second = await build(text, { world, runner, secrets: new Map([['k', Buffer.from('other')]]) });
    expect([second.cached, runner.requests.length]).toEqual([1, 1]);
    const kept = [...world.steps.values(), ...world.blobs.values(), first.image.config].map((bytes) =>
      Buffer.from(bytes).toString('latin1'),
    );
    expect(kept.join()).not.toContain('hunter22');
  });

  it.each([
    ['type=secret,id=k,required', 'a secret that is required is not given [k]', 'Add --secret=id=k,src=FILE'],
    ['type=cache', 'no path to mount to []', 'Write target=/path: the root itself cannot be one.'],
    ['type=tmpfs,target=/', 'no path to mount to [/]', 'Write target=/path: the root itself cannot be one.'],
  ])('with %s fail', async (mount, message, hint) => {
    const error = await failure(`FROM scratch\nRUN --mount=${mount} x`, { runner: recordingRunner() });
    expect(error).toMatchObject({ message: `Dockerfile:2: ${message}`, hint });
  });

  it('of the context run the step again when it changes; those of a stage, only when their own files change', async () => {
    const world = newWorld();
    const runner = recordingRunner();
    const text = 'FROM scratch\nRUN --mount=target=/c x';
    await build(text, { world, runner, files: FILES });
    await build(text, { world, runner, files: FILES });
    await build(text, { world, runner, files: [{ name: 'a.txt', content: 'other' }] });
    expect(runner.requests).toHaveLength(2);
  });
});
