// How the options of a build are understood, and what is said of it. What is built is tested in build/ and tasks/mkimage.
import { describe, expect, it, vi } from 'vitest';
import { fullReference, parseReference } from '../../oci/reference.ts';
import type { MadeImage, MakeImageOptions } from '../../tasks/mkimage/make-image.ts';
import * as task from '../../tasks/mkimage/make-image.ts';
import { type TestProgramOptions, testProgram } from '../testing/program.ts';

const digest = `sha256:${'a'.repeat(64)}` as const;
const MADE: MadeImage = { name: fullReference(parseReference('team/app:1')), digest, cached: true };

/** Runs `mkimage .` with these options, and with a build that makes this. */
async function made(argv: readonly string[], image: Partial<MadeImage> = {}, options: TestProgramOptions = {}) {
  const program = await testProgram(options);
  await program.world.file('secret', 'of a file');
  let given: MakeImageOptions | undefined;
  const spy = vi.spyOn(task, 'makeImage').mockImplementation(async (_, __, all) => {
    given = all;
    return { ...MADE, ...image };
  });
  try {
    const status = await program.run('mkimage', '.', ...argv.map((word) => word.replace('WORLD', program.world.path)));
    return { status, given, printed: program.printed(), noted: program.noted() };
  } finally {
    spy.mockRestore();
  }
}

describe('the options of mkimage', () => {
  it('are given to the build', async () => {
    const { given } = await made(
      ['--tag=a:1', '--target=t', '--no-cache', '--platform=linux/arm64', '--network=none', '--timestamp=5'].concat(
        '--compression=zstd:3',
        '--label=a=b=c',
        '--label=d=',
        '--build-arg=X=1',
        '--build-arg=HOME_OF',
        '--build-arg=NOT_SET',
      ),
      {},
      { env: { HOME_OF: 'me' } },
    );
    expect(given).toMatchObject({
      tag: 'a:1',
      target: 't',
      noCache: true,
      pull: false,
      platform: { os: 'linux', architecture: 'arm64' },
      network: 'none',
      times: { kind: 'fixed', seconds: 5 },
      compression: { kind: 'zstd', level: 3 },
      labels: new Map([
        ['a', 'b=c'],
        ['d', ''],
      ]),
      buildArgs: new Map([
        ['X', '1'],
        ['HOME_OF', 'me'],
      ]),
    });
  });

  it('that are not given are absent for the build', async () => {
    const { given } = await made(['--network=default']);
    for (const name of ['tag', 'platform', 'network', 'times', 'compression']) expect(given).not.toHaveProperty(name);
    expect((await made(['--timestamp=keep'])).given?.times).toEqual({ kind: 'kept' });
  });

  it('take secrets from files and from variables', async () => {
    const { given } = await made(
      ['--secret=id=a,src=WORLD/secret', '--secret=id=b,env=TOKEN', '--secret=id=TOKEN', '--secret=id=WORLD/secret'],
      {},
      { env: { TOKEN: 'of a variable' } },
    );
    const secrets = [...(given?.secrets ?? [])].map(([id, value]) => [
      id.replace(/.*\//, ''),
      String(Buffer.from(value)),
    ]);
    expect(secrets).toEqual([
      ['a', 'of a file'],
      ['b', 'of a variable'],
      ['TOKEN', 'of a variable'],
      ['secret', 'of a file'],
    ]);
  });

  it.each([
    ['--network=bridge', 'unknown network [--network=bridge]'],
    ['--label=a', '--label takes NAME=VALUE [a]'],
    ['--label==b', '--label takes NAME=VALUE [=b]'],
    ['--timestamp=now', '--timestamp takes seconds since 1970, or keep [now]'],
    ['--secret=src=/x', 'a secret without an id [--secret]'],
    ['--secret=id=a,env=NOT_SET', "a secret's variable is not set [NOT_SET]"],
    ['--secret=a', '--secret takes NAME=VALUE [a]'],
  ])('like %s are refused', async (option, message) => {
    await expect(made([option])).rejects.toMatchObject({ code: 'USAGE', message });
  });

  it('send at most one thing to stdout', async () => {
    await expect(made(['--output=docker-archive:-'])).rejects.toThrow("both the archive and the image's name go to");
  });
});

describe('the answer about a made image', () => {
  it('is its name', async () => {
    const { status, printed, noted } = await made([]);
    expect([status, printed, noted]).toEqual([0, 'docker.io/team/app:1\n', ['Cached [docker.io/team/app:1]']]);
  });

  const layer = (size: number, isNew: boolean) => ({
    descriptor: { mediaType: 'x', digest, size },
    diffId: digest,
    isNew,
    instruction: 'RUN make',
  });
  const built = { layers: [layer(5000, false), layer(2000, true)] } as unknown as NonNullable<MadeImage['built']>;

  it('that was built names its layers', async () => {
    expect((await made([], { cached: false, built })).noted).toEqual([
      expect.stringMatching(/^2 layers, 2\.0 kB of its own, \d+\.\d s$/),
    ]);
    expect(JSON.parse((await made(['--json'], { cached: false, built })).printed)).toMatchObject({
      image: 'docker.io/team/app:1',
      cached: false,
      layers: [
        { size: 5000, base: true },
        { size: 2000, instruction: 'RUN make' },
      ],
      seconds: expect.any(Number),
    });
  });

  it('that was verified says whether it was the same, and what was not', async () => {
    const same = { isSame: true, instructions: [], config: false, files: [] } as unknown as MadeImage['differences'];
    const { status, noted } = await made(['--verify'], { ...(same && { differences: same }) });
    expect([status, noted.at(-1)]).toEqual([0, 'The same when built again']);
    const differences = {
      isSame: false,
      instructions: ['RUN date'],
      config: true,
      files: [
        { path: 'a', change: 'added', aspects: [] },
        { path: 'b', change: 'removed', aspects: [] },
        { path: 'c', change: 'changed', aspects: ['content', 'time'] },
      ],
    } as unknown as NonNullable<MadeImage['differences']>;
    const other = await made(['--verify'], { differences });
    expect([other.status, ...other.noted.slice(-6)]).toEqual([
      1,
      'Not the same when built again:',
      '  RUN date',
      '  ~ the configuration',
      '  + /a',
      '  - /b',
      '  ~ /c (content, time)',
    ]);
    expect(JSON.parse((await made(['--json', '--verify'], { differences })).printed)).toMatchObject({
      reproducible: false,
      differences: [{ path: 'a' }, { path: 'b' }, { path: 'c' }],
    });
  });
});
