// Which steps are cached and which are executed, and that equal inputs give equal digests. Numbers in titles are those of this project's list of known traps.
import { describe, expect, it } from 'vitest';
import { archiveOf, type TestEntry } from '../rootfs/testing/layers.ts';
import { compareBuilds } from './compare-builds.ts';
import type { TimeChoice } from './layer/times.ts';
import { leftSecrets } from './left-secrets.ts';
import { build, newWorld, type TestBuild } from './testing/build.ts';
import { recordingRunner } from './testing/recording-runner.ts';

const TEXT = 'FROM scratch\nWORKDIR /w\nCOPY a.txt /w/\nADD ovl.tar /\nRUN make\nCOPY --link a.txt /last';
const at = (seconds: number) => ({ mtime: { seconds, nanoseconds: 5 } });
const files = async (time = 1_600_000_000, content = 'A'): Promise<readonly TestEntry[]> => [
  { name: 'a.txt', content, ...at(time) },
  { name: 'ovl.tar', content: await archiveOf([{ name: 'f', content: 'F', ...at(time) }]), ...at(time) },
];

describe('a second build', () => {
  it('of the same files executes nothing, and gives the same image', async () => {
    const [world, runner] = [newWorld(), recordingRunner()];
    const first = await build(TEXT, { world, runner, files: await files() });
    const second = await build(TEXT, { world, runner, files: await files() });
    expect([first.cached, second.cached]).toEqual([0, 5]);
    expect(second.image.manifest.digest).toBe(first.image.manifest.digest);
  });

  it('gives the same image also without a cache, and if the times of files differ', async () => {
    const digests = new Set<string>();
    for (const time of [1_600_000_000, 1_700_000_000]) {
      const { image } = await build(TEXT, { runner: recordingRunner(), files: await files(time) });
      digests.add(image.manifest.digest);
    }
    const { image, cached } = await build(TEXT, { runner: recordingRunner(), files: await files(), noCache: true });
    digests.add(image.manifest.digest);
    expect([digests.size, cached]).toEqual([1, 0]);
  });

  it('executes nothing if only the times of files differ: times are not content', async () => {
    const [world, runner] = [newWorld(), recordingRunner()];
    await build('FROM scratch\nADD ovl.tar /\nRUN make', { world, runner, files: await files() });
    const { cached } = await build('FROM scratch\nADD ovl.tar /\nRUN make', {
      world,
      runner,
      files: await files(1_700_000_000),
    });
    expect(cached).toBe(2);
  });

  it('with --no-cache executes every instruction', async () => {
    const [world, runner] = [newWorld(), recordingRunner()];
    await build(TEXT, { world, runner, files: await files() });
    expect((await build(TEXT, { world, runner, files: await files(), noCache: true })).cached).toBe(0);
  });

  it('with a changed file executes again what reads it and what follows, up to an instruction whose result is the same', async () => {
    const [world, runner] = [newWorld(), recordingRunner()];
    await build(TEXT, { world, runner, files: await files() });
    expect((await build(TEXT, { world, runner, files: await files(1, 'B') })).cached).toBe(1);
    const text = 'FROM scratch AS a\nCOPY a.txt b.txt /\nFROM scratch\nCOPY --from=a /b.txt /\nRUN make';
    const two = (content: string) => [
      { name: 'a.txt', content },
      { name: 'b.txt', content: 'B' },
    ];
    await build(text, { world, runner, files: two('1') });
    const { events } = await build(text, { world, runner, files: two('2') });
    const done = events.flatMap((event) => (event.type === 'step-done' ? [event.cached] : []));
    expect(done).toEqual([false, false, true]);
  });

  it('gives the first image again after a file has become a directory, and a file again', async () => {
    const world = newWorld();
    const asFile = [{ name: 'x', content: '1' }];
    const asDirectory = [{ name: 'x/' }, { name: 'x/y', content: '2' }];
    const list = async (context: readonly TestEntry[]) =>
      (await build('FROM scratch\nCOPY . /d/', { world, files: context })).list;
    expect(await list(asFile)).toEqual(['d/ 755 0:0', 'd/x 644 0:0']);
    expect(await list(asDirectory)).toEqual(['d/ 755 0:0', 'd/x/ 755 0:0', 'd/x/y 644 0:0']);
    expect(await list(asFile)).toEqual(['d/ 755 0:0', 'd/x 644 0:0']);
  });

  it('executes a step again if its layer is gone', async () => {
    const world = newWorld();
    await build('FROM scratch\nCOPY a.txt /', { world, files: await files() });
    world.blobs.clear();
    expect((await build('FROM scratch\nCOPY a.txt /', { world, files: await files() })).cached).toBe(0);
  });

  it('ignores broken records of earlier builds', async () => {
    const world = newWorld();
    await build('FROM scratch\nCOPY a.txt /', { world, files: await files() });
    for (const key of world.steps.keys()) world.steps.set(key, Buffer.from('{"id": 5'));
    expect((await build('FROM scratch\nCOPY a.txt /', { world, files: await files() })).cached).toBe(0);
  });
});

