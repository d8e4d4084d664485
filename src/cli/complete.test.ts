import { describe, expect, it } from 'vitest';
import { COMMANDS } from './commands.ts';
import { complete, type LookUp } from './complete.ts';

const lookUp: LookUp = async (what) =>
  what === 'overlays' ? ['metallb', 'multus'] : what === 'images' ? ['library/alpine:3.20', 'x/y:1'] : [];

const at = (...words: readonly string[]) => complete(words, COMMANDS, lookUp);

describe('completion', () => {
  it('offers commands first, those that are hidden aside', async () => {
    const { words } = await at('');
    expect(words).toContain('lreg_preload');
    expect(words).not.toContain('__complete');
    expect((await at('lreg_s')).words).toEqual(['lreg_start', 'lreg_stop', 'lreg_status']);
    expect((await at('lreg-st')).words).toHaveLength(3);
  });

  it('offers the options of the program before a command, and those of a command under its other names', async () => {
    expect((await at('--')).words).toEqual(['--help', '--version']);
    expect((await at('docker-lsreg', '--ho')).words).toEqual(['--hosts']);
  });

  it('offers the options of the command, with = where they take a value', async () => {
    expect((await at('lreg_preload', '--p')).words).toEqual(['--platform=', '--pause=']);
    expect((await at('lreg_ls', '--h')).words).toEqual(['--hosts', '--help']);
    expect((await at('serve', '--r')).words).toEqual([]);
  });

  it('offers overlays and paths where overlays are taken', async () => {
    expect(await at('lreg_preload', 'm')).toEqual({ words: ['metallb', 'multus'], paths: 'files' });
    expect(await at('lreg_preload', 'metallb', 'mu')).toEqual({ words: ['multus'], paths: 'files' });
  });

  it('offers images of the registry where one is taken', async () => {
    expect(await at('lreg_rm', 'lib')).toEqual({ words: ['library/alpine:3.20'] });
  });

  it('leaves directories to the shell', async () => {
    expect(await at('lreg_ls', '--data=')).toEqual({ words: [], paths: 'directories' });
    expect(await at('lreg_ls', '--data', '')).toEqual({ words: [], paths: 'directories' });
  });

  it('offers the shells, and commands after help', async () => {
    expect((await at('completion', '')).words).toEqual(['bash', 'zsh', 'fish']);
    expect((await at('help', 'get')).words).toEqual(['getimages']);
  });

  it('has nothing for a command that there is not', async () => {
    expect(await at('nonsense', '')).toEqual({ words: [] });
  });
});
