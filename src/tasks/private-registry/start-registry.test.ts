import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../../../test/testing/eventually.ts';
import { identityOf, isAlive } from '../../io/concurrency/process-identity.ts';
import type { Settings } from '../settings.ts';
import { type TemporaryWorld, temporaryWorld } from '../testing/temporary-world.ts';
import { announceRegistry, runningRegistry } from './registry-state.ts';
import { type StartRequest, startRegistry } from './start-registry.ts';
import { startedWith } from './started-with.ts';

/** What a registry does when it runs: it writes its record (here for the fixed port 5000), tells what it was called with, and stays. */
const RUNS = `set -- "$$" "$@"
start=$(sed 's/.*) //' /proc/$$/stat | cut -d' ' -f20)
printf '{"identity":"%s.%s.%s","pid":%s,"uid":%s,"data":"%s","addresses":[{"host":"127.0.0.1","port":5000}],"since":"now","version":"1"}' \\
  $$ "$start" "$(cat /proc/sys/kernel/random/boot_id)" $$ "$(id -u)" "$DATA" > "$DATA/images/registry.json"
shift
printf '%s\\n' "$@" > "$DATA/../called"
`;
const READY = `echo '{"ready":true}' >&3; exec 3>&-; exec sleep 60`;

function dataOf(world: TemporaryWorld): string {
  return join(world.path, 'data');
}

async function start(
  world: TemporaryWorld,
  body: string,
  request: Partial<StartRequest> = {},
  more: Partial<Settings> = {},
) {
  const program = await world.script('program', body);
  const data = dataOf(world);
  const settings = world.settings({ DATA: data }, { data, ...more });
  onTestFinished(() => {
    const left = runningRegistry(data, settings);
    if (left && left.pid !== process.pid) process.kill(left.pid, 'SIGKILL');
  });
  return await startRegistry({ listen: [], program: [program], ...request }, settings);
}