describe('the times of files', () => {
  const timesOf = async (times: TimeChoice, options: TestBuild = {}) => {
    const { tree, config } = await build('FROM scratch\nADD ovl.tar /', { times, files: await files(), ...options });
    return [tree.root.children?.get('f')?.inode.entry?.mtime, config.created];
  };

  it('are the same for all files, or at most a given time, or kept', async () => {
    expect(await timesOf({ kind: 'fixed', seconds: 1 })).toEqual([
      { seconds: 1, nanoseconds: 0 },
      '1970-01-01T00:00:01Z',
    ]);
    expect(await timesOf({ kind: 'latest', seconds: 1_600_000_000 })).toEqual([
      { seconds: 1_600_000_000, nanoseconds: 0 },
      '2020-09-13T12:26:40Z',
    ]);
    expect(await timesOf({ kind: 'latest', seconds: 1_700_000_000 })).toEqual([
      { seconds: 1_600_000_000, nanoseconds: 5 },
      '2023-11-14T22:13:20Z',
    ]);
    expect(await timesOf({ kind: 'kept' })).toEqual([
      { seconds: 1_600_000_000, nanoseconds: 5 },
      '1980-01-01T00:00:00Z',
    ]);
  });

  it('can be chosen anew without running a command again; the layer is as if it had run', async () => {
    const [world, runner] = [newWorld(), recordingRunner(() => [{ name: 'r', content: 'R', ...at(1_650_000_000) }])];
    const choices: readonly TimeChoice[] = [
      { kind: 'fixed', seconds: 7 },
      { kind: 'latest', seconds: 1_640_000_000 },
      { kind: 'latest', seconds: 1_660_000_000 },
      { kind: 'kept' },
      { kind: 'fixed', seconds: 7 },
    ];
    for (const times of choices) {
      const options = { times, files: await files() };
      const remembered = await build(TEXT, { ...options, world, runner });
      const fresh = await build(TEXT, {
        ...options,
        runner: recordingRunner(() => [{ name: 'r', content: 'R', ...at(1_650_000_000) }]),
      });
      expect(remembered.image.manifest.digest).toBe(fresh.image.manifest.digest);
    }
    expect(runner.requests).toHaveLength(1);
  });

  it('of the base image are never changed', async () => {
    const images = {
      base: {
        entries: [
          { name: 'etc/', ...at(5) },
          { name: 'etc/f', content: '', ...at(6) },
        ],
      },
    };
    const { tree, image } = await build('FROM base\nCOPY a.txt /etc/', { images, files: await files() });
    expect(tree.root.children?.get('etc')?.children?.get('f')?.inode.entry?.mtime).toEqual({
      seconds: 6,
      nanoseconds: 5,
    });
    expect(image.layers[0]?.isNew).toBe(false);
  });
});

describe('comparing two builds', () => {
  it('names the files that differ, and the instruction', async () => {
    let run = 0;
    const runner = recordingRunner(() => [
      { name: 'same', content: 's' },
      { name: 'stamp', content: `${run++}` },
    ]);
    const one = await build('FROM scratch\nRUN date', { runner });
    const two = await build('FROM scratch\nRUN date', { runner });
    expect(await compareBuilds(one.image, two.image)).toMatchObject({
      isSame: false,
      config: false,
      files: [{ path: 'stamp', change: 'changed', aspects: ['content'] }],
      instructions: ['RUN /bin/sh -c date # buildkit'],
    });
    expect((await compareBuilds(one.image, one.image)).isSame).toBe(true);
  });
});

describe('secrets that were deleted', () => {
  const KEY = '-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----\n';
  const context = [
    { name: 'id_rsa', content: KEY },
    { name: 'token', content: 'user:hunter22\n' },
    { name: 'plain', content: 'x' },
  ];
  const runner = () =>
    recordingRunner(({ args }) =>
      (args.at(-1) ?? '')
        .split(' ')
        .slice(1)
        .map((name) => ({ name: `.wh.${name}`, content: '' })),
    );

  it('are still in an earlier layer: path, what it is, and the instruction that left it', async () => {
    const { image } = await build('FROM scratch\nCOPY id_rsa token plain /\nRUN rm id_rsa token plain', {
      files: context,
      runner: runner(),
    });
    expect(await leftSecrets(image, new Map([['pw', Buffer.from('hunter22\n')]]))).toEqual([
      { path: 'id_rsa', what: 'a private key', instruction: 'COPY id_rsa token plain / # buildkit' },
      { path: 'token', what: 'the secret pw', instruction: 'COPY id_rsa token plain / # buildkit' },
    ]);
  });

  it('are also found if they were replaced; those that the image still has are not reported', async () => {
    const { image } = await build('FROM scratch\nCOPY id_rsa token /\nCOPY plain /id_rsa', { files: context });
    expect(await leftSecrets(image, new Map())).toMatchObject([{ path: 'id_rsa' }]);
  });
});
