import { describe, expect, it } from 'vitest';
import { MAKE_FORMATS } from '../../tasks/make/make-output.ts';
import { COMMANDS } from '../table/commands.ts';
import { complete, type LookUp } from './complete.ts';

const lookUp: LookUp = async ({ what, typed, args }) => {
  if (what === 'overlays') return ['metallb', 'multus'];
  if (what === 'images' || what === 'locations') return ['library/alpine:3.20', 'x/y:1'];
  return what === 'image-paths' ? [`${typed}/of/${args[0]}`] : [];
};

/** Completes, and returns only the words. */
const at = async (...words: readonly string[]) => {
  const found = await complete(words, COMMANDS, lookUp);
  return { ...found, words: found.words.map(({ word }) => word) };
};

describe('completion', () => {
  it('offers commands first, except hidden ones', async () => {
    const { words } = await at('');
    expect(words).toContain('lreg_preload');
    expect(words).not.toContain('__complete');
    expect((await at('lreg_s')).words).toEqual(['lreg_start', 'lreg_service', 'lreg_stop', 'lreg_status']);
    expect((await at('lreg-st')).words).toHaveLength(3);
  });

  it('offers the options of the program before a command, and those of a command under its other names', async () => {
    expect((await at('--')).words).toEqual(['--help', '--version']);
    expect((await at('docker-lsreg', '--ho')).words).toEqual(['--hosts']);
  });

  it('offers the options of the command, with = where they take a value', async () => {
    expect((await at('lreg_preload', '--p')).words).toEqual(['--platform=', '--pause=']);
    expect((await at('lreg_ls', '--h')).words).toEqual(['--hosts', '--help']);
    expect((await at('serve', '--r')).words).toEqual(['--read-only', '--read-only-from=']);
  });

  it('offers the topics of --debug, one after the other, and what stands after it as if it were not there', async () => {
    expect((await at('lreg_ls', '--de')).words).toEqual(['--debug']);
    expect((await at('lreg_ls', '--debug=h')).words).toEqual(['--debug=http', '--debug=hosts']);
    expect((await at('lreg_ls', '--debug=http,h')).words).toEqual(['--debug=http,hosts']);
    expect(await at('lreg_rm', '--debug', 'lib')).toEqual({ words: ['library/alpine:3.20'] });
  });

  it('offers overlays and paths where overlays are taken', async () => {
    expect(await at('lreg_preload', 'm')).toEqual({
      words: ['metallb', 'multus'],
      paths: { kind: 'files', prefix: '' },
    });
    expect(await at('lreg_preload', 'metallb', 'mu')).toEqual({
      words: ['multus'],
      paths: { kind: 'files', prefix: '' },
    });
  });

  it('takes the word after an option of one letter for its value', async () => {
    expect((await at('login', '-u', '')).words).toEqual([]);
    expect((await at('login', '-u', 'me', '--pas')).words).toEqual(['--password=', '--password-stdin']);
  });

  it('offers images of the registry where one is taken', async () => {
    expect(await at('lreg_rm', 'lib')).toEqual({ words: ['library/alpine:3.20'] });
  });

  it('leaves directories to the shell', async () => {
    expect(await at('lreg_ls', '--data=')).toEqual({ words: [], paths: { kind: 'directories', prefix: '--data=' } });
    expect(await at('lreg_ls', '--data', '')).toEqual({ words: [], paths: { kind: 'directories', prefix: '' } });
  });

  it('says what commands and options are', async () => {
    const [command] = (await complete(['lreg-isl'], COMMANDS, lookUp)).words;
    expect(command).toEqual({ word: 'lreg_isloaded', help: expect.stringContaining('private registry') });
    const [option] = (await complete(['lreg_ls', '--js'], COMMANDS, lookUp)).words;
    expect(option).toEqual({ word: '--json', help: 'Print JSON' });
  });

  it('offers the values that the help lists, and platforms one by one', async () => {
    expect((await at('make', '--format=o')).words).toEqual(['--format=oci-archive']);
    expect((await at('make', '--format', 'docker')).words).toEqual(['docker-archive']);
    expect((await at('make', '--format', '')).words).toEqual(MAKE_FORMATS);
    expect((await at('mkimage', '--compression=')).words).toContain('--compression=zstd');
    expect((await at('copy', '--platform=linux/s')).words).toEqual(['--platform=linux/s390x']);
    expect((await at('copy', '--platform=linux/amd64,linux/a')).words).toEqual(
      ['arm64', 'arm/v7', 'arm/v6'].map((name) => `--platform=linux/amd64,linux/${name}`),
    );
    expect((await at('copy', '--platform=a')).words).toEqual(['--platform=all']);
  });

  it('offers transports beside names where an image may be anywhere, and paths behind those of files', async () => {
    expect((await at('inspect', 'docker')).words).toEqual(['docker://', 'docker-daemon:', 'docker-archive:']);
    expect(await at('copy', 'x/y:1', 'oci:lay')).toEqual({ words: [], paths: { kind: 'directories', prefix: 'oci:' } });
    expect(await at('ls', 'docker-archive:')).toEqual({
      words: [],
      paths: { kind: 'files', prefix: 'docker-archive:' },
    });
    expect(await at('ls', 'docker://re')).toEqual({ words: [] });
    expect((await at('lreg_rm', 'oci')).words).toEqual([]);
  });

  it('offers the short name of what is below library, until the long one is typed', async () => {
    expect((await at('lreg_rm', 'alp')).words).toEqual(['alpine:3.20']);
    expect((await at('lreg_rm', '')).words).toEqual(['alpine:3.20', 'x/y:1']);
    expect((await at('lreg_rm', 'library/')).words).toEqual(['library/alpine:3.20']);
  });

  it('offers paths in the image that was named, whatever options stand between', async () => {
    expect((await at('cat', '--platform', 'linux/arm64', 'x/y:1', '--data=d', '/etc')).words).toEqual([
      '/etc/of/x/y:1',
    ]);
    expect((await at('cat', 'x/y:1', '/a', '/b')).words).toEqual(['/b/of/x/y:1']);
    expect((await at('ls', 'x/y:1', '/a', '')).words).toEqual([]);
  });

  it('offers the shells, and commands after help', async () => {
    expect((await at('completion', '')).words).toEqual(['bash', 'zsh', 'fish']);
    expect((await at('help', 'get')).words).toEqual(['getimages']);
  });

  it('offers nothing for an unknown command', async () => {
    expect(await at('nonsense', '')).toEqual({ words: [] });
  });
});