describe('starting the embedded registry', () => {
  it('runs the program with the options, and returns when it is ready; the process stays', async () => {
    await using world = await temporaryWorld();
    const request = { listen: ['127.0.0.1:5000', '[::1]:81'], names: ['registry.example.org'] };
    const { state, already } = await start(world, RUNS + READY, request);
    expect(already).toBe(false);
    expect(isAlive(state.identity)).toBe(true);
    expect(state).toMatchObject({ data: dataOf(world), addresses: [{ host: '127.0.0.1', port: 5000 }] });
    expect((await readFile(join(world.path, 'called'), 'utf8')).trim().split('\n')).toEqual([
      'serve',
      `--data=${dataOf(world)}`,
      '--ready-fd=3',
      '--listen=127.0.0.1:5000',
      '--listen=[::1]:81',
      '--name=registry.example.org',
    ]);
  });

  it('tells where VMs reach it, if they do', async () => {
    await using world = await temporaryWorld();
    const addresses = [{ host: '10.1.2.3', port: 80 }];
    announceRegistry({ data: dataOf(world), addresses, version: '1' }, world.settings());
    expect((await start(world, '')).vms).toEqual({ ip: '10.1.2.3', port: 80 });
  });

  it('writes the output of the process into its log', async () => {
    await using world = await temporaryWorld();
    await start(world, `${RUNS}echo out; echo error >&2\n${READY}`);
    expect(await readFile(join(dataOf(world), 'images/registry.log'), 'utf8')).toBe('out\nerror\n');
  });

  it('starts none if one runs on these addresses, or on any if none are named', async () => {
    await using world = await temporaryWorld();
    const addresses = [{ host: '127.0.0.1', port: 5000 }];
    const { state } = announceRegistry({ data: dataOf(world), addresses, version: '1' }, world.settings());
    for (const listen of [[], ['127.0.0.1:5000'], ['127.0.0.1:0']]) {
      expect(await start(world, 'touch "$DATA/../called"', { listen })).toEqual({ state, already: true });
    }
    const other = start(world, 'touch "$DATA/../called"', { listen: ['127.0.0.1:5001'] });
    await expect(other).rejects.toMatchObject({ code: 'ALREADY_RUNNING' });
    expect(existsSync(join(world.path, 'called'))).toBe(false);
  });

  it('does not take a registry with other options of access or TLS for the one that is wanted', async () => {
    await using world = await temporaryWorld();
    const options = { auth: 'htpasswd:/users', writeFrom: ['local'] };
    const known = startedWith(options);
    const addresses = [{ host: '127.0.0.1', port: 5000 }];
    const served = { data: dataOf(world), addresses, version: '1', ...(known !== undefined && { startedWith: known }) };
    const { state } = announceRegistry(served, world.settings());
    for (const request of [
      options,
      {},
      { writeFrom: ['local'], auth: 'htpasswd:/users', listen: ['127.0.0.1:5000'] },
    ]) {
      expect(await start(world, '', request)).toEqual({ state, already: true });
    }
    for (const request of [
      { readOnly: true },
      { auth: 'htpasswd:/others' },
      { tls: 'auto' },
      { listen: ['https://127.0.0.1:5000'], tls: 'auto' },
    ]) {
      await expect(start(world, '', request)).rejects.toMatchObject({
        code: 'ALREADY_RUNNING',
        hint: 'Run `images lreg_stop` first to start it with other settings.',
      });
    }
    await expect(start(world, '', {}, { config: '/other.toml' })).rejects.toMatchObject({ code: 'ALREADY_RUNNING' });
  });

  it('accepts the registry that somebody else has started in the meantime', async () => {
    await using world = await temporaryWorld();
    const told = `echo '{"error":{"code":"ALREADY_RUNNING","message":"the embedded registry runs already"}}' >&3`;
    const body = `${RUNS}${told}; exec 3>&-; exec sleep 60`;
    expect(await start(world, body, { listen: ['127.0.0.1:5000'] })).toMatchObject({ already: true });
  });

  it('passes on the error of the process, with its code and hint, and leaves no store behind', async () => {
    await using world = await temporaryWorld();
    const error = { code: 'ADDRESS_IN_USE', message: 'address is in use [x]', hint: 'Choose another one.' };
    const body = `echo '${JSON.stringify({ error })}' >&3; exit 1`;
    await expect(start(world, body)).rejects.toMatchObject(error);
    expect(await readdir(dataOf(world))).toEqual([]);
  });

  it('does not remove a store that another registry serves by now', async () => {
    await using world = await temporaryWorld();
    const told = `echo '{"error":{"code":"NO_SPACE","message":"no space left"}}' >&3`;
    const body = `${RUNS}${told}; exec 3>&-; exec sleep 60`;
    await expect(start(world, body)).rejects.toMatchObject({ code: 'NO_SPACE' });
    expect((await readdir(join(dataOf(world), 'images'))).sort()).toEqual(['registry.json', 'registry.log']);
  });

  it('passes on the last words of a process that ends without a message, and no older ones', async () => {
    await using world = await temporaryWorld();
    await world.file('data/images/registry.log', 'yesterday\n');
    const words = start(world, `printf 'first\\nlast \\033[31mwords\\n' >&2; exit 1`);
    await expect(words).rejects.toMatchObject({
      code: 'SERVER_ERROR',
      message: 'the embedded registry ended at once [last [31mwords]',
      hint: `Its log: ${dataOf(world)}/images/registry.log`,
    });
    await expect(start(world, 'exit 1')).rejects.toThrow('the embedded registry ended at once [it said nothing]');
  });

  it('names a missing program, and leaves no store behind', async () => {
    await using world = await temporaryWorld();
    const program = [join(world.path, 'no-such')] as const;
    await expect(start(world, '', { program })).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
      message: `there is no such program [${program}]`,
    });
    const noProgram = await world.file('text', 'no program');
    await expect(start(world, '', { program: [noProgram] })).rejects.toMatchObject({ code: 'NO_ACCESS' });
    expect(await readdir(dataOf(world))).toEqual([]);
  });

  it('refuses wrong addresses and names before anything is made', async () => {
    await using world = await temporaryWorld();
    for (const wrong of [{ listen: ['nonsense'] }, { names: ['a:5000'] }]) {
      await expect(start(world, RUNS + READY, wrong)).rejects.toMatchObject({ code: 'USAGE' });
    }
    expect(existsSync(dataOf(world))).toBe(false);
  });

  it('leaves no store and no process behind when it is interrupted', async () => {
    await using world = await temporaryWorld();
    const abort = new AbortController();
    process.once('SIGUSR2', () => abort.abort(new Error('interrupted')));
    const body = `echo $$ > "$DATA/../pid"; kill -USR2 ${process.pid}; exec sleep 60`;
    await expect(start(world, body, {}, { signal: abort.signal })).rejects.toThrow('interrupted');
    expect(await readdir(dataOf(world))).toEqual([]);
    const pid = Number(await readFile(join(world.path, 'pid'), 'utf8'));
    await eventually(() => identityOf(pid) === undefined);
  });

  it('starts nothing when it has been interrupted before', async () => {
    await using world = await temporaryWorld();
    const signal = AbortSignal.abort(new Error('interrupted'));
    await expect(start(world, RUNS + READY, {}, { signal })).rejects.toThrow('interrupted');
    expect(existsSync(dataOf(world))).toBe(false);
  });

  it('does not remove a store that was there before', async () => {
    await using world = await temporaryWorld();
    await world.file('data/images/names/x', '');
    await expect(start(world, 'exit 1')).rejects.toMatchObject({ code: 'SERVER_ERROR' });
    expect(existsSync(join(dataOf(world), 'images/names/x'))).toBe(true);
  });
});
