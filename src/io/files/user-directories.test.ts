import { describe, expect, it } from 'vitest';
import { runtimeDirectory, userDirectory } from './user-directories.ts';

describe('directories of a user', () => {
  it('are those that the environment names', () => {
    const settings = { env: { XDG_DATA_HOME: '/d', XDG_RUNTIME_DIR: '/r' }, home: '/home/u' };
    expect(userDirectory('XDG_DATA_HOME', settings)).toBe('/d');
    expect(userDirectory('XDG_CONFIG_HOME', settings)).toBe('/home/u/.config');
    expect(runtimeDirectory(settings)).toBe('/r');
  });

  it.each(['', '.', 'share', './share', '~/share'])('are the usual ones if the environment names [%s]', (path) => {
    const env = { XDG_DATA_HOME: path, XDG_RUNTIME_DIR: path };
    expect(userDirectory('XDG_DATA_HOME', { env, home: '/home/u' })).toBe('/home/u/.local/share');
    expect(userDirectory('XDG_DATA_HOME', { env, home: undefined })).toBeUndefined();
    expect(runtimeDirectory({ env })).toBeUndefined();
  });
});
