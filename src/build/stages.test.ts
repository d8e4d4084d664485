// Stages: which are built, what they take from each other, ONBUILD. Numbers in titles are those of this project's list of known traps.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are a Dockerfile's
import { describe, expect, it } from 'vitest';
import { build, failure } from './testing/build.ts';
import { recordingRunner } from './testing/recording-runner.ts';

const FILES = [{ name: 'a.txt', content: 'A' }];
const stepsOf = (events: readonly { readonly type: string; readonly text?: string }[]) =>
  events.flatMap((event) => (event.type === 'step' ? [event.text] : []));

describe('stages', () => {
  it('that nothing needs are not built, nor are their bases looked for', async () => {
    const { events, list } = await build(
      'FROM missing AS unneeded\nCOPY a.txt /1\nFROM scratch AS needed\nCOPY a.txt /2\nFROM scratch\nCOPY --from=needed / /',
      { files: FILES },
    );
    expect(stepsOf(events)).toEqual(['COPY a.txt /2', 'COPY --from=needed / /']);
    expect(list).toEqual(['2 644 0:0']);
  });

  it('can be the target, by name in any case or by number', async () => {
    const text = 'FROM scratch AS One\nCOPY a.txt /1\nFROM scratch\nCOPY a.txt /2\nFROM scratch\nCOPY a.txt /3';
    const target = async (name: string) => (await build(text, { files: FILES, target: name })).list;
    expect([await target('ONE'), await target('1')]).toEqual([['1 644 0:0'], ['2 644 0:0']]);
    expect(await failure(text, { files: FILES, target: 'onee' })).toMatchObject({
      code: 'USAGE',
      hint: 'Did you mean one?',
    });
  });

  it('can be bases, in any case; a later one of the same name hides an earlier one', async () => {
    const { list } = await build(
      'FROM scratch AS x\nCOPY a.txt /1\nFROM X AS x\nCOPY a.txt /2\nFROM x\nCOPY a.txt /3',
      { files: FILES },
    );
    expect(list).toEqual(['1 644 0:0', '2 644 0:0', '3 644 0:0']);
  });

  it('take bases and platforms from ARG', async () => {
    const text = 'ARG BASE=bsae\nARG P\nFROM --platform=${P:-linux/arm64} ${BASE}\nCOPY a.txt /';
    const images = { base: { entries: [{ name: 'f', content: '' }] } };
    const { config } = await build(text, { files: FILES, images, buildArgs: new Map([['BASE', 'base']]) });
    expect(config).toMatchObject({ architecture: 'arm64' });
    expect(await failure(text, { files: FILES, images })).toMatchObject({
      message: 'Dockerfile:3: no such image [bsae]',
    });
  });

  it('say that a base is for another platform than is asked for', async () => {
    const images = { base: { config: { architecture: 's390x', os: 'linux' } } };
    const { warnings } = await build('FROM --platform=linux/arm64 base', { images });
    expect(warnings).toEqual(['Dockerfile:1: base is for linux/s390x, not linux/arm64']);
    expect((await build('FROM --platform=linux/s390x base', { images })).warnings).toEqual([]);
  });

  it('that are independent are built at the same time', async () => {
    let running = 0;
    const both = Promise.withResolvers<void>();
    const runner = recordingRunner();
    const { run } = runner;
    // Neither goes on without the other.
    runner.run = async (request, options) => {
      if (++running === 2) both.resolve();
      await both.promise;
      return await run(request, options);
    };
    await build(
      'FROM scratch AS a\nRUN a\nFROM scratch AS b\nRUN b\nFROM scratch\nCOPY --from=a /ran /a\nCOPY --from=b /ran /b',
      { runner },
    );
    expect(running).toBe(2);
  });

  it('that fail end the others, and their own failure is reported', async () => {
    const runner = recordingRunner();
    let ended: unknown;
    const { run } = runner;
    runner.run = async (request, options) => {
      if (request.args.at(-1) === 'false') return await run(request, options);
      await new Promise<void>((done) => options?.signal?.addEventListener('abort', () => done()));
      ended = options?.signal?.reason;
      throw ended;
    };
    const text =
      'FROM scratch AS slow\nRUN sleep\nFROM scratch AS bad\nRUN false\nFROM scratch\nCOPY --from=slow / /\nCOPY --from=bad / /';
    const error = await failure(text, { runner });
    expect(error).toMatchObject({ code: 'BUILD_FAILED', message: 'Dockerfile:4: the command failed [exit status 7]' });
    expect(ended).toBe(error);
  });

  it.each([
    ['RUN x', 'RUN before the first FROM'],
    ['ARG A', 'no FROM in the file'],
    ['FROM $NOTHING', 'FROM nothing [$NOTHING]'],
    ['FROM --platform=$X scratch', 'not a platform []'],
    ['FROM UPPER', 'no such image [UPPER]'],
  ])('%s is a mistake', async (text, message) => {
    expect((await failure(text)).message).toBe(`Dockerfile:1: ${message}`);
  });
});

