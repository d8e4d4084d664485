import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { startRegistry } from './start-registry.ts';

describe('starting the embedded registry', () => {
  it('leaves no store behind when it is interrupted: there is no private registry then', async () => {
    await using world = await temporaryWorld();
    const abort = new AbortController();
    const program = await world.script('program', `kill -USR2 ${process.pid}; exec sleep 60`);
    process.once('SIGUSR2', () => abort.abort(new Error('interrupted')));
    const settings = world.settings({}, { data: `${world.path}/data`, signal: abort.signal });
    await expect(startRegistry({ listen: [], program: [program] }, settings)).rejects.toThrow('interrupted');
    expect(existsSync(`${world.path}/data/images`)).toBe(false);
  });

  it('leaves a store that was there', async () => {
    await using world = await temporaryWorld();
    await world.file('data/images/names/x', '');
    const program = await world.script('program', 'exit 1');
    const start = startRegistry({ listen: [], program: [program] }, world.settings({}, { data: `${world.path}/data` }));
    await expect(start).rejects.toMatchObject({ code: 'SERVER_ERROR' });
    expect(existsSync(`${world.path}/data/images/names/x`)).toBe(true);
  });
});
