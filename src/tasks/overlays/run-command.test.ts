import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventually } from '../../../test/testing/eventually.ts';
import { identityOf } from '../../io/concurrency/process-identity.ts';
import { someProgramRuns } from '../../io/concurrency/started-programs.ts';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { runCommand } from './run-command.ts';

const env = { PATH: process.env.PATH };
const shell = (text: string, signal?: AbortSignal) =>
  runCommand('sh', ['-c', text], { env, ...(signal && { signal }) });

describe('a helper program', () => {
  it('gives its output and its status: a failure is not an exception', async () => {
    expect(await shell('echo out; echo error >&2')).toEqual({ status: 0, stdout: 'out\n', stderr: 'error\n' });
    expect(await shell('echo out; exit 3')).toEqual({ status: 3, stdout: 'out\n', stderr: '' });
    expect(someProgramRuns()).toBe(false);
  });

  it('gets its arguments as they are, and no environment but the given one', async () => {
    const args = ['a b', '$HOME', ''];
    const script = 'printf "%s\\n" "$@"; echo "<$HOME> $X"';
    const result = await runCommand('sh', ['-c', script, 'sh', ...args], { env: { ...env, X: 'x' } });
    expect(result?.stdout).toBe('a b\n$HOME\n\n<> x\n');
  });

  it('that is missing, is not executable or is killed gives no result', async () => {
    await using world = await temporaryWorld();
    const text = await world.file('text', 'no program');
    expect(await runCommand(join(world.path, 'no-such'), [], { env })).toBeUndefined();
    expect(await runCommand(text, [], { env })).toBeUndefined();
    expect(await shell('kill -9 $$')).toBeUndefined();
    expect(someProgramRuns()).toBe(false);
  });

  it('that prints too much is ended', async () => {
    expect(await shell('yes')).toMatchObject({ status: 256, stderr: 'it printed more than 4 MiB' });
    await eventually(() => !someProgramRuns());
  });

  it('is not waited for when it has ended and a child of its own holds the output', async () => {
    const result = await shell('sleep 60 & echo $!');
    const pid = Number(result?.stdout);
    process.kill(pid, 'SIGKILL');
    expect(result?.status).toBe(0);
  });
});

describe('the signal', () => {
  it('ends the program and its children, and its reason is thrown', async () => {
    await using world = await temporaryWorld();
    const pids = join(world.path, 'pids');
    const abort = new AbortController();
    const running = shell(`sleep 60 & echo $$ $! > ${pids}.new; mv ${pids}.new ${pids}; wait`, abort.signal);
    await eventually(() => existsSync(pids));
    abort.abort(new Error('enough'));
    await expect(running).rejects.toThrow('enough');
    for (const pid of (await readFile(pids, 'utf8')).trim().split(' ').map(Number)) {
      await eventually(() => identityOf(pid) === undefined);
    }
    await eventually(() => !someProgramRuns());
  });

  it('that came before lets nothing start', async () => {
    await using world = await temporaryWorld();
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(shell(`touch ${world.path}/started`, signal)).rejects.toThrow('enough');
    expect(existsSync(join(world.path, 'started'))).toBe(false);
  });

  it('may come later: what has ended stays as it is', async () => {
    const abort = new AbortController();
    const result = await shell('echo out', abort.signal);
    abort.abort();
    expect(result?.stdout).toBe('out\n');
  });
});