describe('ADD from git', () => {
  it.each([
    ['git@github.com:a/b.git', ' [git@github.com:a/b.git]'],
    ['https://github.com/a/b.git#v1', ' [https://github.com/a/b.git#v1]'],
    ['--keep-git-dir=true x', ''],
    ['$REPO', ' [ssh://git@x/y]'],
  ])('%s is refused before anything is done, if its stage is needed', async (source, shown) => {
    const text = `FROM scratch AS git\nARG REPO=ssh://git@x/y\nADD ${source} /\nFROM scratch AS other\nENV a=b`;
    const { message, hint } = await failure(text, { files: FILES, target: 'git' });
    expect(message).toBe(`Dockerfile:3: ADD from a git repository is not supported${shown}`);
    expect(hint).toContain('tar` script');
    await expect(build(text, { files: FILES })).resolves.toBeDefined();
  });
});

describe('a warning of an unknown frontend', () => {
  it.each([
    ['# syntax=docker/dockerfile:1.7\n', 0],
    ['# syntax=docker.io/docker/dockerfile@sha256:ab\n', 0],
    ['#!/bin/x\n# syntax=acme/frontend:1\n', 1],
    ['\ufeff# check=x\n# Syntax = acme/frontend:1 more\n', 1],
    ['# comment\n# syntax=acme/frontend\n', 0],
  ])('comes only where one is named: %j', async (head, warnings) => {
    expect((await build(`${head}FROM scratch`)).warnings).toHaveLength(warnings);
  });
});

describe('ONBUILD', () => {
  const base = (...triggers: string[]) => ({
    files: FILES,
    images: { base: { entries: [{ name: 'f', content: '' }], config: { config: { OnBuild: triggers } } } },
  });

  it('of an image fires before the first instruction, and is gone then', async () => {
    const { config } = await build('FROM base\nENV own=1', base('ENV trigger=1', 'COPY a.txt /t'));
    expect(config.config).not.toHaveProperty('OnBuild');
    expect(config.history.map(({ created_by }) => created_by)).toEqual([
      'base',
      'ENV trigger=1',
      'COPY a.txt /t # buildkit',
      'ENV own=1',
    ]);
  });

  it('of a stage fires in a stage of the same file, and not in one that is built from that', async () => {
    const { list } = await build(
      'FROM scratch AS a\nONBUILD COPY a.txt /fired/\nFROM a AS b\nFROM b AS c\nCOPY --from=b /fired /c',
      { files: FILES },
    );
    expect(list).toEqual(['c/ 755 0:0', 'c/a.txt 644 0:0', 'fired/ 755 0:0', 'fired/a.txt 644 0:0']);
    expect(
      (await build('FROM scratch AS a\nONBUILD COPY a.txt /fired/\nCOPY a.txt /own', { files: FILES })).list,
    ).toEqual(['own 644 0:0']);
  });

  it('can need stages that nothing else does', async () => {
    const { list } = await build(
      'FROM scratch AS tools\nCOPY a.txt /tool\nFROM base',
      base('COPY --from=tools /tool /bin/tool'),
    );
    expect(list).toContain('bin/tool 644 0:0');
  });

  it('can be a heredoc', async () => {
    const { text } = await build('FROM scratch AS a\nONBUILD COPY <<E /h\nbody\nE\nFROM a');
    expect(await text('h')).toBe('body\n');
  });

  it('with a mistake is reported as a mistake of the trigger', async () => {
    expect((await failure('FROM base', base('CPOY a b'))).message).toBe(
      'ONBUILD 1 of base:1: unknown instruction [CPOY]',
    );
  });
});
